export type Release = () => Promise<unknown> | unknown;

/** What was started, to be ended in reverse: by itself, or when the bench is interrupted. */
export class Releases {
  readonly #releases: Release[] = [];

  readonly add = (release: Release): void => {
    this.#releases.push(release);
  };

  /** What fails to end does not keep the rest from ending. */
  readonly releaseAll = async (): Promise<void> => {
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        process.stderr.write(`Something could not be ended: ${error}\n`);
      }
    }
  };
}
