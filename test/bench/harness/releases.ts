export type Release = () => Promise<unknown> | unknown;

/**
 * Functions that stop processes and servers of a bench. They run in reverse order of the starts, at the end or
 * when the bench is interrupted.
 */
export class Releases {
  readonly #releases: Release[] = [];

  readonly add = (release: Release): void => {
    this.#releases.push(release);
  };

  /** Runs all registered functions, even if one of them fails. */
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
