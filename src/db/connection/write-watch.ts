import type pg from 'pg';
import type { Logger } from 'pino';
import { classifyDatabaseFault, DATABASE_FAULT_TEXTS, WritesStalledError } from './connection-errors.ts';

/** Reasons why a database does not accept writes although it answers. */
export type WriteFault = 'STALLED' | 'READ_ONLY' | 'FULL';

export interface WriteWatchTimings {
  readonly lookEveryMs: number;
  /**
   * Intervals between probes (test writes): `probeEveryMs` while writes succeed, `probeAgainMs` while a fault
   * is known or suspected.
   */
  readonly probeEveryMs: number;
  readonly probeAgainMs: number;
  /** If a caller's write takes longer than this, probes follow each other at `probeAgainMs`. */
  readonly suspectAfterMs: number;
  /** If the commit of a probe takes longer than this, commits count as stalled. */
  readonly stalledAfterMs: number;
}

const TIMINGS: WriteWatchTimings = {
  lookEveryMs: 500,
  probeEveryMs: 5_000,
  probeAgainMs: 2_000,
  suspectAfterMs: 2_000,
  stalledAfterMs: 3_000,
};

/** Timeout of the query that inspects the server process of a hung probe. */
const INSPECTION_TIMEOUT_MS = 1_000;

/**
 * Write of a probe: a WAL message, which needs no table and no rights. Its commit must reach the disk and the
 * synchronous standbys. (A transaction that only takes a transaction id commits asynchronously and would
 * prove nothing.)
 */
const WRITE = `select pg_logical_emit_message(true, 'vkyc_gateway', '')`;
/**
 * Sort of about 100 kB with so little memory that PostgreSQL spills it to a temporary file, which fails if
 * the disk is full. The probe's write cannot detect a full disk, because WAL segments are allocated in
 * advance.
 */
const SPILL = `begin; select set_config('work_mem', '64kB', true);
  select count(*) from (select g from generate_series(1, 5000) g order by random() offset 0) spilled; commit`;

interface WriteWatchOptions {
  /**
   * Pool with at least two connections: one for the probe, one for inspecting a hung probe. It sets no query
   * timeout, because a probe may hang.
   */
  readonly pool: pg.Pool;
  readonly log: Logger;
  readonly timings?: Partial<WriteWatchTimings>;
}

interface Probe {
  readonly client: pg.PoolClient;
  /**
   * Process id of the probe's backend (server process), asked from the server, so that it is correct behind a
   * pooler too; null until it is known.
   */
  pid: number | null;
  stage: 'ASKING' | 'COMMITTING';
  /** Time at which the probe entered its stage (`performance.now`). */
  since: number;
}

/**
 * Monitors whether the database accepts writes, by a small test write (probe) every few seconds. If the
 * probe's commit stalls, for example because a synchronous standby is lost, all commits stall. Callers'
 * writes are then refused before they take a connection: each write that was sent and abandoned would keep a
 * backend waiting, until `max_connections` is used up and reads fail too.
 */
