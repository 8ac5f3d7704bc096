import type { PageCursor } from '../db/sessions/sessions.ts';
import { createBadInputError } from './connection.ts';

/** Letter of each order in which a list may be sorted. The letters are part of cursors that clients keep. */
const LETTERS = {
  CREATED_AT: 'c',
  UPDATED_AT: 'u',
  STATUS_SINCE: 'w',
  DUE_AT: 'd',
  MEETING_AT: 'm',
  STARTS_AT: 's',
} as const;
export type TimeCursorField = keyof typeof LETTERS;

/**
 * Format of a list cursor: a letter for the sort field, milliseconds since 1970, and the UUID of the entry. With
 * at most 14 digits the year has four digits, so PostgreSQL can read the time. Cursors are neither encrypted
 * nor signed: they contain only what the entry shows, and a forged one merely filters by time.
 */
const CURSOR = /^([a-z])(\d{1,14}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Encodes the list cursor of an entry. The cursor names the sort field, because the same time and id would
 * stand for another position in a list that is sorted by another field.
 */
export const encodeTimeCursor = (order: TimeCursorField, { at, id }: PageCursor): string =>
  Buffer.from(`${LETTERS[order]}${at.getTime()}:${id}`).toString('base64url');

/** @throws GraphQLError if the cursor is not one of a list in this order */
export function decodeTimeCursor(
  order: TimeCursorField,
  cursor: string | null | undefined,
): PageCursor | null {
  if (cursor == null) return null;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, letter, milliseconds, id] = text.match(CURSOR) ?? [];
  if (!id || letter !== LETTERS[order]) {
    throw createBadInputError(
      'The cursor was not issued for this list in this order: pass a cursor exactly as you received it.',
    );
  }
  return { at: new Date(Number(milliseconds)), id };
}
