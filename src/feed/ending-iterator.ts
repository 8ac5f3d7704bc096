/** Last result of a subscription that the gateway ends with an error. */
export interface EndingErrorResult {
  readonly errors: readonly Error[];
}

/**
 * Async iterator that the GraphQL transports hold for as long as a subscription lasts. Frames are sent
 * directly to the sink (socket), so the iterator yields no frames. If the gateway ends the subscription with
 * an error, the iterator yields one result with that error, and then ends.
 */
export class SubscriptionEndIterator implements AsyncIterableIterator<EndingErrorResult> {
  #release: (() => void) | null;
  readonly #over: Promise<void>;
  #end: () => void = () => {};
  #ending: EndingErrorResult | null = null;

  /** `release` frees the resources of the subscription; it is called at most once. */
  constructor(release: () => void) {
    this.#release = release;
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<EndingErrorResult, undefined>> {
    await this.#over;
    const value = this.#ending;
    this.#ending = null;
    return value ? { done: false, value } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<EndingErrorResult, undefined>> {
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
