import type { Logger } from 'pino';
import type { LocalDoorbell } from './doorbell.ts';
import { MAX_MESSAGE_BYTES, MAX_NAMED_SESSIONS, readMessage } from './ring-message.ts';

/**
 * Messages that name no sessions (LOOK, or not understood) make the listeners read their logs at most this
 * often.
 */
export const MISSED_INTERVAL_MS = 250;
/**
 * Messages that are not understood are logged at most this often, with the number since the last log line.
 */
const LOG_INTERVAL_MS = 60_000;

interface RingHearerOptions {
  /** Doorbell of this process, which notifies its listeners. */
  readonly here: LocalDoorbell;
  /** Origin in the messages that this process sends; such messages are ignored. */
  readonly ownOrigin: string;
  readonly log: Logger;
  readonly onNotUnderstood?: (() => void) | undefined;
}

/**
 * Delivers the messages of other replicas to the listeners in this process. A flood of messages must not become a flood
 * of reads, so they are coalesced: the rings of one event-loop turn are delivered once per session, and messages that
 * cannot be parsed are counted and make the listeners read their logs at most every `MISSED_INTERVAL_MS`.
 */
export class RingReceiver {
  readonly #options: RingHearerOptions;
  #rings = new Map<string, number>();
  #isScheduled = false;
  #missedAgain = false;
  #missing: NodeJS.Timeout | null = null;
  #notUnderstood = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RingHearerOptions) {
    this.#options = options;
  }

  /**
   * Handles a message of another replica. `bytes` is its size if known before decoding: a message that is too
   * large is not decoded.
   */
  receive(decode: () => string, bytes?: number): void {
    const isTooLarge = bytes !== undefined && bytes > MAX_MESSAGE_BYTES;
    const message = isTooLarge ? null : readMessage(decode());
    if (message?.origin === this.#options.ownOrigin) return;
    if (message === null) this.#refuse();
    else if (message.rings === 'LOOK') this.#miss();
    else this.#note(message.rings);
  }

  #note(rings: ReadonlyMap<string, number>): void {
    for (const [sessionId, sequence] of rings)
      this.#rings.set(sessionId, Math.max(sequence, this.#rings.get(sessionId) ?? 0));
    if (this.#rings.size > MAX_NAMED_SESSIONS) {
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
   * Tells the listeners at once that notifications (rings) may have been missed. However often it is called within the
   * next `MISSED_INTERVAL_MS`, they are told only once more, when that time is over.
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
    }, MISSED_INTERVAL_MS).unref();
  }

  #refuse(): void {
    this.#options.onNotUnderstood?.();
    this.#notUnderstood += 1;
    const now = performance.now();
    if (now - this.#loggedAtMs >= LOG_INTERVAL_MS) {
      this.#options.log.warn(
        { messages: this.#notUnderstood },
        'doorbell messages could not be understood; reading the logs instead',
      );
      this.#loggedAtMs = now;
      this.#notUnderstood = 0;
    }
    this.#miss();
  }
}
