import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { countPolled } from '../db/sessions.ts';

const COUNT_EVERY_MS = 30_000;

interface Parts {
  readonly db: Database;
  readonly pollsPerMinute: number;
  readonly log: Logger;
}

/**
 * Computes the fair share: the time that the call budget needs to poll every session once. The polling policy
 * uses it as an interval.
 */
export class PollingPace {
  readonly #parts: Parts;
  readonly #counting: NodeJS.Timeout;
  #sessions = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#counting = setInterval(() => void this.#count(), COUNT_EVERY_MS);
    void this.#count();
  }

  get fairShareMs(): number {
    return (this.#sessions / this.#parts.pollsPerMinute) * 60_000;
  }

  stop(): void {
    clearInterval(this.#counting);
  }

  async #count(): Promise<void> {
    try {
      this.#sessions = await countPolled(this.#parts.db);
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the polled sessions could not be counted; the last count stands');
    }
  }
}
