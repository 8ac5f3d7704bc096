import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { computePollLoad } from '../../db/sessions/sessions.ts';
import type { PollPace } from '../../domain/polling.ts';

const COUNT_INTERVAL_MS = 30_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

interface Dependencies {
  readonly db: Database;
  readonly pollsPerMinute: number;
  /** Minutes after the start of a meeting at which the meeting counts as missed if no call has begun. */
  readonly meetingGraceMinutes: number;
  /**
   * Days for which the provider is asked whether it agrees with a decision made here. Counted from the decision or
   * the end of the link, whichever is later.
   */
  readonly confirmDays: number;
  readonly log: Logger;
}

/**
 * Computes the fair share: the time in which the call budget allows one poll of every session. The polling
 * policy derives the interval between two polls of a session from the fair share.
 */
export class PollFairShare {
  readonly #dependencies: Dependencies;
  readonly #counting: NodeJS.Timeout;
  #sessions = 0;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#counting = setInterval(() => void this.#count(), COUNT_INTERVAL_MS);
    void this.#count();
  }

  /** Returns the intervals and grace periods from which the times of polls are computed. */
  get pace(): PollPace {
    const { pollsPerMinute, meetingGraceMinutes, confirmDays } = this.#dependencies;
    return {
      fairShareMs: (this.#sessions / pollsPerMinute) * MINUTE_MS,
      meetingGraceMs: meetingGraceMinutes * MINUTE_MS,
      confirmMs: confirmDays * DAY_MS,
    };
  }

  stop(): void {
    clearInterval(this.#counting);
  }

  async #count(): Promise<void> {
    try {
      this.#sessions = await computePollLoad(this.#dependencies.db);
    } catch (error) {
      this.#dependencies.log.warn(
        { err: error },
        'could not count the polled sessions; using the last count',
      );
    }
  }
}
