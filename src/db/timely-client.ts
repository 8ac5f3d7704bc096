import pg from 'pg';

/** A connection on which an answer takes longer is taken for dead, as behind a lost route. */
const ANSWER_TIMEOUT_MS = 20_000;

/** A query that was not answered in time; what became of it is not known. */
export class QueryTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`The database did not answer within ${timeoutMs / 1_000} s`);
  }
}

type Callback = (error: Error | null, result?: unknown) => void;
type Send = (this: pg.Client, config: unknown, values: unknown, callback: Callback) => void;

/**
 * A connection that ends with its first query that is not answered in time. The driver could do that as well, and make
 * promises too. But it assigns its functions to a property where they are written, such functions V8 makes among the old
 * objects, and all rows that they lead to are then moved there: every page that is read, until the next full collection.
 */
export class TimelyClient extends pg.Client {
  readonly #answerTimeoutMs: number;

  /** `answerTimeoutMs`: 0 waits for ever. */
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

  /** Told of every statement that fails. */
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

/** The driver's stack ends where it read the answer. */
function thrownHere(error: Error): never {
  Error.captureStackTrace(error, thrownHere);
  throw error;
}
