import { randomUUID } from 'node:crypto';
import type { Cursors, LogPosition } from './cursor.ts';

/**
 * Placeholder in a frame's result for the cursor of the previous frame. That cursor differs between streams that share
 * the result, so each stream fills in its own. Random, so that no text in a frame can equal it.
 */
export const PREVIOUS_CURSOR = `previous cursor ${randomUUID()}`;

const QUOTED_PLACEHOLDER = JSON.stringify(PREVIOUS_CURSOR);

/** A frame's execution result as JSON, split at the placeholders of the previous cursor. */
export class FrameJson {
  readonly #first: string;
  readonly #others: readonly string[];
  /** Newest filled-in JSON. Live streams have the same previous cursor, so they share one string. */
  #filled: { readonly previousCursor: string | null; readonly json: string } | null = null;
  /**
   * Memory in UTF-16 code units: of the parts, and of the newest filled-in JSON if there are placeholders.
   */
  readonly length: number;

  constructor(json: string) {
    const [first = '', ...others] = json.split(QUOTED_PLACEHOLDER);
    this.#first = first;
    this.#others = others;
    this.length = others.length === 0 ? json.length : 2 * json.length;
  }

  /**
   * Returns the JSON with one stream's previous cursor filled in. `findPreviousCursor` is called only if the
   * selection contains that cursor.
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

const encodedBy = new WeakMap<Cursors, WeakMap<LogPosition, string>>();

/**
 * Encodes a place as a cursor, once for all subscribers of a log: they share the log's entries, on which
 * `positionAfter` memoizes the places.
 */
export function encodeOnce(cursors: Cursors, position: LogPosition): string {
  const encoded = encodedBy.get(cursors) ?? new WeakMap<LogPosition, string>();
  encodedBy.set(cursors, encoded);
  const cursor = encoded.get(position) ?? cursors.encode(position);
  encoded.set(position, cursor);
  return cursor;
}
