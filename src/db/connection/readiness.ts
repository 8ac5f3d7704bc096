import type pg from 'pg';
import type { BacklogFigures } from '../../telemetry/gauges.ts';

/** Timeout of each query here: the caller, a metrics scraper or a health check, does not wait longer. */
const QUERY_TIMEOUT_MS = 1_000;
/**
 * Upper limit of each count in the result. Counting a larger backlog would take long and tell operators no
 * more.
 */
const MAX_COUNTED = 10_000;

const counted = (from: string) =>
  `(select count(*)::int from (select from ${from} limit ${MAX_COUNTED}) counted)`;
const age = (time: string) => `extract(epoch from $1::timestamptz - ${time})::float8`;
const pause = (until: string) =>
  `(select coalesce(greatest(extract(epoch from ${until} - clock_timestamp()), 0), 0)::float8 from provider_budget)`;
const LAST_MINUTE = `provider_call where at > clock_timestamp() - interval '60 seconds'`;
const OLDEST_UNNUMBERED = `
  (select ${age('t.recorded_at')} from (select session_id, sequence from transition_outbox order by id limit 1) oldest
    join status_transition t using (session_id, sequence))`;

const BACKLOG = `select
  ${counted(`webhook_inbox where state = 'PENDING'`)} as "pending",
  ${counted(`webhook_inbox where state = 'WAITING'`)} as "waiting",
  ${counted(`webhook_inbox where state = 'PARKED'`)} as "parked",
  (select ${age('received_at')} from webhook_inbox where state = 'PENDING' order by id limit 1) as "oldestPendingSeconds",
  ${counted('transition_outbox')} as "unnumbered",
  ${OLDEST_UNNUMBERED} as "oldestUnnumberedSeconds",
  (select coalesce(max(position), 0)::float8 from feed) as "feedHead",
  (select count(*)::int from ${LAST_MINUTE}) as "calls",
  (select count(*)::int from ${LAST_MINUTE} and purpose = 'POLL') as "polls",
  ${pause('calls_paused_until')} as "callsPausedSeconds",
  ${pause('polls_paused_until')} as "pollsPausedSeconds"`;

/** Query with node-postgres' option for a timeout of one query, which is missing in its types. */
interface Question extends pg.QueryConfig {
  readonly query_timeout: number;
}

async function ask<Row extends pg.QueryResultRow>(pool: pg.Pool, text: string, now: Date): Promise<Row> {
  const question: Question = { text, values: [now.toISOString()], query_timeout: QUERY_TIMEOUT_MS };
  const { rows } = await pool.query<Row>(question);
  return rows[0] as Row;
}

/**
 * Reads the queue depths (webhooks by state, transitions without a feed position) and the use of the provider
 * call budget. One statement that uses only indexes, so its duration does not depend on the table sizes.
 * Rejects if the database does not answer within a second.
 */
export const readQueueDepthsAndCallUse = (pool: pg.Pool, now: Date) =>
  ask<BacklogFigures & pg.QueryResultRow>(pool, BACKLOG, now);

/** Facts about the database that decide whether this replica reports itself as ready. */
export interface ReadinessFacts {
  /** Timestamp in milliseconds of the newest migration that was run, as the migration journal names it. */
  readonly migratedTo: number;
  /** Age of the oldest transition without a feed position; null if every transition has a position. */
  readonly oldestUnnumberedSeconds: number | null;
}

const FITNESS = `select
  (select max(created_at)::float8 from drizzle.__drizzle_migrations) as "migratedTo",
  ${OLDEST_UNNUMBERED} as "oldestUnnumberedSeconds"`;

/** Reads the facts that decide readiness. Rejects if the database does not answer within a second. */
export const readReadinessFacts = (pool: pg.Pool, now: Date) =>
  ask<ReadinessFacts & pg.QueryResultRow>(pool, FITNESS, now);
