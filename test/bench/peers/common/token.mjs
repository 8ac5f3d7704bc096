/** The gateway's check of a token. */
import { jwtVerify } from 'jose';

const OPTIONS = { algorithms: ['HS256'], clockTolerance: 30, requiredClaims: ['exp'] };

const key = await crypto.subtle.importKey(
  'raw',
  Buffer.from(process.env.AUTH_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify'],
);

/** What the token of an `Authorization` header says. Rejects where it holds no good one. */
export async function claimsOf(authorization) {
  const [, token] = authorization?.match(/^Bearer +(\S+)$/i) ?? [];
  if (!token) throw new Error('A token is needed');
  const { payload } = await jwtVerify(token, key, OPTIONS);
  return payload;
}
