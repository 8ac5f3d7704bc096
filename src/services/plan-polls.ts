import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { planPolls } from '../db/jobs.ts';
import { countPolled, type SessionRow } from '../db/sessions.ts';
import type { Clock } from '../domain/ports.ts';

/** Plans of so many milliseconds go to the queue together: it takes a thousand as easily as one. */
const GATHER_MS = 100;

const COUNT_EVERY_MS = 30_000;

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly pollsPerMinute: number;
  readonly log: Logger;
}

/**
 * Tells the job queue when sessions are to be polled: after commit and in batches, since the queue rings a bell of
 * its own that all commits of the database would queue for. A plan that is lost in a crash is found again by the
 * sweep: the session itself holds its next poll.
 */
export class PollPlanner {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pollsPerMinute: number;
  readonly #counting: NodeJS.Timeout;
  #sessions = 0;
  readonly #pending = new Map<string, Date>();
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor({ db, clock, pollsPerMinute, log }: Parts) {
    this.#db = db;
    this.#clock = clock;
    this.#pollsPerMinute = pollsPerMinute;
    this.#log = log;
    this.#counting = setInterval(() => void this.#count(), COUNT_EVERY_MS);
    void this.#count();
  }

  /** The time in which the budget allows to ask about every session once. */
  get fairShareMs(): number {
    return (this.#sessions / this.#pollsPerMinute) * 60_000;
  }

  async #count(): Promise<void> {
    try {
      this.#sessions = await countPolled(this.#db);
    } catch (error) {
      this.#log.warn({ err: error }, 'the polled sessions could not be counted; the last count goes on');
    }
  }

  /** Hands over the last plans. */
  stop(): Promise<void> {
    clearInterval(this.#counting);
    return this.flush();
  }

  plan({ verificationId, nextPollAt }: Pick<SessionRow, 'verificationId' | 'nextPollAt'>): void {
    // A job that is there finds out by itself that there is nothing left to do.
    if (nextPollAt === null) return;
    this.#pending.set(verificationId, nextPollAt);
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Hands over what has gathered. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const now = this.#clock.now().getTime();
    const polls = [...this.#pending].map(([verificationId, at]) => ({
      verificationId,
      inMs: at.getTime() - now,
    }));
    this.#pending.clear();
    this.#flushing = this.#flushing
      .then(() => planPolls(this.#db, polls))
      .catch((error) =>
        this.#log.warn({ err: error }, 'polls could not be planned; the sweep will find them'),
      );
    return this.#flushing;
  }
}
