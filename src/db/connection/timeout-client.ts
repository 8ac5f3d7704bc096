import pg from 'pg';

/**
 * Default timeout: a connection that does not answer a query for this long counts as dead, for example after
 * a network route was lost.
 */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Error for a query that was not answered in time. The query's outcome is unknown: it may have taken effect.
 */
export class QueryTimeoutError extends Error {
  constructor(timeoutMs: number) {
    super(`the database did not answer within ${timeoutMs / 1_000} s`);
  }
}

type Callback = (error: Error | null, result?: unknown) => void;
type Send = (this: pg.Client, config: unknown, values: unknown, callback: Callback) => void;

/**
 * PostgreSQL client that destroys its connection when a query is not answered in time. The driver's own
 * timeout and promises are not used, because the driver assigns closures to properties: V8 allocates those in
 * old space together with all rows that they reference, which stay there until the next full garbage
 * collection.
 */
export class QueryTimeoutClient extends pg.Client {
  readonly #answerTimeoutMs: number;

  /** `answerTimeoutMs` is the timeout per query; 0 means no timeout. */
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

  /** Hook for subclasses: called with the error of every statement that fails. */
  protected onFailure(_error: Error): void {}

  #inTime(callback: Callback): Callback {
    const timeoutMs = this.#answerTimeoutMs;
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            callback(new QueryTimeoutError(timeoutMs));
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
 * Rethrows a driver's error with a stack trace that contains the caller. The driver's own stack trace ends at
 * the code that reads the server's answer.
 */
function thrownHere(error: Error): never {
  Error.captureStackTrace(error, thrownHere);
  throw error;
}
