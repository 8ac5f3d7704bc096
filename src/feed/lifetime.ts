/**
 * How long a subscription lasts. Its frames go straight to their sink, so this iterator yields none: it ends when the
 * subscription does, which is what GraphQL's transports wait for.
 */
export class Lifetime implements AsyncIterableIterator<never> {
  #end: (() => void) | null;
  readonly #ended: Promise<IteratorResult<never, undefined>>;
  #resolve: (result: IteratorResult<never, undefined>) => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** `end` releases what the subscription holds; it is called once. */
  constructor(end: () => void) {
    this.#end = end;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before a transport waits for it.
    this.#ended.catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<never, undefined>> {
    return this.#ended;
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#release();
    this.#resolve({ done: true, value: undefined });
    return { done: true, value: undefined };
  }

  /** Ends the subscription with an error, which the transport sends to the client as the last message. */
  fail(error: Error): void {
    this.#release();
    this.#reject(error);
  }

  #release(): void {
    this.#end?.();
    this.#end = null;
  }
}
