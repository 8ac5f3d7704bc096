export type Release = () => Promise<unknown> | unknown;

/**
 * Functions that stop what was started. They run in reverse order, at the end or when the bench is
 * interrupted.
 */
export class Releases {
  readonly #releases: Release[] = [];

  readonly add = (release: Release): void => {
    this.#releases.push(release);
  };

  /** Runs all of these functions; if one fails, the others still run. */
  readonly releaseAll = async (): Promise<void> => {
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        process.stderr.write(`A release failed: ${error}\n`);
      }
    }
  };
}
