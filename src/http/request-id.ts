import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a log line and a header can hold without being read as anything else. */
const SAFE_ID = /^[\w.:+/=-]{1,128}$/;

/** Of this process: replicas that count alike still give ids of their own. */
const PREFIX = randomBytes(9).toString('base64url');
let made = 0;

/** Returns the id of a request: the caller's `X-Request-Id` if it is safe to repeat, or one that no other process gives. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given === 'string' && SAFE_ID.test(given)) return given;
  made += 1;
  return `${PREFIX}.${made.toString(36)}`;
}
