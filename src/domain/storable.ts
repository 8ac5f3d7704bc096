/**
 * Limits of what PostgreSQL can store. U+0000 in a text makes the statement fail. A lone surrogate is silently
 * sent as U+FFFD, so that the stored text would differ from the text that was hashed or compared in memory.
 */

/** Whether PostgreSQL stores the text unchanged. */
export const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Message for an input text that PostgreSQL cannot store unchanged. */
export const UNSTORABLE_TEXT_MESSAGE = 'must not contain null bytes (U+0000) or half a surrogate pair';

/** Replaces each U+0000 and each lone surrogate with U+FFFD. */
export const replaceUnstorableCharacters = (text: string): string =>
  text.toWellFormed().replaceAll('\0', '\uFFFD');

const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
/**
 * Exclusive limit of times that may be stored. One day before the year 10000, which ISO 8601 cannot write with
 * four digits, so that a time computed from a stored one (up to a day later) stays in range.
 */
export const STORABLE_TIME_LIMIT_MS = Date.parse('9999-12-31T00:00:00Z');

/** Whether a time, and a time up to a day later, can be stored. */
export const isStorableTime = (time: Date): boolean =>
  time.getTime() >= EARLIEST_MS && time.getTime() < STORABLE_TIME_LIMIT_MS;
