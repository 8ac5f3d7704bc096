import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';

export type Database = NodePgDatabase;
/** A transaction of `Database`; every statement accepts either. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];
export type Queryable = Database | Transaction;

const CONNECT_TIMEOUT_MS = 10_000;

export interface Connection {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** A pool of connections. `onError` hears of idle connections that broke; the pool replaces them by itself. */
export function connect(url: string, poolSize: number, onError: (error: Error) => void): Connection {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'vkyc-gateway',
  });
  pool.on('error', onError);
  // The pool only listens to idle connections: one that breaks while in use would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  const db = drizzle(pool);
  // Drizzle's own does not give a connection back on which even `begin` failed.
  db.transaction = async (work, config) => {
    const client = await pool.connect();
    try {
      return await drizzle(client).transaction(work, config);
    } finally {
      client.release();
    }
  };
  return { db, pool, close: () => pool.end() };
}
