import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Statement } from './prepared.ts';
import { QueryTimeout, TimelyClient } from './timely-client.ts';

/** Queries by way of the pool; `transaction` gives what it is given a connection of its own. */
export interface Database extends Omit<NodePgDatabase, 'transaction'> {
  readonly $client: pg.Pool;
  /** Commits what `work` does, or undoes it where it throws. `begin` is the statement that begins it. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, begin?: string): Promise<Result>;
}
/** A transaction of `Database`; every statement accepts either. */
export interface Transaction extends Omit<NodePgDatabase, 'transaction'> {
  readonly $client: pg.PoolClient;
  /**
   * Sends a statement, or takes one that was sent, and goes on: what is sent later comes after it, and without it nothing
   * is committed.
   */
  start(write: Statement | Promise<unknown>): void;
}
export type Queryable = Database | Transaction;

const CONNECT_TIMEOUT_MS = 10_000;
const PROBE_AFTER_MS = 10_000;
/** A new connection has everything to plan anew, which takes a burst's first requests tens of milliseconds. */
const IDLE_TIMEOUT_MS = 600_000;

export interface Connection {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Drizzle wraps what the driver says. */
const isTimeout = (error: unknown): boolean =>
  error instanceof QueryTimeout || (error instanceof Error && isTimeout(error.cause));

/** A pool of connections. `onError` hears of idle connections that broke; the pool replaces them by itself. */
export function connect(url: string, poolSize: number, onError: (error: Error) => void): Connection {
  const pool = new pg.Pool({
    Client: TimelyClient,
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBE_AFTER_MS,
    application_name: 'vkyc-gateway',
    // A transaction's statements do not wait for each other's answers, only the code for those that it needs.
    pipeline: true,
  });
  pool.on('error', onError);
  // The pool only listens to idle connections: one that breaks while in use would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  const db = Object.assign(drizzle(pool), { transaction: transactionsOf(pool) });
  return { db, pool, close: () => pool.end() };
}

/** Drizzle's own waits for `begin`, and does not give a connection back on which even that failed. */
function transactionsOf(pool: pg.Pool): Database['transaction'] {
  const opened = new WeakMap<pg.PoolClient, Opened>();
  return async (work, begin = 'begin') => {
    const client = await pool.connect();
    const { tx, started } = opened.get(client) ?? open(client);
    opened.set(client, { tx, started });
    let broken: Error | boolean = false;
    try {
      const begun = client.query(begin);
      // Where that fails, so does what is sent after it.
      begun.catch(() => {});
      const result = await work(tx);
      // What was sent and fails turns it into a rollback.
      const committed = client.query('commit');
      await Promise.all([begun, ...started, committed]);
      if ((await committed).command !== 'COMMIT') throw new Error('The database rolled a transaction back');
      return result;
    } catch (error) {
      broken = isTimeout(error);
      if (!broken) await client.query('rollback').catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      started.length = 0;
      client.release(broken);
    }
  };
}

/** A connection's transactions come one after another: each is the same object. */
interface Opened {
  readonly tx: Transaction;
  readonly started: Promise<unknown>[];
}

function open(client: pg.PoolClient): Opened {
  const started: Promise<unknown>[] = [];
  const start: Transaction['start'] = (write) => {
    const sent: Promise<unknown> = 'then' in write ? write : client.query(write);
    sent.catch(() => {});
    started.push(sent);
  };
  return { tx: Object.assign(drizzle(client), { start }), started };
}
