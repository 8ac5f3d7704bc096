import { type Frame, isRestart } from './frames.ts';

/**
 * Number of cursors that are remembered, to recognize frames that a router repeats. A repeated frame that is
 * older is taken for a gap, which only costs a new subscription.
 */
const MAX_REMEMBERED = 1_000;

/**
 * Position of a subscriber in its stream. It also notices missing frames, since each frame contains the
 * cursor of the frame before it (`previousCursor`): routers share streams between clients, repeat them from
 * the start, and drop frames that a slow client does not take; proxies deliver late.
 */
export class Position {
  /**
   * Cursor of the last frame, from which to resume; null before the first frame of a subscription that
   * started without one.
   */
  cursor: string | null;
  /**
   * Cursor of the newest frame that is not a heartbeat. The next frame may name this one as its predecessor,
   * if a router reopened the stream, because the new stream may have fewer heartbeats.
   */
  #event: string | null;
  #seen = new Set<string>();
  #mark = '';

  constructor(after: string | null) {
    this.cursor = after;
    this.#event = after;
    if (after !== null) this.#seen.add(after);
  }

  /** Value of the `after` argument to subscribe with; undefined if there is no cursor yet. */
  get after(): string | undefined {
    return this.#mark ? `${this.cursor ?? ''}~${this.#mark}` : (this.cursor ?? undefined);
  }

  /**
   * Adds a random mark to `after`, so that a GraphQL router does not serve the subscription from a stream
   * that it shares with other clients.
   */
  keepApart(): void {
    this.#mark = Math.random().toString(36).slice(2);
  }

  /**
   * Classifies a frame. NEXT: it follows the last frame, and becomes the position. REPEATED: it was received
   * before. GAP: frames before it are missing. A frame without `previousCursor` is always NEXT.
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
