/**
 * What PostgreSQL can hold. Its text has neither U+0000, which fails the statement, nor half a surrogate pair, for which
 * the driver sends U+FFFD: what was hashed or compared in memory would then differ from what is stored.
 */

/** Whether PostgreSQL stores the text exactly as it is. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** What an input must not have, for messages about one that is not storable. */
export const UNSTORABLE = 'must not contain null bytes (U+0000) or half a surrogate pair';

/** The text with U+FFFD in place of each U+0000 and each half of a surrogate pair. */
export const toStorable = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');

const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
/** A day before the end of what ISO 8601 writes with four digits: what is computed from a time stays in range. */
export const LATEST_MS = Date.parse('9999-12-31T00:00:00Z');

/** Whether a time, and what is computed from it, can be stored. */
export const isStorableTime = (time: Date): boolean =>
  time.getTime() >= EARLIEST_MS && time.getTime() < LATEST_MS;
