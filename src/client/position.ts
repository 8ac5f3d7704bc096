import { type Frame, isRestart } from './frames.ts';

/** How many frames back a repetition is recognized. An older one counts as a gap, which costs a subscription. */
const MAX_REMEMBERED = 1_000;

/**
 * Where a subscriber is in its stream, and the proof that it missed nothing: each frame names the cursor of the frame
 * before it (`previousCursor`). Routers share streams between clients, repeat them from their start, and drop frames
 * that a slow client does not take; proxies deliver late. None of them can forge the chain of cursors.
 */
export class Position {
  /** The cursor to go on after; null before the first frame of a subscription that was begun without one. */
  cursor: string | null;
  /** The newest frame other than a heartbeat. A stream that a router reopened may have fewer heartbeats. */
  #event: string | null;
  #seen = new Set<string>();
  #mark = '';

  constructor(after: string | null) {
    this.cursor = after;
    this.#event = after;
    if (after !== null) this.#seen.add(after);
  }

  /** The `after` argument to subscribe with. */
  get after(): string | undefined {
    return this.#mark ? `${this.cursor ?? ''}~${this.#mark}` : (this.cursor ?? undefined);
  }

  /** Makes `after` unlike that of any other client, so that no router has a stream to share for it. */
  keepApart(): void {
    this.#mark = Math.random().toString(36).slice(2);
  }

  /**
   * Takes a frame. NEXT: it follows what was seen, and the position moves on to it. REPEATED: it was seen. GAP: frames
   * before it are missing. A frame that does not say what it follows is always NEXT.
   */
  take(frame: Frame & { cursor: string }): 'NEXT' | 'REPEATED' | 'GAP' {
    const { cursor, previousCursor } = frame;
    const isLinked = previousCursor === this.cursor || previousCursor === this.#event;
    if (previousCursor !== undefined && !isLinked) return this.#seen.has(cursor) ? 'REPEATED' : 'GAP';
    if (isRestart(frame)) this.#seen.clear();
    const isHeartbeat = frame.__typename === 'Heartbeat' || cursor === previousCursor;
    if (!isHeartbeat || this.#event === null) this.#event = cursor;
    this.cursor = cursor;
    this.#remember(cursor);
    return 'NEXT';
  }

  #remember(cursor: string): void {
    this.#seen.add(cursor);
    const [oldest] = this.#seen;
    if (this.#seen.size > MAX_REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
  }
}
