import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { Logger } from 'pino';
import { faultOf } from './faults.ts';
import { GatewayPool, WritePool } from './pools.ts';
import type { Statement } from './prepared.ts';
import { StatisticsPool } from './statistics.ts';
import { type WatchTimings, WriteWatch } from './write-watch.ts';

/** What queries and transactions have in common: the way of statements that write. */
interface Writer {
  /** Of prepared statements that write. */
  readonly $writer: pg.Pool | pg.PoolClient;
  /** Like `execute`, for a statement that writes. */
  readonly write: NodePgDatabase['execute'];
}

/**
 * Queries by way of the pools. Statements that read go by one of their own (`select`, `execute`, `$client`), so that
 * writes that hang never keep them waiting; `insert`, `update`, `delete`, `write`, `$writer` and transactions by the other.
 */
export interface Database extends Omit<NodePgDatabase, 'transaction'>, Writer {
  readonly $client: pg.Pool;
  /** Commits what `work` does, or rolls it back if it throws. `begin` is the statement that begins the transaction. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, begin?: string): Promise<Result>;
}
/** A transaction of `Database`; every statement accepts either. */
export interface Transaction extends Omit<NodePgDatabase, 'transaction'>, Writer {
  readonly $client: pg.PoolClient;
  /** Pipelines a statement without awaiting it. Later statements run after it; the transaction commits only if it succeeds. */
  start(write: Statement | Promise<unknown>): void;
}
export type Queryable = Database | Transaction;

/** Connections that watch the database: one tries writes, and may hang; one looks at it then; one is for readiness and metrics. */
const WATCHING = 3;
/** Connections for statistics: one for answers, one for what is counted in the background. */
const FOR_STATISTICS = 2;

export interface Connection {
  readonly db: Database;
  /** The pool of writes, by which any statement may go. */
  readonly pool: WritePool;
  readonly pools: {
    readonly reads: GatewayPool;
    readonly writes: WritePool;
    /** For questions whether the database is well, which must be answered whatever the others wait for. */
    readonly watching: GatewayPool;
  };
  /** For statements that count many rows; see `StatisticsPool`. */
  readonly statistics: StatisticsPool;
  /** Begins to watch whether the database takes writes; see `WriteWatch`. */
  watchWrites(log: Logger, timings?: Partial<WatchTimings>): WriteWatch;
  close(): Promise<void>;
}

interface ConnectOptions {
  /** See `GatewayPool`. */
  readonly answerTimeoutMs?: number;
}

/**
 * Pools of connections: of `poolSize` half for writes and half for reads, at least one each, three more to watch the
 * database and two for statistics. They are opened when they are needed. `onError` is told of connections that broke, and are replaced.
 */
export function connect(
  url: string,
  poolSize: number,
  onError: (error: Error) => void,
  { answerTimeoutMs }: ConnectOptions = {},
): Connection {
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
  const statistics = new StatisticsPool({
    // The statements have timeouts of their own on the server.
    pool: new GatewayPool({
      ...options,
      name: 'vkyc-gateway statistics',
      size: FOR_STATISTICS,
      answerTimeoutMs: 0,
    }),
    watching,
  });
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
    pools: { reads, writes, watching },
    statistics,
    watchWrites(log, timings = {}) {
      writes.watch = new WriteWatch({ pool: watching, log, timings });
      return writes.watch;
    },
    async close() {
      writes.watch?.stop();
      // It cancels by way of the connections that watch.
      await statistics.close();
      await Promise.all([reads.close(), writes.close(), watching.close()]);
    },
  };
}

/** Unlike drizzle's own: does not wait for `begin`, and drops a connection on which even the rollback failed. */
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
