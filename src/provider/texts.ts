/** Bounds of the provider's texts: whatever it sends can be stored, so that no transaction fails over it again and again. */
import { createHash } from 'node:crypto';
import { toStorable } from '../domain/storable.ts';

/**
 * Longest status and sub-status that are kept as they came; the longest of the status table has 33 characters. Both are
 * in one index entry, which has at most 2,704 bytes.
 */
export const MAX_STATUS_LENGTH = 200;
const KEPT_OF_LONG_STATUS = 150;
const DIGEST_CHARACTERS = 16;
/** Longest text that is sealed, such as remarks. */
export const MAX_TEXT_LENGTH = 20_000;
/** Longest id of the provider's: a user's has 50 characters, a reference of prepaid instruments 19 digits. */
export const MAX_ID_LENGTH = 100;

/**
 * A status as it is hashed, compared and stored. One that is too long, or that PostgreSQL cannot store, is shortened and
 * repaired; a digest of the original keeps different ones different. No known status ever is.
 */
export function keepStatus(raw: string): string {
  const storable = toStorable(raw);
  if (storable === raw && raw.length <= MAX_STATUS_LENGTH) return raw;
  // As JSON: in UTF-8 all halves of surrogate pairs would be the same.
  const digest = createHash('sha256').update(JSON.stringify(raw)).digest('hex');
  return `${cut(storable, KEPT_OF_LONG_STATUS)} (sha256 ${digest.slice(0, DIGEST_CHARACTERS)})`;
}

/** A text as it is sealed: storable, and cut where it is too long. */
export const keepText = (raw: string): string => cut(toStorable(raw), MAX_TEXT_LENGTH);

/** Cuts between characters, never within a surrogate pair. */
const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
