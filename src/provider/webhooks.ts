import type { ProviderWebhooks, WebhookHeaders, WebhookRefusal } from '../domain/ports.ts';
import { isValidWebhookSignature as verifySignature } from './signature.ts';
import { IMPERSONAL_WEBHOOK_FIELDS, parseWebhook } from './wire-format.ts';

const TIMESTAMP_HEADER = 'x-webhook-timestamp';
const SIGNATURE_HEADER = 'x-webhook-signature';
/** Form of a signature: base64 of the 32 bytes of an HMAC-SHA256. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/;
/** Form of a timestamp: seconds or milliseconds since 1970. */
const TIMESTAMP = /^\d{10}(\d{3})?$/;
/**
 * Age from which on a webhook is refused as a replay. The age is generous, because the provider retries for
 * hours, and may keep the timestamp of the first attempt.
 */
const MAX_AGE_MS = 30 * 86_400_000;
/** Maximum by which the provider's clock may be ahead of the gateway's clock. */
const MAX_AHEAD_MS = 86_400_000;
const STALE: WebhookRefusal = {
  kind: 'STALE',
  message: `${TIMESTAMP_HEADER} is more than 30 days in the past or one day in the future (replay protection). Check the clocks; polling replaces lost webhooks.`,
};
const BADLY_SIGNED: WebhookRefusal = {
  kind: 'BADLY_SIGNED',
  message: 'The signature does not match the body with any active secret.',
};

/**
 * Creates the verification and parsing of the provider's webhooks. `secrets` contains all secrets that may
 * have signed a webhook: the active one, and those that are being retired (rotation).
 */
export const createWebhookVerifier = (secrets: readonly string[]): ProviderWebhooks => ({
  checkHeaders(headers) {
    const read = readSignature(headers);
    if ('kind' in read) return read;
    return isFresh(read.timestamp) ? 'OK' : STALE;
  },
  verify({ headers, body }) {
    const read = readSignature(headers);
    if ('kind' in read) return read;
    if (!isFresh(read.timestamp)) return STALE;
    if (isAmbiguous(body) || !verifySignature(secrets, read.timestamp, body, read.signature))
      return BADLY_SIGNED;
    return 'OK';
  },
  parse: (body) => parseWebhook(body.toString('utf8')),
  impersonalFields: IMPERSONAL_WEBHOOK_FIELDS,
});

/**
 * Returns the timestamp and the signature from the headers, or a refusal that says which header is missing or
 * malformed.
 */
function readSignature(headers: WebhookHeaders): { timestamp: string; signature: string } | WebhookRefusal {
  const timestamp = headers[TIMESTAMP_HEADER];
  const signature = headers[SIGNATURE_HEADER];
  const problems = [
    describeProblem(
      TIMESTAMP_HEADER,
      timestamp,
      TIMESTAMP,
      '10 or 13 digits, seconds or milliseconds since 1970',
    ),
    describeProblem(SIGNATURE_HEADER, signature, SIGNATURE, 'the base64 of an HMAC-SHA256, 44 characters'),
  ].filter((problem) => problem !== null);
  if (problems.length === 0) return { timestamp: timestamp as string, signature: signature as string };
  return {
    kind: 'UNSIGNED',
    message: `The webhook is not signed: ${problems.join(', and ')}. The provider sends ${TIMESTAMP_HEADER} and ${SIGNATURE_HEADER} with every webhook.`,
  };
}

/**
 * Returns whether the body begins with a digit. Such a body is refused: the provider signs timestamp + body
 * without a separator, so the same signature would also fit a longer timestamp and a shorter body (boundary
 * ambiguity).
 */
const isAmbiguous = (body: Buffer): boolean => {
  const first = body[0] ?? 0;
  return first >= 0x30 && first <= 0x39;
};

function isFresh(timestamp: string): boolean {
  const ageMs = Date.now() - Number(timestamp.padEnd(13, '0'));
  return ageMs <= MAX_AGE_MS && ageMs >= -MAX_AHEAD_MS;
}

function describeProblem(
  name: string,
  value: string | readonly string[] | undefined,
  form: RegExp,
  expected: string,
): string | null {
  if (value === undefined) return `${name} is missing`;
  return typeof value === 'string' && form.test(value) ? null : `${name} must be ${expected}`;
}
