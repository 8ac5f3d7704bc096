/**
 * Deliveries of merchant webhooks. They are created from the feed by a cursor per endpoint, so that recording writes
 * nothing for them.
 */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ReviewDecision, ReviewStage } from '../../domain/actions.ts';
import type { Locale } from '../../domain/locales.ts';
import { findEventTypesOfTransition, type MerchantEndpoint } from '../../domain/merchant-events.ts';
import type { NotificationKind } from '../../domain/notifications.ts';
import type { ReviewReason } from '../../domain/review-reasons.ts';
import type { TransitionSource, Verdict } from '../../domain/session.ts';
import type { Status, SubStatus } from '../../domain/status.ts';
import type { Database, Queryable } from '../connection/client.ts';
import { type MerchantDeliveryState, merchantDeliveries, transitions } from '../schema/tables.ts';
import { forceIndexPlans } from '../sessions/write-batch.ts';
import {
  equalsAny,
  executeWrite,
  prepareCommand,
  prepareQuery,
  prepareWriteReturningColumn,
} from '../statements/prepared.ts';
import { createJsonRecordset, createRowMapper } from '../statements/row-mapper.ts';
import { setEndpointPosition, tryLockEndpointPosition } from './endpoints.ts';

export type DeliveryRow = typeof merchantDeliveries.$inferSelect;

/** Columns from which the body of an event is built; they never change. Times are texts as PostgreSQL writes them in JSON. */
export interface EventFacts {
  readonly verificationId: string;
  readonly fromStatus: Status | null;
  readonly fromSubStatus: SubStatus | null;
  readonly status: Status;
  readonly subStatus: SubStatus;
  readonly verdict: Verdict;
  readonly source: TransitionSource;
  readonly occurredAt: string | null;
  readonly recordedAt: string;
  /** Review that was recorded together with the transition. */
  readonly review: {
    readonly id: string;
    readonly stage: ReviewStage;
    readonly decision: ReviewDecision;
    readonly reasons: readonly ReviewReason[] | null;
    readonly callComplete: boolean | null;
  } | null;
  /** Newest meeting of the session when the transition was recorded. */
  readonly meeting: { readonly id: string; readonly startsAt: string } | null;
  /** Notification that the event asks for; null for other types. Bytes are texts in hex. */
  readonly notification: StoredNotification | null;
}

/** Notification of an event, with the personal data of the customer, encrypted. */
export interface StoredNotification {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly locale: Locale;
  readonly dueAt: string;
  /** Null after the customer's data was erased. */
  readonly text: string | null;
  readonly link: string | null;
  readonly userId: string;
  readonly personal: string;
  readonly isErased: boolean;
}

/** Delivery with what its event tells of. */
export type DeliveryWithEventFacts = DeliveryRow & EventFacts;

/** Columns of a delivery (`d`) and of what its event tells of. */
export const deliveryFields = createRowMapper<typeof merchantDeliveries, EventFacts>(
  merchantDeliveries,
  'd',
  {
    verificationId: 's.verification_id',
    fromStatus: 't.from_status',
    fromSubStatus: 't.from_sub_status',
    status: 't.status',
    subStatus: 't.sub_status',
    verdict: 't.verdict',
    source: 't.source',
    occurredAt: 't.occurred_at',
    recordedAt: 't.recorded_at',
    review: `case when r.id is not null then json_build_object('id', r.id, 'stage', r.stage, 'decision', r.decision,
    'reasons', r.reasons, 'callComplete', r.call_complete) end`,
    // Meetings are only added, and neither their id nor their time changes: each attempt finds the same one.
    meeting: `(select json_build_object('id', m.id, 'startsAt', m.starts_at) from meeting m
    where m.session_id = d.session_id and m.created_at <= t.recorded_at order by m.created_at desc, m.id desc limit 1)`,
    notification: `case when d.type = 'customer.notification_requested' then (
      select json_build_object('id', n.id, 'kind', n.kind, 'locale', n.locale, 'dueAt', n.due_at,
        'text', encode(n.text, 'hex'), 'link', encode(s.link, 'hex'), 'userId', u.id,
        'personal', encode(u.personal, 'hex'), 'isErased', s.erased_at is not null)
      from customer_notification n join vkyc_user u on u.id = s.user_id
      where n.session_id = d.session_id and n.sequence = d.sequence and n.channel = 'WEBHOOK' limit 1) end`,
  },
);

/** SQL that selects `deliveryFields` of the deliveries in a table or CTE. */
export const selectDeliveriesWithFacts = (deliveries: string) =>
  `select ${deliveryFields.list} from ${deliveries} d
   join status_transition t on t.session_id = d.session_id and t.sequence = d.sequence
   join vkyc_session s on s.id = d.session_id
   left join review r on r.session_id = d.session_id and r.sequence = d.sequence`;

