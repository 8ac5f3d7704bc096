import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { Logger } from 'pino';
import { classifyDatabaseFault } from './connection-errors.ts';
import { GatewayPool, WritePool } from './pools.ts';
import { StatisticsPool } from './statistics.ts';
import { WriteWatch, type WriteWatchTimings } from './write-watch.ts';

/** Named statement for node-postgres. Each connection prepares the text once under this name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Ways to send statements that write; part of both `Database` and `Transaction`. */
interface Writer {
  /** Pool (outside a transaction) or connection (inside one) for prepared statements that write. */
  readonly $writer: pg.Pool | pg.PoolClient;
  /** Runs an SQL statement that writes; Drizzle's `execute` on the write pool or the transaction. */
  readonly write: NodePgDatabase['execute'];
}

/**
 * Database access through two pools, so that hanging writes cannot block reads. `select`, `execute` and
 * `$client` use the read pool; `insert`, `update`, `delete`, `write`, `$writer` and transactions use the
 * write pool.
 */
export interface Database extends Omit<NodePgDatabase, 'transaction'>, Writer {
  readonly $client: pg.Pool;
  /**
   * Runs `work` in a transaction: commits, or rolls back if `work` throws. `begin` is the SQL that begins the
   * transaction, such as `begin isolation level repeatable read`.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, begin?: string): Promise<Result>;
}
/**
 * Transaction of a `Database`. Functions that may run inside or outside a transaction accept a `Queryable`.
 */
export interface Transaction extends Omit<NodePgDatabase, 'transaction'>, Writer {
  readonly $client: pg.PoolClient;
  /**
   * Pipelines a statement: sends it without awaiting the answer. Later statements run after it, and the
   * transaction commits only if it succeeds.
   */
  start(write: Statement | Promise<unknown>): void;
}
export type Queryable = Database | Transaction;

/**
 * Number of connections in the watch pool: one for write probes (test writes), which may hang; one that
 * inspects a hung probe; one for readiness and metrics.
 */
const WATCHING = 3;
/**
 * Number of connections in the statistics pool: one for clients' queries, one for counting in the background.
 */
const FOR_STATISTICS = 2;

export interface DatabasePools {
  readonly db: Database;
  /** Write pool. Any statement may use this pool, also one that reads. */
  readonly pool: WritePool;
  readonly pools: {
    readonly reads: GatewayPool;
    readonly writes: WritePool;
    /** Pool for health checks and probes, which must be answered even if the other pools are blocked. */
    readonly watching: GatewayPool;
    /** Pool for statements that count many rows. They run through `DatabasePools.statistics`. */
    readonly statistics: GatewayPool;
  };
  /** Runs statements that count many rows; see `StatisticsPool`. */
  readonly statistics: StatisticsPool;
  /** Starts to monitor, by small probe writes, whether the database accepts writes; see `WriteWatch`. */
  watchWrites(log: Logger, timings?: Partial<WriteWatchTimings>): WriteWatch;
  close(): Promise<void>;
}

interface ConnectOptions {
  /** A connection that does not answer a query for this long counts as dead; 0 means no limit. */
  readonly answerTimeoutMs?: number;
}

/**
 * Creates the connection pools: of `poolSize` connections, half for reads and half for writes, at least one
 * each; plus three watch and two statistics connections. Connections open on demand. `onError` is called when
 * a connection breaks; the pool replaces the connection.
 */
export function createDatabasePools(
  url: string,
  poolSize: number,
  onError: (error: Error) => void,
  { answerTimeoutMs }: ConnectOptions = {},
): DatabasePools {
  const forReads = Math.max(1, Math.floor(poolSize / 2));
  const options = { url, onError, ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }) };
  const reads = new GatewayPool({ ...options, name: 'vkyc-gateway reads', size: forReads });
  const writes = new WritePool({
    ...options,
    name: 'vkyc-gateway',
    size: Math.max(1, poolSize - forReads),
  });
  const watching = new GatewayPool({
    ...options,
    name: 'vkyc-gateway watch',
    size: WATCHING,
    answerTimeoutMs: 0,
  });
  const counting = new GatewayPool({
    ...options,
    name: 'vkyc-gateway statistics',
    size: FOR_STATISTICS,
    // Each statement has its own timeout on the server.
    answerTimeoutMs: 0,
  });
  const statistics = new StatisticsPool({ pool: counting, watching });
  const writer = drizzle(writes);
  const db: Database = Object.assign(drizzle(reads), {
    insert: writer.insert.bind(writer),
    update: writer.update.bind(writer),
    delete: writer.delete.bind(writer),
    write: writer.execute.bind(writer) as NodePgDatabase['execute'],
    $writer: writes,
    transaction: transactionsOf(writes),
  });
  return {
    db,
    pool: writes,
    pools: { reads, writes, watching, statistics: counting },
    statistics,
    watchWrites(log, timings = {}) {
      writes.watch = new WriteWatch({ pool: watching, log, timings });
      return writes.watch;
    },
    async close() {
      writes.watch?.stop();
      // Closing the statistics pool cancels its statements through the watch pool, so it must be closed
      // before the watch pool.
      await statistics.close();
      await Promise.all([reads.close(), writes.close(), watching.close()]);
    },
  };
}

/**
 * Creates `Database.transaction`. Unlike Drizzle's function, it pipelines `begin` (does not await the
 * answer), and discards a connection whose rollback fails.
 */
function transactionsOf(pool: WritePool): Database['transaction'] {
  const opened = new WeakMap<pg.PoolClient, Opened>();
  return async (work, begin = 'begin') => {
    const client = await pool.connect();
    const open = opened.get(client) ?? openOn(client);
    opened.set(client, open);
    return pool.giveUpIfStalled(transact(client, open, work, begin));
  };
}

async function transact<Result>(
  client: pg.PoolClient,
  open: Opened,
  work: (tx: Transaction) => Promise<Result>,
  begin: string,
): Promise<Result> {
  open.reset();
  let broken: Error | boolean = false;
  try {
    // Pipelined, not awaited: if `begin` fails, every later statement fails too.
    open.tx.start(client.query(begin));
    const result = await work(open.tx);
    // If a statement of the transaction failed, the server answers COMMIT with the command tag ROLLBACK and
    // no error.
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
}

class RolledBack extends Error {
  constructor() {
    super('the database rolled the transaction back');
  }
}

const IN_FAILED_TRANSACTION = '25P02';

/**
 * Returns whether an error only follows from an earlier failed statement in the same transaction. The earlier
 * error is then the one to report.
 */
function isConsequence(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause } = error as Error & { code?: unknown };
  return error instanceof RolledBack || code === IN_FAILED_TRANSACTION || isConsequence(cause);
}

/**
 * Returns whether the connection must be discarded after an error: its server no longer answers, or no longer
 * accepts writes.
 */
const isUseless = (error: unknown): boolean =>
  ['SILENT', 'READ_ONLY'].includes(classifyDatabaseFault(error) ?? '');

/**
 * Transaction object of one connection, reused by its consecutive transactions, with the state that `reset`
 * clears in between.
 */
interface Opened {
  readonly tx: Transaction;
  readonly started: Promise<unknown>[];
  /** Error of the first pipelined statement that failed; null if none has failed. */
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
  const own = drizzle(client);
  const write = own.execute.bind(own) as NodePgDatabase['execute'];
  return {
    tx: Object.assign(own, { start, write, $writer: client }),
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
