import type { Logger } from 'pino';
import type { Database } from '../../db/connection/client.ts';
import { correctStoredDeadlines } from '../../db/sessions/deadlines.ts';
import type { DeadlineMinutes } from '../../domain/deadlines.ts';

const INTERVAL_MS = 60_000;
/** Number of sessions that one statement corrects, so that it holds their row locks only briefly. */
const BATCH = 500;

interface Dependencies {
  readonly db: Database;
  readonly deadlines: DeadlineMinutes;
  readonly log: Logger;
}

/**
 * Corrects stored deadlines at the start and every minute: the settings may have changed since, and a replica of the
 * last release stores none during a rolling deploy. Replicas may do it at the same time (SKIP LOCKED).
 */
export class DeadlineCorrector {
  readonly #dependencies: Dependencies;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#timer = setInterval(() => this.#correct(), INTERVAL_MS);
    this.#correct();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #correct(): void {
    const { log } = this.#dependencies;
    this.#running ??= this.#correctAll()
      .catch((error) => log.warn({ err: error }, 'could not correct stored deadlines; retrying in a minute'))
      .finally(() => {
        this.#running = null;
      });
  }

  async #correctAll(): Promise<void> {
    const { db, deadlines } = this.#dependencies;
    while (!this.#stopped && (await correctStoredDeadlines(db, deadlines, BATCH)) === BATCH);
  }
}
