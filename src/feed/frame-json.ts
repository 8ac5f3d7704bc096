import { randomUUID } from 'node:crypto';
import type { Cursors, LogPlace } from './cursor.ts';

/**
 * Stands in a frame's result for the cursor of the frame before it. That cursor differs between streams that share the
 * result, so each stream fills in its own. Random, so that no text in a frame can equal it.
 */
export const PREVIOUS_CURSOR = `previous cursor ${randomUUID()}`;

const QUOTED_PLACEHOLDER = JSON.stringify(PREVIOUS_CURSOR);

/** A frame's execution result as JSON, cut at each place that takes the previous cursor. */
export class FrameJson {
  readonly #first: string;
  readonly #others: readonly string[];
  /** Streams in step with each other have the same previous cursor: they share one string. */
  #filled: { readonly previousCursor: string | null; readonly json: string } | null = null;
  /** What is kept of it, in UTF-16 code units. */
  readonly length: number;

  constructor(json: string) {
    const [first = '', ...others] = json.split(QUOTED_PLACEHOLDER);
    this.#first = first;
    this.#others = others;
    this.length = others.length === 0 ? json.length : 2 * json.length;
  }

  /** Returns the JSON for one stream. `findPreviousCursor` is called only if the selection asks for it. */
  after(findPreviousCursor: () => string | null): string {
    if (this.#others.length === 0) return this.#first;
    const previousCursor = findPreviousCursor();
    if (this.#filled?.previousCursor !== previousCursor)
      this.#filled = { previousCursor, json: this.#fill(previousCursor) };
    return (this.#filled as { json: string }).json;
  }

  #fill(previousCursor: string | null): string {
    // Cursors are base64url: nothing in them needs an escape.
    return [this.#first, ...this.#others].join(previousCursor === null ? 'null' : `"${previousCursor}"`);
  }
}

const encodedBy = new WeakMap<Cursors, WeakMap<LogPlace, string>>();

/** Encodes a place once for all followers: those of one log share the objects that are its entries. */
export function encodeOnce(cursors: Cursors, place: LogPlace): string {
  const encoded = encodedBy.get(cursors) ?? new WeakMap<LogPlace, string>();
  encodedBy.set(cursors, encoded);
  const cursor = encoded.get(place) ?? cursors.encode(place);
  encoded.set(place, cursor);
  return cursor;
}