const claimDue = prepareQuery(
  'claim merchant deliveries',
  deliveryFields,
  `${selectDeliveriesWithFacts('claimed')} order by d.id`,
  `first as (
     select d.id from merchant_delivery d
     where d.endpoint = $1 and d.state = 'PENDING'
       and (d.due_at <= $2::timestamptz or ($5::boolean and not d.claimed))
       -- A scalar subquery, which the planner cannot turn into a join that reads the whole backlog.
       and (
         select ahead.id from merchant_delivery ahead
         where ahead.endpoint = d.endpoint and ahead.session_id = d.session_id and ahead.state = 'PENDING'
           and (ahead.position, ahead.type) < (d.position, d.type)
         limit 1
       ) is null
     order by d.due_at, d.id limit $4 for update skip locked
   ), claimed as (
     update merchant_delivery d set claimed = true, due_at = $3::timestamptz, attempts = d.attempts + 1,
       tried_since = coalesce(d.tried_since, $2::timestamptz)
     from first where d.id = first.id returning d.*
   )`,
);

/** Which deliveries to claim, and for how long. */
export interface DeliveryClaimRequest {
  readonly endpoint: string;
  readonly now: Date;
  readonly until: Date;
  readonly limit: number;
  /** Whether to claim also deliveries that wait for their next attempt, to test a failing endpoint. */
  readonly early: boolean;
}

/**
 * Claims due deliveries of an endpoint: of each session only the first that is not delivered, so that a session's
 * events arrive in order. Other replicas skip claimed deliveries.
 */
export const claimDeliveries = (
  db: Database,
  { endpoint, now, until, limit, early }: DeliveryClaimRequest,
): Promise<DeliveryWithEventFacts[]> =>
  db.transaction((tx) => {
    tx.start(forceIndexPlans());
    return claimDue(tx, endpoint, now.toISOString(), until.toISOString(), limit, early);
  });

/** Columns of a delivery that an attempt changes. */
export interface DeliveryAttemptOutcome
  extends Pick<DeliveryRow, 'id' | 'attempts' | 'state' | 'dueAt' | 'outcome'> {
  /** Time of the outcome if the delivery is over; null if it is attempted again. */
  readonly settledAt: Date | null;
}

const settle = prepareCommand(
  'settle merchant deliveries',
  // The number of attempts shows whether the claim still holds: a replica that was away for longer than its claim
  // must not overwrite the outcome of another replica.
  `update merchant_delivery d set claimed = false, state = s.state, due_at = s.due_at, outcome = s.outcome,
     settled_at = s.settled_at
   from json_to_recordset($1::json) as s(id bigint, attempts int, state text, due_at timestamptz, outcome text, settled_at timestamptz)
   where d.id = s.id and d.attempts = s.attempts and d.state = 'PENDING'`,
);

/** Stores the outcomes of attempts, except those whose claim has ended. */
export const saveAttemptOutcomes = (db: Database, attempts: readonly DeliveryAttemptOutcome[]) =>
  executeWrite(
    db,
    settle(
      JSON.stringify(
        attempts.map(({ id, attempts, state, dueAt, outcome, settledAt }) => ({
          ...{ id: String(id), attempts, state, due_at: dueAt, outcome, settled_at: settledAt },
        })),
      ),
    ),
  );

const newDeliveries = createJsonRecordset(merchantDeliveries, [
  'id',
  'attempts',
  'claimed',
  'triedSince',
  'outcome',
]);
const insertNew = prepareCommand(
  'create merchant deliveries',
  `insert into merchant_delivery (${newDeliveries.columns})
   select ${newDeliveries.columns} from ${newDeliveries.fromParameter('$1')} on conflict do nothing`,
);
const insertOrRequeue = prepareCommand(
  'replay merchant deliveries',
  `insert into merchant_delivery (${newDeliveries.columns})
   select ${newDeliveries.columns} from ${newDeliveries.fromParameter('$1')}
   on conflict (endpoint, position, type) do update set state = 'PENDING', attempts = 0, claimed = false,
     queued_at = excluded.queued_at, due_at = excluded.due_at, tried_since = null, outcome = null, settled_at = null
     where not merchant_delivery.claimed`,
);

const entryFields = createRowMapper<typeof transitions, { position: number; hasReview: boolean }>(
  transitions,
  't',
  { position: 'f.position', hasReview: 'r.id is not null' },
  ['sessionId', 'sequence', 'verdict', 'subStatus'],
);
const entriesAfter = prepareQuery(
  'entries for merchants',
  entryFields,
  `select ${entryFields.list} from feed f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   left join review r on r.session_id = f.session_id and r.sequence = f.sequence
   where f.position > $1::bigint order by f.position limit $2`,
);

type Entry = Awaited<ReturnType<typeof entriesAfter>>[number];

const toDeliveries = (entries: readonly Entry[], { name, events }: MerchantEndpoint, now: Date) =>
  entries.flatMap(({ position, sessionId, sequence, ...entry }) =>
    findEventTypesOfTransition(entry)
      .filter((type) => events.includes(type))
      .map((type) => ({
        ...{ endpoint: name, position, type, sessionId, sequence, state: 'PENDING' as const },
        ...{ queuedAt: now, dueAt: now, settledAt: null },
      })),
  );

/**
 * Creates the deliveries of the next `limit` transitions of the feed, and moves the endpoint's cursor behind them, in
 * one transaction: none is left out or created twice, whichever replicas do it. Returns the number of transitions; null
 * if another replica is at it.
 */
