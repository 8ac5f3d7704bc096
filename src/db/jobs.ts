import { EventEmitter } from 'node:events';
import { type SQL, sql } from 'drizzle-orm';
// First: graphile-worker needs what it does.
import './home-folder.ts';
import { Logger, runMigrations, runOnce, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { Queryable } from './client.ts';
import { GatewayPool } from './pools.ts';
import { lookups, providerBudget, sessions } from './tables.ts';

/** Jobs that one replica does at a time; most of them wait for their turn at the provider. */
const CONCURRENCY = 2;
/** So many wait in the queue: the rest waits where it is planned, so that what is urgent need not queue behind it. */
const MOST_IN_QUEUE = 6;
/** A job held longer than this belonged to a replica that died: three attempts with their waits do not take so long. */
const ABANDONED_AFTER = '5 minutes';

/**
 * Queues what is due, the urgent first: one job a verification, whoever finds it due and however often. What is
 * planned is in the rows of sessions and lookups; a job that is lost is queued again.
 */
export async function queueDue(db: Queryable, now: Date): Promise<void> {
  const due = (from: SQL, at: SQL, urgent: boolean) => sql`
    (select verification_id, ${at} as due_at, ${urgent}::boolean as urgent from ${from} and ${at} <= ${now.toISOString()}::timestamptz
     order by ${at} limit ${MOST_IN_QUEUE * 2})`;
  await db.write(sql`
    with live as (
      select key, locked_at is null and run_at <= now() as ready from graphile_worker.jobs
      where attempts < max_attempts and (locked_at is null or locked_at > now() - ${ABANDONED_AFTER}::interval)
    ),
    chosen as (
      -- A session may be due in two ways: twice in the queue's one statement would be an error.
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
      limit greatest(0, ${MOST_IN_QUEUE}::int - (select count(*)::int from live where ready))
    )
    select graphile_worker.add_jobs(array(
      select ('reconcile', json_build_object('verificationId', verification_id), null, null, null,
        'reconcile:' || verification_id, case when urgent then -1 else 0 end, null)::graphile_worker.job_spec
      from chosen order by urgent desc, due_at
    )) from (select 1 from chosen limit 1) as anything_due`);
}

/**
 * Returns a function that does what is in the queue until nothing is ready. It rejects if the database is away; call it
 * again later. A worker that lost the database may have left a job locked: the next call makes that ready again.
 */
export function createDrain(
  pool: pg.Pool,
  reconcile: (verificationId: string) => Promise<void>,
): () => Promise<void> {
  const failed = new Set<string>();
  const events: WorkerEvents = new EventEmitter();
  // The queue itself says nothing about workers that fail.
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
 * Makes all jobs ready again that a worker holds. After a failover or a restore the worker may have finished the job and
 * the database forgotten it. A job that is being done is done twice, which does no harm.
 */
export async function releaseJobs(db: Queryable): Promise<void> {
  await db.write(sql`select graphile_worker.force_unlock_workers(array(
    select distinct locked_by from graphile_worker.jobs where locked_by is not null))`);
}

/** The queue's own tables; as the database's owner. */
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

/** The queue's own log repeats errors with all that they hold; those that matter are logged where they happen. */
const SILENT = new Logger(() => () => {});
