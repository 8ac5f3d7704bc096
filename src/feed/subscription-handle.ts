/** Last result of a subscription that the gateway ends with an error. */
export interface Ending {
  readonly errors: readonly Error[];
}

/**
 * Iterator that GraphQL's transports hold for as long as a subscription lasts. Frames go straight to the
 * sink, so the iterator yields none of them. It ends when the subscription ends; if the gateway has to end
 * the subscription, the iterator first yields one result with the error.
 */
export class SubscriptionHandle implements AsyncIterableIterator<Ending> {
  #release: (() => void) | null;
  readonly #over: Promise<void>;
  #end: () => void = () => {};
  #ending: Ending | null = null;

  /** `release` frees what the subscription holds; it is called once. */
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