export const insertDeliveriesForNextTransitions = (
  db: Database,
  endpoint: MerchantEndpoint,
  now: Date,
  limit: number,
): Promise<number | null> =>
  db.transaction(async (tx) => {
    tx.start(forceIndexPlans());
    const position = await tryLockEndpointPosition(tx, endpoint.name);
    if (position === null) return null;
    const entries = await entriesAfter(tx, position, limit);
    const last = entries.at(-1);
    if (!last) return 0;
    tx.start(insertNew(newDeliveries.serialize(toDeliveries(entries, endpoint, now))));
    tx.start(setEndpointPosition(endpoint.name, last.position));
    return entries.length;
  });

/** Range of the feed: positions above `after`, up to `upTo`. */
export interface FeedRange {
  readonly after: number;
  readonly upTo: number;
}

/**
 * Queues the deliveries of a part of the feed again, also those that were deleted meanwhile. Returns the number of
 * events.
 */
export async function replayFeedRange(
  db: Database,
  endpoint: MerchantEndpoint,
  { after, upTo }: FeedRange,
  now: Date,
  limit: number,
): Promise<number> {
  let replayed = 0;
  for (let position = after; position < upTo; ) {
    const read = await entriesAfter(db, position, limit);
    const entries = read.filter((entry) => entry.position <= upTo);
    const rows = toDeliveries(entries, endpoint, now);
    await executeWrite(db, insertOrRequeue(newDeliveries.serialize(rows)));
    replayed += rows.length;
    position = read.at(-1)?.position ?? upTo;
  }
  return replayed;
}

/** Returns the highest feed position whose transition was recorded before `time`; 0 if there is none. */
export async function findFeedPositionBefore(db: Queryable, time: Date): Promise<number> {
  // Positions follow the commits, and so almost the times of recording. A minute more covers the difference.
  const { rows } = await db.execute<{ position: number }>(sql`
    select f.position::float8 as position from feed f
    join ${transitions} t on t.session_id = f.session_id and t.sequence = f.sequence
    where t.recorded_at < ${time.toISOString()}::timestamptz - interval '1 minute'
    order by f.position desc limit 1`);
  return rows[0]?.position ?? 0;
}

/** Queues deliveries again, whatever their state, except those that are being sent. */
export async function replayDeliveries(db: Database, ids: readonly bigint[], now: Date): Promise<number> {
  const { rowCount } = await db
    .update(merchantDeliveries)
    .set({
      ...{ state: 'PENDING', attempts: 0, queuedAt: now, dueAt: now, triedSince: null },
      ...{ outcome: null, settledAt: null },
    })
    .where(and(inArray(merchantDeliveries.id, [...ids]), eq(merchantDeliveries.claimed, false)));
  return rowCount ?? 0;
}

const parked = prepareWriteReturningColumn<string>(
  'park merchant deliveries',
  `update merchant_delivery set state = 'PARKED', settled_at = $2::timestamptz,
     outcome = coalesce(outcome, 'ENDPOINT_FAILING')
   where endpoint = $1 and state = 'PENDING' and not claimed and queued_at <= $3::timestamptz returning id::text`,
);

/** Parks (as dead letters) what an endpoint has not accepted since `queuedBefore`. Returns the number of deliveries. */
export async function parkExpiredDeliveries(
  db: Database,
  endpoint: string,
  now: Date,
  queuedBefore: Date,
): Promise<number> {
  return (await parked(db, endpoint, now.toISOString(), queuedBefore.toISOString())).length;
}

/** Deletes up to `limit` accepted deliveries that are older than `before`. */
export const deleteOldAcceptedDeliveries = (db: Database, before: Date, limit: number) =>
  executeWrite(db, deleteDone(before.toISOString(), limit));

const deleteDone = prepareCommand(
  'delete merchant deliveries',
  `delete from merchant_delivery where id in (
     select id from merchant_delivery where state = 'DONE' and settled_at < $1::timestamptz limit $2)`,
);

/** Which deliveries to list; null: all. */
export interface DeliveryFilter {
  readonly endpoint: string | null;
  readonly state: MerchantDeliveryState | null;
}

/** Lists the newest deliveries, with the verification ids of their sessions. */
export const listDeliveries = (db: Queryable, filter: DeliveryFilter, limit: number) =>
  listed(db, filter.endpoint, filter.state, limit);

const listed = prepareQuery(
  'merchant deliveries',
  deliveryFields,
  `${selectDeliveriesWithFacts('merchant_delivery')}
   where ($1::text is null or d.endpoint = $1) and ($2::text is null or d.state = $2) order by d.id desc limit $3`,
);

/** Returns the deliveries with these ids, and what their events tell of. */
export const findDeliveriesById = (
  db: Queryable,
  ids: readonly bigint[],
): Promise<DeliveryWithEventFacts[]> => deliveriesById(db, ids);

const deliveriesById = prepareQuery(
  'merchant deliveries by id',
  deliveryFields,
  `${selectDeliveriesWithFacts('merchant_delivery')} where ${equalsAny('d.id', '$1', 'bigint')} order by d.id`,
);
