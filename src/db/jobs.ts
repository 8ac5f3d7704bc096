import { sql } from 'drizzle-orm';
import { Logger, parseCronItems, run, runMigrations } from 'graphile-worker';
import type pg from 'pg';
import type { Logger as Log } from 'pino';
import type { Queryable } from './client.ts';
import { sessions, startIntents } from './tables.ts';

/** Jobs that one replica does at a time; most of them wait for their turn at the provider. */
const CONCURRENCY = 2;
const LOOK_EVERY_MS = 1_000;
/** A job held longer than this belonged to a replica that died: no call to the provider takes so long. */
const ABANDONED_AFTER = '2 minutes';
/** Longer than any job that is alive takes to come to its turn by itself. */
const OVERDUE_AFTER = '1 minute';
/** After that long nothing can come of a start that was sent and not answered. */
const INTENT_LIFE = '1 hour';
const SWEEP_BATCH = 1_000;

/** To ask the provider about one verification, at the earliest then. */
export interface PlannedPoll {
  readonly verificationId: string;
  /** From now on, so that only the database's clock counts. */
  readonly inMs: number;
}

/** Plans polls: one job a verification, a newer plan in the place of an older one. */
export async function planPolls(db: Queryable, polls: readonly PlannedPoll[]): Promise<void> {
  if (polls.length === 0) return;
  const specs = polls.map(
    ({ verificationId, inMs }) => sql`(
      'reconcile', json_build_object('verificationId', ${verificationId}::text), null,
      now() + make_interval(secs => ${Math.max(0, inMs) / 1000}), null, ${`reconcile:${verificationId}`}, null, null
    )::graphile_worker.job_spec`,
  );
  await db.execute(sql`select 1 from graphile_worker.add_jobs(array[${sql.join(specs, sql`, `)}])`);
}

/** Verifications whose poll is overdue and that have no job, or one that a dead replica holds. */
export async function findUnplanned(db: Queryable): Promise<string[]> {
  const { rows } = await db.execute<{ verification_id: string }>(sql`
    select overdue.verification_id from (
      select verification_id from ${sessions} where next_poll_at < now() - ${OVERDUE_AFTER}::interval
      union
      select verification_id from ${startIntents}
      where state = 'OPEN' and sends > 0
        and created_at between now() - ${INTENT_LIFE}::interval and now() - ${OVERDUE_AFTER}::interval
    ) overdue
    where not exists (
      select 1 from graphile_worker.jobs j
      where j.key = 'reconcile:' || overdue.verification_id
        and (j.locked_at is null or j.locked_at > now() - ${ABANDONED_AFTER}::interval)
    )
    limit ${SWEEP_BATCH}`);
  return rows.map((row) => row.verification_id);
}

/** What the jobs do. */
export interface JobTasks {
  reconcile(verificationId: string): Promise<void>;
  /** Every minute, on one replica. */
  sweep(): Promise<void>;
}

/** Does jobs until stopped. A job that throws is tried again, later and later. */
export async function runJobs(pool: pg.Pool, tasks: JobTasks, log: Log): Promise<() => Promise<void>> {
  const runner = await run({
    pgPool: pool,
    logger: quietLogger(log),
    concurrency: CONCURRENCY,
    pollInterval: LOOK_EVERY_MS,
    noHandleSignals: true,
    taskList: {
      reconcile: (payload) => tasks.reconcile((payload as { verificationId: string }).verificationId),
      sweep: () => tasks.sweep(),
    },
    parsedCronItems: parseCronItems([
      { task: 'sweep', match: '* * * * *', options: { backfillPeriod: 0, maxAttempts: 1 } },
    ]),
  });
  return () => runner.stop();
}

/** The queue's own tables; as the database's owner. */
export const migrateJobs = (url: string): Promise<void> =>
  runMigrations({ connectionString: url, logger: quietLogger(null) });

/** The queue is talkative: what fails is worth a line, what works is not. */
const quietLogger = (log: Log | null): Logger =>
  new Logger(() => (level, message) => {
    if (level === 'error' || level === 'warning') log?.warn({ job: message }, 'the job queue complains');
  });
