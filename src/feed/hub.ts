import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { type FeedRow, feedAfter, newestInFeed, numberCommitted, positionOf } from '../db/feed.ts';
import { findSessions } from '../db/sessions.ts';
import { type LogRow, logAfter } from '../db/transitions.ts';
import type { Doorbell } from '../domain/ports.ts';
import { CursorError, LOG_START, type LogPlace } from './cursor.ts';
import { Tail } from './tail.ts';

/** Doorbells may get lost: everything is looked at by itself this often. */
const LOOK_EVERY_MS = 2_000;
/** How soon to try again while another replica gives out positions. */
const NUMBERING_RETRY_MS = 3;
/** A place that has no position after this long is not in the log. */
const NUMBERING_DEADLINE_MS = 10_000;
const NUMBERING_BATCH = 1_000;

/** From the log to its subscribers: of one session, or of all in the order of the feed. */
export class Hub {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #feed: Tail<FeedRow>;
  readonly #sessions = new Map<string, { tail: Tail<LogRow>; subscribers: number }>();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #pass: Promise<void> = Promise.resolve();
  #nextPass: Promise<void> | null = null;
  #stopped = false;

  constructor({ db, doorbell, log }: { db: Database; doorbell: Doorbell; log: Logger }) {
    this.#db = db;
    this.#log = log;
    this.#feed = new Tail(
      { read: (after, limit) => feedAfter(db, after, limit), numberOf: (row) => row.position },
      this.#complain,
    );
    this.#stopListening = doorbell.listen((sessionId) => {
      this.#sessions.get(sessionId)?.tail.wake();
      void this.#number();
    });
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#look();
  }

  /** One session's transitions after a sequence. Needs nothing but that session's log. */
  followSession(sessionId: string, sequence: number): AsyncIterableIterator<LogRow> {
    const entry = this.#sessions.get(sessionId) ?? {
      tail: new Tail<LogRow>(
        {
          read: (after, limit) => logAfter(this.#db, sessionId, after, limit),
          numberOf: (row) => row.sequence,
        },
        this.#complain,
      ),
      subscribers: 0,
    };
    entry.subscribers += 1;
    this.#sessions.set(sessionId, entry);
    return onReturn(entry.tail.follow(sequence), () => {
      entry.subscribers -= 1;
      if (entry.subscribers === 0) this.#sessions.delete(sessionId);
    });
  }

  /** All sessions' transitions after a place in the log; null: from now on. */
  async followAll(after: LogPlace | null): Promise<AsyncIterableIterator<LogRow>> {
    return this.#feed.follow(await this.#positionAfter(after ?? (await this.newest())));
  }

  /** The newest place in the order over all sessions: at or after everything that was committed before the call. */
  async newest(): Promise<LogPlace> {
    await this.#number();
    return (await newestInFeed(this.#db)) ?? LOG_START;
  }

  /** A place whose transition was just recorded may have no position yet: it is milliseconds away. */
  async #positionAfter({ sessionId, sequence }: LogPlace): Promise<number> {
    if (sessionId === LOG_START.sessionId) return 0;
    const deadline = performance.now() + NUMBERING_DEADLINE_MS;
    while (!this.#stopped && performance.now() < deadline) {
      const position = await positionOf(this.#db, sessionId, Math.max(sequence, 1));
      if (position !== null) return sequence === 0 ? position - 1 : position;
      await this.#number();
    }
    throw new CursorError(
      'EXPIRED',
      'The log no longer has what this cursor names: query again and go on from there.',
    );
  }

  /**
   * Gives positions to what is committed by now, then tells the feed's subscribers. Callers share passes: one that
   * is under way may have looked too early, so it is the next that counts, however many come after it.
   */
  #number(): Promise<void> {
    this.#nextPass ??= this.#pass.then(() => {
      this.#nextPass = null;
      this.#pass = this.#numberAll().catch(this.#complain);
      return this.#pass;
    });
    return this.#nextPass;
  }

  async #numberAll(): Promise<void> {
    while (!this.#stopped) {
      const numbered = await numberCommitted(this.#db, NUMBERING_BATCH);
      if (numbered !== null) this.#feed.wake();
      if (numbered !== null && numbered < NUMBERING_BATCH) return;
      if (numbered === null) await new Promise((resolve) => setTimeout(resolve, NUMBERING_RETRY_MS));
    }
  }

  /** What doorbells did not tell, in two statements however many subscribers there are. */
  #look(): void {
    void this.#number();
    const watched = [...this.#sessions.keys()];
    if (watched.length === 0) return;
    findSessions(this.#db, watched)
      .then((rows) => {
        for (const row of rows) {
          const tail = this.#sessions.get(row.id)?.tail;
          if (tail && tail.head < row.lastSequence) tail.wake();
        }
      })
      .catch(this.#complain);
  }

  readonly #complain = (error: unknown): void => {
    if (!this.#stopped) this.#log.warn({ err: error }, 'the feed could not be read; it will be tried again');
  };

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    clearInterval(this.#timer);
    await this.#pass;
  }
}

/** Calls `done` once, however the subscription ends. */
function onReturn<T>(source: AsyncIterableIterator<T>, done: () => void): AsyncIterableIterator<T> {
  let left = false;
  const leave = () => {
    if (!left) done();
    left = true;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await source.next();
      if (result.done) leave();
      return result;
    },
    async return() {
      leave();
      return (await source.return?.()) ?? { done: true, value: undefined };
    },
  };
}
