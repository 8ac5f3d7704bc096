import { constants, createHmac, publicEncrypt, timingSafeEqual } from 'node:crypto';

/** Signs a webhook as the provider documents it: base64(HMAC-SHA256(secret, timestamp + raw body)). */
export const signWebhook = (secret: string, timestamp: string, body: Buffer): string =>
  createHmac('sha256', secret).update(timestamp).update(body).digest('base64');

/**
 * Returns whether one of the active secrets made this signature. The comparison takes the same time for every
 * signature of the right length (no timing side channel). The caller must check that the timestamp is recent,
 * and that the signed text cannot be split into timestamp and body at another place.
 */
export function isValidWebhookSignature(
  secrets: readonly string[],
  timestamp: string,
  body: Buffer,
  signature: string,
): boolean {
  const given = Buffer.from(signature);
  const matches = secrets.map((secret) => {
    const expected = Buffer.from(signWebhook(secret, timestamp, body));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return matches.includes(true);
}

/**
 * Returns the header `x-cf-signature` of a call, for accounts whose second factor is a public key:
 * base64(RSA-OAEP with SHA-1 of `<client id>.<unix seconds>`). The provider accepts a signature for five
 * minutes.
 */
export const createCallSignatureHeader = (publicKey: string, clientId: string, now: Date): string =>
  publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(`${clientId}.${Math.floor(now.getTime() / 1000)}`),
  ).toString('base64');
