/**
 * How long a subscription lasts. Its frames go straight to their sink, so this yields none: it ends when the
 * subscription does, which is what GraphQL's transports wait for.
 */
export class Lifetime implements AsyncIterableIterator<never> {
  #end: (() => void) | null;
  readonly #ended: Promise<IteratorResult<never, undefined>>;
  #settle: (result: IteratorResult<never, undefined>) => void = () => {};

  /** `end` releases what the subscription holds; it is called once. */
  constructor(end: () => void) {
    this.#end = end;
    this.#ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<never, undefined>> {
    return this.#ended;
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#end?.();
    this.#end = null;
    this.#settle({ done: true, value: undefined });
    return this.#ended;
  }
}
