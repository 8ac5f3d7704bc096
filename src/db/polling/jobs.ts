import { EventEmitter } from 'node:events';
import { type SQL, sql } from 'drizzle-orm';
// Must come first: sets HOME, which graphile-worker needs when it is loaded.
import '../../postgres/home-folder.ts';
import { Logger, runMigrations, runOnce, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { Queryable } from '../connection/client.ts';
import { GatewayPool } from '../connection/pools.ts';
import { lookups, providerBudget, sessions } from '../schema/tables.ts';

/**
 * Number of jobs that one replica runs at a time. Most of the time they wait until the call budget allows a
 * call.
 */
const CONCURRENCY = 2;
/**
 * Maximum number of queued jobs. Further due sessions and look-ups stay in their tables, so that an urgent
 * job need not wait behind them.
 */
const MAX_QUEUED_JOBS = 6;
/**
 * A job that is locked for longer than this belonged to a crashed replica: a job's three attempts with their
 * waits take less time.
 */
const ABANDONED_AFTER = '5 minutes';

/**
 * Queues due sessions and look-ups, urgent ones first, as one job per verification (idempotent by its job
 * key). A lost job is queued again, because the rows of sessions and look-ups still say that they are due.
 */
export async function enqueueDueJobs(db: Queryable, now: Date): Promise<void> {
  const due = (from: SQL, at: SQL, urgent: boolean) => sql`
    (select verification_id, ${at} as due_at, ${urgent}::boolean as urgent from ${from} and ${at} <= ${now.toISOString()}::timestamptz
     order by ${at} limit ${MAX_QUEUED_JOBS * 2})`;
  await db.write(sql`
    with live as (
      select key, locked_at is null and run_at <= now() as ready from graphile_worker.jobs
      where attempts < max_attempts and (locked_at is null or locked_at > now() - ${ABANDONED_AFTER}::interval)
    ),
    chosen as (
      -- A session may be due in two ways; add_jobs fails if one statement adds its job twice.
      select verification_id, bool_or(urgent) as urgent, min(due_at) as due_at from (
        ${due(sql`${sessions} where unsettled`, sql`next_poll_at`, true)}
        union all ${due(sql`${lookups} where true`, sql`due_at`, true)}
        union all ${due(sql`${sessions} where not unsettled`, sql`next_poll_at`, false)}
      ) due
      where not exists (select 1 from live where live.key = 'reconcile:' || due.verification_id)
        and not exists (
          select 1 from ${providerBudget} where greatest(calls_paused_until, polls_paused_until) > clock_timestamp()
        )
      group by verification_id
      order by urgent desc, due_at
      limit greatest(0, ${MAX_QUEUED_JOBS}::int - (select count(*)::int from live where ready))
    )
    select graphile_worker.add_jobs(array(
      select ('reconcile', json_build_object('verificationId', verification_id), null, null, null,
        'reconcile:' || verification_id, case when urgent then -1 else 0 end, null)::graphile_worker.job_spec
      from chosen order by urgent desc, due_at
    )) from (select 1 from chosen limit 1) as anything_due`);
}

/**
 * Returns a function that runs queued jobs until none is ready. It rejects if the database is unavailable;
 * call it again later. A worker that lost its connection may leave a job locked; the next call unlocks it.
 */
export function createJobRunner(
  pool: pg.Pool,
  reconcile: (verificationId: string) => Promise<void>,
): () => Promise<void> {
  const failed = new Set<string>();
  const events: WorkerEvents = new EventEmitter();
  // graphile-worker reports failed workers only by these events.
  events.on('worker:fatalError', ({ worker }) => failed.add(worker.workerId));
  events.on('worker:getJob:error', ({ worker }) => failed.add(worker.workerId));

  return async () => {
    if (failed.size > 0) {
      const workers = [...failed];
      await pool.query('select graphile_worker.force_unlock_workers($1)', [workers]);
      for (const worker of workers) failed.delete(worker);
    }
    await runOnce({
      pgPool: pool,
      logger: SILENT,
      events,
      concurrency: CONCURRENCY,
      noHandleSignals: true,
      taskList: {
        reconcile: (payload) => reconcile((payload as { verificationId: string }).verificationId),
      },
    });
  };
}

/**
 * Unlocks all jobs held by workers. After a failover or a restore, the database may show a job as running
 * that its worker has finished. A job that is really still running then runs twice, which is harmless
 * (idempotent).
 */
export async function releaseJobs(db: Queryable): Promise<void> {
  await db.write(sql`select graphile_worker.force_unlock_workers(array(
    select distinct locked_by from graphile_worker.jobs where locked_by is not null))`);
}

/** Migrates the queue's own tables. Needs the database owner's rights. */
export async function migrateJobs(url: string): Promise<void> {
  const pool = new GatewayPool({
    url,
    size: 1,
    name: 'vkyc-gateway migrations',
    onError: () => {},
    answerTimeoutMs: 0,
  });
  try {
    await runMigrations({ pgPool: pool, logger: SILENT });
  } finally {
    await pool.close();
  }
}

/**
 * Silences graphile-worker's log, which prints errors with their data. The errors that matter are logged
 * elsewhere.
 */
const SILENT = new Logger(() => () => {});
