import type { Logger } from 'pino';

/** Releases one resource: closes it, or waits until its unfinished work is done. */
export type ReleaseResource = () => unknown;

/**
 * Registry of the resources that the gateway opened. Each part registers a release function when it opens a
 * resource. `stop` runs the release functions in reverse order, so that a resource is closed only after the
 * parts that use it.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #releases: ReleaseResource[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  onStop(release: ReleaseResource): void {
    this.#releases.push(release);
  }

  /**
   * Runs all release functions. Further calls return the promise of the first call. Never rejects: a failed
   * release is logged.
   */
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
