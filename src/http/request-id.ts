import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Pattern of ids that cannot break a log line or a header: at most 128 plain characters. */
const SAFE_ID = /^[\w.:+/=-]{1,128}$/;

/** Random prefix of this process, so that ids are unique over all replicas. */
const PREFIX = randomBytes(9).toString('base64url');
let made = 0;

/**
 * Returns the id of a request: the caller's `X-Request-Id` if it is safe to repeat, otherwise a new one that
 * is unique over all replicas.
 */
export function getRequestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && SAFE_ID.test(given)) return given;
  made += 1;
  return `${PREFIX}.${made.toString(36)}`;
}
