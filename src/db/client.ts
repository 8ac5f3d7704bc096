import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PgTransactionConfig } from 'drizzle-orm/pg-core';
import pg from 'pg';

/** Queries by way of the pool; `transaction` gives what it is given a connection of its own. */
export interface Database extends Omit<NodePgDatabase, 'transaction'> {
  readonly $client: pg.Pool;
  transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    config?: PgTransactionConfig,
  ): Promise<Result>;
}
/** A transaction of `Database`; every statement accepts either. */
export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0] & {
  readonly $client: pg.PoolClient;
};
export type Queryable = Database | Transaction;

const CONNECT_TIMEOUT_MS = 10_000;
/** A connection on which an answer takes longer is taken for dead, as behind a lost route. */
const QUERY_TIMEOUT_MS = 20_000;
const PROBE_AFTER_MS = 10_000;

export interface Connection {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** The driver's words, which drizzle wraps. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.message === 'Query read timeout' || isTimeout(error.cause));

/** A pool of connections. `onError` hears of idle connections that broke; the pool replaces them by itself. */
export function connect(url: string, poolSize: number, onError: (error: Error) => void): Connection {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBE_AFTER_MS,
    application_name: 'vkyc-gateway',
  });
  pool.on('error', onError);
  // The pool only listens to idle connections: one that breaks while in use would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  // Drizzle's own does not give a connection back on which even `begin` failed.
  const transaction: Database['transaction'] = async (work, config) => {
    const client = await pool.connect();
    let dead = false;
    try {
      return await drizzle(client).transaction((tx) => work(Object.assign(tx, { $client: client })), config);
    } catch (error) {
      dead = isTimeout(error);
      throw error;
    } finally {
      client.release(dead);
    }
  };
  const db = Object.assign(drizzle(pool), { transaction });
  return { db, pool, close: () => pool.end() };
}
