import { eq } from 'drizzle-orm';
import type pg from 'pg';
import type { Database, Queryable, Transaction } from '../connection/client.ts';
import { merchantEndpoints } from '../schema/tables.ts';
import {
  executeWrite,
  prepareCommand,
  prepareQuery,
  prepareWriteReturningColumn,
} from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type MerchantEndpointRow = typeof merchantEndpoints.$inferSelect;

/** Adds an endpoint, unless it is stored already. It gets the events of transitions that are recorded from now on. */
export const registerEndpoint = (db: Database, name: string) => executeWrite(db, insertEndpoint(name));

const insertEndpoint = prepareCommand(
  'register merchant endpoint',
  `insert into merchant_endpoint (name, position) select $1, coalesce(max(position), 0) from feed
   on conflict do nothing`,
);

/** Deletes an endpoint with all of its deliveries. Returns whether it was stored. */
export async function deleteEndpoint(db: Queryable, name: string): Promise<boolean> {
  const { rowCount } = await db.delete(merchantEndpoints).where(eq(merchantEndpoints.name, name));
  return rowCount === 1;
}

const endpointFields = createRowMapper<typeof merchantEndpoints, { head: number }>(merchantEndpoints, 'e', {
  head: '(select coalesce(max(position), 0) from feed)',
});
const selectEndpoint = prepareQuery(
  'merchant endpoint',
  endpointFields,
  `select ${endpointFields.list} from merchant_endpoint e where e.name = $1`,
);

/** Returns the state of an endpoint, with the newest position of the feed (`head`); null if it is not stored. */
export async function findEndpointWithFeedHead(
  db: Queryable,
  name: string,
): Promise<(MerchantEndpointRow & { head: number }) | null> {
  const [row] = await selectEndpoint(db, name);
  return row ?? null;
}

const lockedFields = createRowMapper(merchantEndpoints, 'e', {}, ['position']);
const lockPosition = prepareQuery(
  'lock merchant endpoint',
  lockedFields,
  `select ${lockedFields.list} from merchant_endpoint e where e.name = $1 for update skip locked`,
);

/**
 * Locks an endpoint, so that one replica at a time creates its deliveries. Returns its position in the feed; null if
 * another replica holds the lock.
 */
export async function tryLockEndpointPosition(tx: Transaction, name: string): Promise<number | null> {
  const [row] = await lockPosition(tx, name);
  return row?.position ?? null;
}

export const setEndpointPosition = prepareCommand(
  'move merchant endpoint',
  'update merchant_endpoint set position = $2::bigint where name = $1',
);

const takeProbe = prepareWriteReturningColumn<string>(
  'probe merchant endpoint',
  `update merchant_endpoint set probed_until = $3::timestamptz
   where name = $1 and (paused_until is null or paused_until <= $2::timestamptz)
     and (probed_until is null or probed_until <= $2::timestamptz) returning name`,
);

/**
 * Claims the right to test a failing endpoint with one delivery, until `until`. Returns false if the endpoint is paused,
 * or another replica has claimed it.
 */
export async function tryClaimEndpointProbe(
  db: Database,
  name: string,
  now: Date,
  until: Date,
): Promise<boolean> {
  const taken = await takeProbe(db, name, now.toISOString(), until.toISOString());
  return taken.length === 1;
}

const countFailures = prepareWriteReturningColumn<number>(
  'merchant endpoint fails',
  // Attempts that run at once fail at once: below the limit, they do not count beyond it.
  `update merchant_endpoint set failing_since = coalesce(failing_since, $4::timestamptz), probed_until = null,
     failures = case when failures >= $3 then failures + 1 else least(failures + $2, $3) end
   where name = $1 returning failures`,
);

/**
 * Counts failed attempts without a success in between. Returns the number since the last success. `limit`: number from
 * which on the endpoint counts as failing, and is tested with one delivery at a time.
 */
export async function addEndpointFailures(
  db: Database,
  name: string,
  count: number,
  limit: number,
  now: Date,
): Promise<number> {
  const [failures = 0] = await countFailures(db, name, count, limit, now.toISOString());
  return failures;
}

/** Pauses an endpoint until a time, unless it is paused for longer. */
export const pauseEndpoint = (db: Database, name: string, until: Date) =>
  executeWrite(db, pauseUntil(name, until.toISOString()));

const pauseUntil = prepareCommand(
  'pause merchant endpoint',
  `update merchant_endpoint set paused_until = greatest(paused_until, $2::timestamptz) where name = $1`,
);

const resumed = prepareWriteReturningColumn<boolean>(
  'resume merchant endpoint',
  `with before as (
     select name, failures >= $3 as was_failing from merchant_endpoint
     where name = $1 and failing_since is not null for update
   ), resumed as (
     update merchant_endpoint e set failures = 0, failing_since = null, paused_until = null, probed_until = null
     from before where e.name = before.name
   ), early as (
     update merchant_delivery set due_at = $2::timestamptz from before
     where before.was_failing and endpoint = before.name and state = 'PENDING' and due_at > $2::timestamptz
       and not claimed
   )
   select was_failing from before`,
);

/**
 * Marks an endpoint as working again. If it was failing (`limit` as in `addEndpointFailures`), returns true, and makes its
 * deliveries that wait for their next attempt due.
 */
export async function resumeEndpoint(db: Database, name: string, limit: number, now: Date): Promise<boolean> {
  const [wasFailing = false] = await resumed(db, name, now.toISOString(), limit);
  return wasFailing;
}

/** Unfinished deliveries of one endpoint, each number counted up to 10,000. */
export interface EndpointHealth {
  readonly name: string;
  readonly pending: number;
  readonly parked: number;
  readonly oldestPendingSeconds: number | null;
  readonly paused: boolean;
  readonly failingSince: Date | null;
  /** End of the pause; null if the endpoint is not paused. */
  readonly pausedUntil: Date | null;
}

/** Upper limit of each count: a larger backlog would take long to count. */
const MAX_COUNTED = 10_000;
const counted = (state: string) =>
  `(select count(*)::int from (select from merchant_delivery d where d.endpoint = e.name and d.state <> 'DONE'
    and d.state = '${state}'     limit ${MAX_COUNTED}) counted)`;

const HEALTH = `select e.name, ${counted('PENDING')} as pending, ${counted('PARKED')} as parked,
  (select extract(epoch from $1::timestamptz - min(d.queued_at))::float8 from merchant_delivery d
    where d.endpoint = e.name and d.state <> 'DONE' and d.state = 'PENDING') as "oldestPendingSeconds",
  coalesce(e.paused_until > $1::timestamptz, false) as paused,
  e.failing_since as "failingSince",
  case when e.paused_until > $1::timestamptz then e.paused_until end as "pausedUntil"
  from merchant_endpoint e order by e.name`;

/** Reads the health of all stored endpoints, by indexes alone. */
export async function readEndpointHealth(pool: pg.Pool, now: Date): Promise<EndpointHealth[]> {
  const { rows } = await pool.query<EndpointHealth>(HEALTH, [now.toISOString()]);
  return rows;
}
