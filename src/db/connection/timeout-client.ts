import pg from 'pg';

/** A connection that does not answer for this long counts as dead, for example after a lost route. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Error: a query was not answered in time; its outcome is unknown. */
export class QueryTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`the database did not answer within ${timeoutMs / 1_000} s`);
  }
}

type Callback = (error: Error | null, result?: unknown) => void;
type Send = (this: pg.Client, config: unknown, values: unknown, callback: Callback) => void;

/**
 * Client that destroys its connection when a query is not answered in time, and supports promises. The
 * driver's own timeout and promises are not used, because it assigns closures to properties. V8 allocates
 * such closures in old space, and all rows they reference are moved there too, where every page read would
 * stay until the next full garbage collection.
 */
export class TimeoutClient extends pg.Client {
  readonly #answerTimeoutMs: number;

  /** `answerTimeoutMs`: 0 waits forever. */
  constructor(config: pg.ClientConfig & { readonly answerTimeoutMs?: number }) {
    super(config);
    this.#answerTimeoutMs = config.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
  }

  override query(config: unknown, ...given: unknown[]): never {
    const callback = given.at(-1);
    const values = Array.isArray(given[0]) ? given[0] : undefined;
    if (typeof callback === 'function') return this.#send(config, values, callback as Callback) as never;
    const answered = new Promise((resolve, reject) =>
      this.#send(config, values, (error, result) => (error ? reject(error) : resolve(result))),
    );
    return answered.catch(thrownHere) as never;
  }

  #send(config: unknown, values: unknown, callback: Callback): void {
    (super.query as Send).call(this, config, values, this.#inTime(callback));
  }

  /** Called for every statement that fails. */
  protected onFailure(_error: Error): void {}

  #inTime(callback: Callback): Callback {
    const timeoutMs = this.#answerTimeoutMs;
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            callback(new QueryTimeout(timeoutMs));
            this.connection.stream.destroy();
          }, timeoutMs);
    return (error, result) => {
      clearTimeout(timer);
      if (error) this.onFailure(error);
      callback(error, result);
    };
  }
}

/**
 * Rethrows a driver's error with a stack trace that contains the caller; the driver's own ends where it read
 * the answer.
 */
function thrownHere(error: Error): never {
  Error.captureStackTrace(error, thrownHere);
  throw error;
}
