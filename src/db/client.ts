import { setTimeout as delay } from 'node:timers/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { faultOf } from './faults.ts';
import type { Statement } from './prepared.ts';
import { TimelyClient } from './timely-client.ts';

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
const FAREWELL_TIMEOUT_MS = 1_000;
/** A new connection has everything to plan anew, which takes a burst's first requests tens of milliseconds. */
const IDLE_TIMEOUT_MS = 600_000;

export interface Connection {
  readonly db: Database;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

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
  pool.on('connect', turnJitOff);
  const db = Object.assign(drizzle(pool), { transaction: transactionsOf(pool) });
  return { db, pool, close: closerOf(pool) };
}

/**
 * Closes a pool, and its connections: `end` alone resolves while their farewells are still under way, and a server that
 * is stopped then breaks them, as if it had failed.
 */
function closerOf(pool: pg.Pool): () => Promise<void> {
  const open = new Map<pg.PoolClient, Promise<void>>();
  pool.on('connect', (client) => {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    open.set(
      client,
      ended.then(() => void open.delete(client)),
    );
  });
  return async () => {
    await pool.end();
    await Promise.race([Promise.all(open.values()), delay(FAREWELL_TIMEOUT_MS, null, { ref: false })]);
  };
}

/**
 * Turns just-in-time compilation off for the connection. It is on by default, compiles a plan again on every call, and
 * takes 100 ms and more where the gateway's longest statements run for a fraction of that. Servers without JIT ignore it.
 */
function turnJitOff(client: pg.PoolClient): void {
  // If the connection fails here, the statement after this one says so.
  client.query('set jit = off').catch(() => {});
}

/** Unlike drizzle's own: does not wait for `begin`, and drops a connection on which even the rollback failed. */
function transactionsOf(pool: pg.Pool): Database['transaction'] {
  const opened = new WeakMap<pg.PoolClient, Opened>();
  return async (work, begin = 'begin') => {
    const client = await pool.connect();
    const open = opened.get(client) ?? openOn(client);
    opened.set(client, open);
    open.reset();
    let broken: Error | boolean = false;
    try {
      // If `begin` fails, so does every statement after it.
      open.tx.start(client.query(begin));
      const result = await work(open.tx);
      // The server answers with ROLLBACK if a statement of the transaction failed.
      const committed = client.query('commit');
      await Promise.all([...open.started, committed]);
      if ((await committed).command !== 'COMMIT') throw new RolledBack();
      return result;
    } catch (error) {
      const cause = isConsequence(error) ? (open.firstFailure ?? error) : error;
      broken = isUseless(cause);
      if (!broken) await client.query('rollback').catch((failure: Error) => (broken = failure));
      throw cause;
    } finally {
      open.reset();
      client.release(broken);
    }
  };
}

class RolledBack extends Error {
  constructor() {
    super('The database rolled a transaction back');
  }
}

const IN_FAILED_TRANSACTION = '25P02';

/** Whether an error only says that an earlier statement of the transaction failed. */
function isConsequence(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause } = error as Error & { code?: unknown };
  return error instanceof RolledBack || code === IN_FAILED_TRANSACTION || isConsequence(cause);
}

/** Whether a connection is of no more use after an error: it fell silent, or its server takes no more writes. */
const isUseless = (error: unknown): boolean => ['SILENT', 'READ_ONLY'].includes(faultOf(error) ?? '');

/** What the transactions of one connection share, which come one after another. */
interface Opened {
  readonly tx: Transaction;
  readonly started: Promise<unknown>[];
  /** Of what was sent and not waited for. */
  readonly firstFailure: Error | null;
  reset(): void;
}

function openOn(client: pg.PoolClient): Opened {
  const started: Promise<unknown>[] = [];
  let firstFailure: Error | null = null;
  const start: Transaction['start'] = (write) => {
    const sent: Promise<unknown> = 'then' in write ? write : client.query(write);
    sent.catch((error: Error) => {
      firstFailure ??= error;
    });
    started.push(sent);
  };
  return {
    tx: Object.assign(drizzle(client), { start }),
    started,
    get firstFailure() {
      return firstFailure;
    },
    reset() {
      started.length = 0;
      firstFailure = null;
    },
  };
}
