/**
 * Verifies tokens by the rules of the gateway. Peers (servers that the benchmarks compare with the gateway) check the
 * signature at every request; only the contender `remembering` caches verified tokens, like the gateway.
 */
import { hash } from 'node:crypto';
import { jwtVerify } from 'jose';

const OPTIONS = { algorithms: ['HS256'], clockTolerance: 30, requiredClaims: ['exp'] };

const key = await crypto.subtle.importKey(
  'raw',
  Buffer.from(process.env.AUTH_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify'],
);

const REMEMBERED_MS = process.env.REMEMBER_TOKENS ? 30_000 : 0;
const known = new Map();

/** Returns the claims of the token in an `Authorization` header; rejects if the token is not valid. */
export async function claimsOf(authorization) {
  const [, token] = authorization?.match(/^Bearer +(\S+)$/i) ?? [];
  if (!token) throw new Error('The Authorization header has no token');
  if (REMEMBERED_MS === 0) return (await jwtVerify(token, key, OPTIONS)).payload;
  const name = hash('sha256', token, 'base64');
  const before = known.get(name);
  if (before && before.until > performance.now()) return before.payload;
  const { payload } = await jwtVerify(token, key, OPTIONS);
  known.set(name, { payload, until: performance.now() + REMEMBERED_MS });
  return payload;
}
