import { EventEmitter } from 'node:events';
import { type SQL, sql } from 'drizzle-orm';
// This import must stay above graphile-worker: it sets HOME, which graphile-worker reads when it is loaded.
import '../../postgres/home-folder.ts';
import { Logger, runMigrations, runOnce, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { Queryable } from '../connection/client.ts';
import { GatewayPool } from '../connection/pools.ts';
import { lookups, providerBudget, sessions } from '../schema/tables.ts';

/**
 * Number of reconcile jobs (polls of the provider) that one replica runs at a time. Few suffice, because a
 * job mostly waits for the call budget.
 */
const CONCURRENCY = 2;
/**
 * Maximum number of queued jobs. Other due sessions and look-ups stay in their tables, so that a job that
 * becomes urgent need not wait behind many others.
 */
const MAX_QUEUED_JOBS = 6;
/**
 * A job that has been locked for longer than this counts as left by a crashed replica: even three attempts to
 * call the provider, each with its wait for the budget and its timeout, take less time.
 */
const ABANDONED_AFTER = '5 minutes';

/**
 * Queues a reconcile job (poll of the provider) for each due session and look-up, urgent ones first. The job
 * key allows one job per verification (idempotent). If a job is lost, the next call queues it again, because
 * the rows of sessions and look-ups still say that they are due.
 */
export async function enqueueDueReconcileJobs(db: Queryable, now: Date): Promise<void> {
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
 * Returns a function that runs queued jobs until no job is ready. That function rejects if the database is
 * unavailable, and may be called again later: a job left locked by a worker that lost its connection is
 * unlocked by the next call.
 */
export function createReconcileQueueDrainer(
  pool: pg.Pool,
  reconcile: (verificationId: string) => Promise<void>,
): () => Promise<void> {
  const failed = new Set<string>();
  const events: WorkerEvents = new EventEmitter();
  // These events are the only way in which graphile-worker reports failed workers.
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
 * Unlocks all jobs that workers hold. After a failover or a restore, the database may show a job as running
 * although its worker has finished it. A job that is in fact still running then runs twice, which is harmless
 * (idempotent).
 */
export async function unlockAllJobs(db: Queryable): Promise<void> {
  await db.write(sql`select graphile_worker.force_unlock_workers(array(
    select distinct locked_by from graphile_worker.jobs where locked_by is not null))`);
}

/** Creates or migrates the tables of the job queue (graphile-worker). Needs the database owner's rights. */
export async function migrateJobQueue(url: string): Promise<void> {
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
 * Logger that drops everything: graphile-worker would log errors together with their data. The errors that
 * matter are logged elsewhere.
 */
const SILENT = new Logger(() => () => {});
