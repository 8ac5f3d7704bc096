import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { GatewayPool } from './pools.ts';

/** Interface of a database, transaction or connection for statistics, which only read. */
export type StatsDatabase = Pick<NodePgDatabase, 'select' | 'execute'>;

/** Function that runs a counting statement, which only reads and may take long. */
export type RunCountStatement<Figures> = (db: StatsDatabase) => Promise<Figures>;

export interface CountOptions {
  /**
   * Statement timeout, enforced by the server, so it holds even if this process cannot cancel the statement.
   */
  readonly timeoutMs: number;
  /** Aborting this signal cancels the statement on the server. */
  readonly signal: AbortSignal | null;
}

interface StatisticsPoolOptions {
  /**
   * Pool of connections for statistics only: their long statements would delay short reads in another pool.
   */
  readonly pool: GatewayPool;
  /** Pool whose connections send `pg_cancel_backend`. */
  readonly watching: pg.Pool;
}

/**
 * Runs statistics on separate connections, with a timeout. Cancels a statement when no client waits for its
 * result any more.
 */
export class StatisticsPool {
  readonly #pool: GatewayPool;
  readonly #watching: pg.Pool;
  readonly #closing = new AbortController();

  constructor({ pool, watching }: StatisticsPoolOptions) {
    this.#pool = pool;
    this.#watching = watching;
  }

  async count<Figures>(
    count: RunCountStatement<Figures>,
    { timeoutMs, signal }: CountOptions,
  ): Promise<Figures> {
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    const ending = AbortSignal.any(signals);
    const client = await this.#connect(ending);
    let cancelling: Promise<unknown> | null = null;
    let broken: Error | boolean = false;
    let pid: number | null = null;
    const cancel = () => {
      if (pid !== null)
        cancelling = this.#watching.query('select pg_cancel_backend($1)', [pid]).catch(() => {});
    };
    ending.addEventListener('abort', cancel);
    try {
      pid = await begin(client, timeoutMs);
      ending.throwIfAborted();
      const figures = await count(drizzle(client));
      await client.query('commit');
      return figures;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      ending.removeEventListener('abort', cancel);
      // Wait for a running cancellation: if it arrived late, it would cancel the next statement of this
      // connection.
      await cancelling;
      client.release(broken);
    }
  }

  /** Cancels running statements and closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#pool.close();
  }

  async #connect(ending: AbortSignal): Promise<pg.PoolClient> {
    ending.throwIfAborted();
    const connecting = this.#pool.connect();
    let onAbort = () => {};
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(ending.reason as Error);
      ending.addEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([connecting, aborted]);
    } catch (error) {
      connecting.then((client) => client.release()).catch(() => {});
      throw error;
    } finally {
      ending.removeEventListener('abort', onAbort);
    }
  }
}

/**
 * Time after which the server ends a transaction that sends nothing. A process that hangs would otherwise hold the
 * advisory lock under which it counts, and no other replica could count.
 */
const IDLE_TIMEOUT = '1min';

/**
 * Begins a read-only transaction and returns the process id of its backend (server process), asked from the
 * server: behind PgBouncer, the id that the driver knows may belong to another backend.
 */
async function begin(client: pg.PoolClient, timeoutMs: number): Promise<number> {
  await client.query(
    `begin read only; set local statement_timeout = ${Math.ceil(timeoutMs)};
     set local idle_in_transaction_session_timeout = '${IDLE_TIMEOUT}'`,
  );
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid as number;
}

const QUERY_CANCELED = '57014';

/**
 * Returns whether the error says that the server ended a statement, because of a timeout or a cancellation.
 */
export function isQueryCanceled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { code?: unknown }).code === QUERY_CANCELED || isQueryCanceled(error.cause);
}
