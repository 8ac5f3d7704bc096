import { type Frame, isRestartFrame } from './frames.ts';

/**
 * Number of remembered cursors, by which frames that a GraphQL router repeats are recognized. A repeated
 * frame older than these counts as a gap, which costs only a new subscription.
 */
const MAX_REMEMBERED = 1_000;

/** Types of frames that have no entry in the log, and carry the cursor of the entry before them. */
const WITHOUT_ENTRY = new Set(['Heartbeat', 'DeadlinePassed']);

/**
 * Position of a subscriber in its stream. It detects missing and repeated frames by `previousCursor`, the
 * cursor of the frame before: GraphQL routers share streams between clients, repeat them from the start, and
 * drop frames that a slow client does not read; proxies deliver late.
 */
export class StreamPositionTracker {
  /**
   * Cursor of the last frame, after which the subscription resumes. Before the first frame: the cursor that
   * the subscription started with, or null.
   */
  cursor: string | null;
  /**
   * Cursor of the newest frame that is not a heartbeat. If a router reopened the stream, with fewer
   * heartbeats, the next frame may name this cursor as its `previousCursor`.
   */
  #event: string | null;
  #seen = new Set<string>();
  #mark = '';

  constructor(after: string | null) {
    this.cursor = after;
    this.#event = after;
    if (after !== null) this.#seen.add(after);
  }

  /** Value of the argument `after` for the next subscription; undefined while there is no cursor. */
  get after(): string | undefined {
    return this.#mark ? `${this.cursor ?? ''}~${this.#mark}` : (this.cursor ?? undefined);
  }

  /**
   * Adds a random mark to `after`, so that this subscription differs from all others, and a GraphQL router
   * cannot serve it from a stream shared with other clients.
   */
  keepApart(): void {
    this.#mark = Math.random().toString(36).slice(2);
  }

  /**
   * Classifies a received frame. NEXT: the frame follows the last one, and becomes the new position.
   * REPEATED: the same frame was received before. GAP: frames before this one are missing. A frame without
   * `previousCursor` is always NEXT.
   */
  take(frame: Frame & { cursor: string }): 'NEXT' | 'REPEATED' | 'GAP' {
    const { cursor, previousCursor } = frame;
    const isLinked = previousCursor === this.cursor || previousCursor === this.#event;
    if (previousCursor !== undefined && !isLinked) return this.#seen.has(cursor) ? 'REPEATED' : 'GAP';
    if (isRestartFrame(frame)) this.#seen.clear();
    // Neither a heartbeat nor a passed deadline is an entry of the log.
    const isHeartbeat = WITHOUT_ENTRY.has(frame.__typename ?? '') || cursor === previousCursor;
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
