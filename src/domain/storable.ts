/**
 * Limits of what PostgreSQL can store. Text cannot contain U+0000, which fails the statement, nor lone surrogates, for
 * which the driver sends U+FFFD: what was hashed or compared in memory would then differ from what is stored.
 */

/** Whether PostgreSQL stores the text unchanged. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Message for an input that is not storable. */
export const UNSTORABLE = 'must not contain null bytes (U+0000) or half a surrogate pair';

/** Replaces each U+0000 and each lone surrogate with U+FFFD. */
export const toStorable = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');

const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
/**
 * Limit of storable times, exclusive. It is a day below the year 10000, which ISO 8601 cannot write with four
 * digits, so that times computed from a stored one stay in range.
 */
export const STORABLE_BEFORE_MS = Date.parse('9999-12-31T00:00:00Z');

/** Whether a time, and times computed from it, can be stored. */
export const isStorableTime = (time: Date): boolean =>
  time.getTime() >= EARLIEST_MS && time.getTime() < STORABLE_BEFORE_MS;
