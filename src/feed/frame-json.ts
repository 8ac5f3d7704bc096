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
  /** In UTF-16 code units, without the cursors that are filled in. */
  readonly length: number;

  constructor(json: string) {
    const [first = '', ...others] = json.split(QUOTED_PLACEHOLDER);
    this.#first = first;
    this.#others = others;
    this.length = others.reduce((total, piece) => total + piece.length, first.length);
  }

  /** Returns the JSON for one stream. `previousCursor` is called only if the selection asks for it. */
  after(previousCursor: () => string | null): string {
    if (this.#others.length === 0) return this.#first;
    const filling = JSON.stringify(previousCursor());
    let json = this.#first;
    for (const piece of this.#others) json += filling + piece;
    return json;
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
