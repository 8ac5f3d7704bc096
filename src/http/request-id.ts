import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Pattern of request ids that are safe in a log line or a header without escaping: at most 128 characters.
 */
const SAFE_ID = /^[\w.:+/=-]{1,128}$/;

/** Random prefix of the ids that this process generates, so that they are unique over all replicas. */
const PREFIX = randomBytes(9).toString('base64url');
let made = 0;

/**
 * Returns the id of a request: the caller's `X-Request-Id` if it matches SAFE_ID, otherwise a generated id
 * that is unique over all replicas.
 */
export function getOrCreateRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && SAFE_ID.test(given)) return given;
  made += 1;
  return `${PREFIX}.${made.toString(36)}`;
}
