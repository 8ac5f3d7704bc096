import type { Logger } from 'pino';

/** Releases one resource: closes it, or waits until its unfinished work is done. */
export type Release = () => unknown;

/**
 * Resources of the gateway in the order in which they were opened. Each part registers a release when it opens a
 * resource; `stop` runs the releases in reverse, so that nothing is closed while something that uses it still runs.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #releases: Release[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  onStop(release: Release): void {
    this.#releases.push(release);
  }

  /** Runs all releases. Further calls return the promise of the first. Never rejects: a failed release is logged. */
  stop(): Promise<void> {
    this.#stopping ??= this.#releaseAll();
    return this.#stopping;
  }

  async #releaseAll(): Promise<void> {
    for (const release of this.#releases.reverse()) {
      try {
        await release();
      } catch (error) {
        this.#log.error({ err: error }, 'could not stop a component cleanly; stopping the others');
      }
    }
  }
}
