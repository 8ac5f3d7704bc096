import { type Frame, isRestart } from './frames.ts';

/** Frames remembered to recognize a repeated one. An older one counts as a gap, which costs a new subscription. */
const MAX_REMEMBERED = 1_000;

/**
 * Position of a subscriber in its stream, which also proves that no frame was missed: each frame names the cursor of
 * the frame before it (`previousCursor`). Routers share streams between clients, repeat them from the start, and drop
 * frames that a slow client does not take; proxies deliver late. None of them can forge the chain of cursors.
 */
export class Position {
  /** Cursor to resume after; null before the first frame of a subscription that started without one. */
  cursor: string | null;
  /** Cursor of the newest frame other than a heartbeat. A stream that a router reopened may have fewer heartbeats. */
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

  /** Makes `after` unique, so that a router cannot serve it from a stream shared with other clients. */
  keepApart(): void {
    this.#mark = Math.random().toString(36).slice(2);
  }

  /**
   * Classifies a frame. NEXT: it follows the last one, and the position moves to it. REPEATED: it came before. GAP:
   * frames before it are missing. A frame without `previousCursor` is always NEXT.
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
