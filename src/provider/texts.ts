/**
 * Limits the provider's texts to what PostgreSQL can store. Otherwise the transaction that stores a provider
 * update would fail at every retry.
 */
import { createHash } from 'node:crypto';
import { replaceUnstorableCharacters } from '../domain/storable.ts';

/**
 * Longest status and sub-status that are stored unchanged; the longest one in the status table has 33
 * characters. A limit is needed because both are in one index entry, which may have at most 2,704 bytes.
 */
export const MAX_STATUS_LENGTH = 200;
const LONG_STATUS_PREFIX_LENGTH = 150;
const DIGEST_CHARACTERS = 16;
/** Longest text that is encrypted and stored, such as remarks. */
export const MAX_TEXT_LENGTH = 20_000;
/**
 * Maximum length of an id from the provider. The longest documented ids are user ids with 50 characters, and
 * references of prepaid instruments with 19 digits.
 */
export const MAX_ID_LENGTH = 100;

/**
 * Returns the form in which a status is hashed, compared and stored. A status that is too long, or that
 * PostgreSQL cannot store, is shortened and repaired, and gets a digest of the original, so that different
 * statuses stay different. Known statuses are never changed.
 */
export function toStorableStatus(raw: string): string {
  const storable = replaceUnstorableCharacters(raw);
  if (storable === raw && raw.length <= MAX_STATUS_LENGTH) return raw;
  // Hashes the JSON form, because JSON escapes each lone surrogate; UTF-8 would replace all of them with the
  // same character, so that different statuses would get one digest.
  const digest = createHash('sha256').update(JSON.stringify(raw)).digest('hex');
  return `${cut(storable, LONG_STATUS_PREFIX_LENGTH)} (sha256 ${digest.slice(0, DIGEST_CHARACTERS)})`;
}

/**
 * Returns the form in which a text is encrypted and stored: without characters that PostgreSQL cannot store,
 * and cut if it is too long.
 */
export const toStorableText = (raw: string): string => cut(replaceUnstorableCharacters(raw), MAX_TEXT_LENGTH);

/** Cuts a text to a length, but never within a surrogate pair. */
const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