export class WriteWatch {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  readonly #timings: WriteWatchTimings;
  readonly #timer: NodeJS.Timeout;
  /** Writes of callers that are in flight, oldest first. */
  readonly #writes = new Set<{ readonly since: number; readonly giveUp: (error: Error) => void }>();
  #fault: WriteFault | null = null;
  #probe: Probe | null = null;
  #probing = false;
  #looking = false;
  #probedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor({ pool, log, timings }: WriteWatchOptions) {
    this.#pool = pool;
    this.#log = log;
    this.#timings = { ...TIMINGS, ...timings };
    this.#timer = setInterval(() => this.#tick(), this.#timings.lookEveryMs);
    this.#tick();
  }

  /** Reason why the database does not accept writes; null if writes succeed as far as is known. */
  get fault(): WriteFault | null {
    return this.#fault;
  }

  /**
   * Refuses a write while commits stall, since it would hang.
   * @throws {WritesStalled}
   */
  refuseIfStalled(): void {
    if (this.#fault === 'STALLED') throw new WritesStalledError();
  }

  /**
   * Returns a promise that settles like a caller's write, but rejects as soon as commits are found to stall.
   * The write itself goes on, and may still be committed later.
   */
  unlessStalled<T>(write: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry = { since: performance.now(), giveUp: reject };
      const end = () => this.#writes.delete(entry);
      this.#writes.add(entry);
      write.then(
        (result) => {
          end();
          resolve(result);
        },
        (error) => {
          end();
          const fault = classifyDatabaseFault(error);
          if (fault === 'FULL' || fault === 'READ_ONLY') this.#becomes(fault);
          reject(error);
        },
      );
    });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    if (this.#probe) hangUp(this.#probe);
  }

  #tick(): void {
    const now = performance.now();
    if (this.#probing) {
      const probe = this.#probe;
      if (!probe || now - probe.since < this.#timings.stalledAfterMs) return;
      if (probe.stage === 'COMMITTING') void this.#lookAtHungProbe(probe);
      // The probe hangs before its commit: the connection is dead or the server is down, which says nothing
      // about commits.
      else hangUp(probe);
      return;
    }
    const [oldest] = this.#writes;
    const suspicious = oldest !== undefined && now - oldest.since > this.#timings.suspectAfterMs;
    const pauseMs = this.#fault || suspicious ? this.#timings.probeAgainMs : this.#timings.probeEveryMs;
    if (now - this.#probedAt >= pauseMs) void this.#tryWrite();
  }

  async #tryWrite(): Promise<void> {
    this.#probing = true;
    try {
      this.#becomes(await this.#writeFault());
    } catch (error) {
      const fault = classifyDatabaseFault(error);
      // Other faults, such as AWAY (nothing answers), say nothing about writes, so the last known state
      // stays.
      if (fault === 'FULL' || fault === 'READ_ONLY') this.#becomes(fault);
    } finally {
      this.#probe = null;
      this.#probing = false;
      this.#probedAt = performance.now();
    }
  }

  async #writeFault(): Promise<WriteFault | null> {
    const client = await this.#pool.connect();
    const probe: Probe = { client, pid: null, stage: 'ASKING', since: performance.now() };
    const enter = (stage: Probe['stage']) => Object.assign(probe, { stage, since: performance.now() });
    this.#probe = probe;
    let broken = true;
    try {
      await client.query('begin');
      const { rows } = await client.query<{ pid: number; readOnly: boolean }>(
        `select pg_backend_pid() as pid, current_setting('transaction_read_only')::boolean as "readOnly"`,
      );
      probe.pid = rows[0]?.pid ?? null;
      if (rows[0]?.readOnly) return 'READ_ONLY';
      await client.query(WRITE);
      enter('COMMITTING');
      await client.query('commit');
      enter('ASKING');
      await client.query(SPILL);
      broken = false;
      return null;
    } finally {
      client.release(broken);
    }
  }

  /**
   * Inspects the backend (server process) of a hung probe on another connection, to tell a stalled commit
   * from a dead connection.
   */
  async #lookAtHungProbe(probe: Probe): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const question = {
        text: `select wait_event as "waitsFor" from pg_stat_activity where pid = $1 and state <> 'idle'`,
        values: [probe.pid],
        query_timeout: INSPECTION_TIMEOUT_MS,
      };
      const { rows } = await this.#pool.query<{ waitsFor: string | null }>(question);
      if (probe !== this.#probe || this.#stopped) return;
      // No such backend exists any more, so the probe's connection is dead.
      if (rows.length === 0) hangUp(probe);
      else this.#becomes('STALLED', rows[0]?.waitsFor ?? null);
    } catch (error) {
      const fault = classifyDatabaseFault(error);
      if (fault === 'AWAY' || fault === 'SILENT') hangUp(probe);
    } finally {
      this.#looking = false;
    }
  }

  #becomes(fault: WriteFault | null, waitsFor: string | null = null): void {
    const before = this.#fault;
    this.#fault = fault;
    if (fault === 'STALLED') for (const { giveUp } of this.#writes) giveUp(new WritesStalledError());
    if (before === fault || this.#stopped) return;
    if (fault === null) this.#log.info('database accepts writes again');
    else this.#log.warn({ fault, waitsFor }, `database ${DATABASE_FAULT_TEXTS[fault]}`);
  }
}

function hangUp({ client }: Probe): void {
  (client as unknown as { connection: pg.Connection }).connection.stream.destroy();
}
