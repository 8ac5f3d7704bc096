/** The last result of a subscription that ends by itself. */
export interface Ending {
  readonly errors: readonly Error[];
}

/**
 * How long a subscription lasts. Its frames go straight to their sink, so this iterator yields none of them: it ends when
 * the subscription does, which is what GraphQL's transports wait for. Only a subscription that cannot go on yields a
 * result, the error that says why, before it ends.
 */
export class Lifetime implements AsyncIterableIterator<Ending> {
  #release: (() => void) | null;
  readonly #over: Promise<void>;
  #end: () => void = () => {};
  #ending: Ending | null = null;

  /** `release` lets go of what the subscription holds; it is called once. */
  constructor(release: () => void) {
    this.#release = release;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Ending, undefined>> {
    await this.#over;
    const value = this.#ending;
    this.#ending = null;
    return value ? { done: false, value } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Ending, undefined>> {
    this.#ending = null;
    this.#finish();
    return { done: true, value: undefined };
  }

  /** Ends the subscription with an error, which the transport sends to the client as the last result. */
  fail(error: Error): void {
    if (!this.#release) return;
    this.#ending = { errors: [error] };
    this.#finish();
  }

  #finish(): void {
    this.#release?.();
    this.#release = null;
    this.#end();
  }
}
