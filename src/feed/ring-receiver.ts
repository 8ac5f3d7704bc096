import type { Logger } from 'pino';
import type { LocalDoorbell } from './doorbell.ts';
import { MAX_RING_MESSAGE_BYTES, MAX_SESSIONS_PER_RING_BATCH, parseRingMessage } from './ring-message.ts';

/**
 * Minimum interval between two calls of `missed`, which makes listeners read all their logs. A message that
 * names no sessions (LOOK, or one that cannot be parsed) leads to such a call.
 */
export const MIN_MISSED_INTERVAL_MS = 250;
/**
 * Minimum interval between two log lines about messages that cannot be parsed. Each line contains the number
 * of such messages since the last line.
 */
const LOG_INTERVAL_MS = 60_000;

interface RingReceiverOptions {
  /** Doorbell within this process, through which messages of other replicas reach the listeners. */
  readonly here: LocalDoorbell;
  /**
   * Sender id (`origin`) of this process. Messages with this id are ignored, since this process has already
   * notified its listeners.
   */
  readonly ownOrigin: string;
  readonly log: Logger;
  readonly onUnreadableRing?: (() => void) | undefined;
}

/**
 * Delivers the messages of other replicas to the listeners in this process, coalesced so that a flood of
 * messages does not become a flood of reads: at most one ring per session in each turn of the event loop, and
 * for messages that cannot be parsed one read of all logs per `MIN_MISSED_INTERVAL_MS`.
 */
export class RingReceiver {
  readonly #options: RingReceiverOptions;
  #rings = new Map<string, number>();
  #isScheduled = false;
  #missedAgain = false;
  #missing: NodeJS.Timeout | null = null;
  #unreadable = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RingReceiverOptions) {
    this.#options = options;
  }

  /**
   * Handles a message of another replica. `bytes` is the size of the message if known: a message that is too
   * large is refused without being decoded.
   */
  receive(decode: () => string, bytes?: number): void {
    const isTooLarge = bytes !== undefined && bytes > MAX_RING_MESSAGE_BYTES;
    const message = isTooLarge ? null : parseRingMessage(decode());
    if (message?.origin === this.#options.ownOrigin) return;
    if (message === null) this.#refuse();
    else if (message.rings === 'LOOK') this.#miss();
    else this.#note(message.rings);
  }

  #note(rings: ReadonlyMap<string, number>): void {
    for (const [sessionId, sequence] of rings)
      this.#rings.set(sessionId, Math.max(sequence, this.#rings.get(sessionId) ?? 0));
    if (this.#rings.size > MAX_SESSIONS_PER_RING_BATCH) {
      this.#rings.clear();
      this.#miss();
    }
    if (this.#isScheduled || this.#rings.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#deliver());
  }

  stop(): void {
    if (this.#missing) clearTimeout(this.#missing);
    this.#missing = null;
    this.#rings.clear();
  }

  #deliver(): void {
    const rings = this.#rings;
    this.#rings = new Map();
    this.#isScheduled = false;
    for (const [sessionId, sequence] of rings) this.#options.here.ring(sessionId, sequence);
  }

  /**
   * Tells the listeners that notifications may have been missed: immediately at the first call, and once more
   * at the end of `MIN_MISSED_INTERVAL_MS` if there were further calls in that interval.
   */
  #miss(): void {
    if (this.#missing) {
      this.#missedAgain = true;
      return;
    }
    this.#options.here.missed();
    this.#missing = setTimeout(() => {
      this.#missing = null;
      if (!this.#missedAgain) return;
      this.#missedAgain = false;
      this.#miss();
    }, MIN_MISSED_INTERVAL_MS).unref();
  }

  #refuse(): void {
    this.#options.onUnreadableRing?.();
    this.#unreadable += 1;
    const now = performance.now();
    if (now - this.#loggedAtMs >= LOG_INTERVAL_MS) {
      this.#options.log.warn(
        { messages: this.#unreadable },
        'notifications from other replicas could not be parsed; reading the logs instead',
      );
      this.#loggedAtMs = now;
      this.#unreadable = 0;
    }
    this.#miss();
  }
}
