import { randomUUID } from 'node:crypto';
import type { CursorCodec, LogPosition } from './cursor.ts';

/**
 * Placeholder in a frame's result for the cursor of the previous frame. Streams share the result but have
 * different previous cursors, so each stream replaces the placeholder. Random, so that no text in a frame can
 * equal the placeholder.
 */
export const PREVIOUS_CURSOR_PLACEHOLDER = `previous cursor ${randomUUID()}`;

const QUOTED_PLACEHOLDER = JSON.stringify(PREVIOUS_CURSOR_PLACEHOLDER);

/**
 * A frame's execution result as JSON text, split at the placeholders for the previous frame's cursor
 * (`PREVIOUS_CURSOR_PLACEHOLDER`).
 */
export class FrameJson {
  readonly #first: string;
  readonly #others: readonly string[];
  /**
   * Newest JSON with the placeholder replaced. Live streams have the same previous cursor, so they share this
   * string.
   */
  #filled: { readonly previousCursor: string | null; readonly json: string } | null = null;
  /**
   * Memory use in UTF-16 code units. Doubled if there are placeholders, because `#filled` holds a second
   * copy.
   */
  readonly length: number;

  constructor(json: string) {
    const [first = '', ...others] = json.split(QUOTED_PLACEHOLDER);
    this.#first = first;
    this.#others = others;
    this.length = others.length === 0 ? json.length : 2 * json.length;
  }

  /**
   * Returns the JSON with the previous cursor of one stream filled in. Calls `findPreviousCursor` only if the
   * JSON has a placeholder for that cursor.
   */
  after(findPreviousCursor: () => string | null): string {
    if (this.#others.length === 0) return this.#first;
    const previousCursor = findPreviousCursor();
    if (this.#filled?.previousCursor !== previousCursor)
      this.#filled = { previousCursor, json: this.#fill(previousCursor) };
    return (this.#filled as { json: string }).json;
  }

  #fill(previousCursor: string | null): string {
    // Cursors are base64url, so they need no JSON escaping.
    return [this.#first, ...this.#others].join(previousCursor === null ? 'null' : `"${previousCursor}"`);
  }
}

const encodedBy = new WeakMap<CursorCodec, WeakMap<LogPosition, string>>();

/**
 * Encodes a place in a log as a cursor, once for all subscribers: they share the `LogPosition` objects,
 * because `getPositionAfter` memoizes them on the log's entries.
 */
export function encodeCursorOnce(cursors: CursorCodec, position: LogPosition): string {
  const encoded = encodedBy.get(cursors) ?? new WeakMap<LogPosition, string>();
  encodedBy.set(cursors, encoded);
  const cursor = encoded.get(position) ?? cursors.encode(position);
  encoded.set(position, cursor);
  return cursor;
}
