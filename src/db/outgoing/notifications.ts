/**
 * Statements of the worker that creates automatic notifications from the feed, and sends those that are due. Recording
 * writes nothing for automatic notifications.
 */
import type pg from 'pg';
import type { MeetingStatus } from '../../domain/actions.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';
import type { Status, SubStatus } from '../../domain/status.ts';
import type { Database, Queryable, Transaction } from '../connection/client.ts';
import {
  customerNotifications,
  meetings,
  merchantDeliveries,
  notificationCursor,
  transitions,
} from '../schema/tables.ts';
import { insertNotifications, type NotificationRow } from '../sessions/notifications.ts';
import { forceIndexPlans } from '../sessions/write-batch.ts';
import {
  executeWrite,
  prepareCommand,
  prepareQuery,
  prepareWriteReturningColumn,
} from '../statements/prepared.ts';
import { createJsonRecordset, createRowMapper } from '../statements/row-mapper.ts';

/** The only row of `notification_cursor`. */
const CURSOR = 1;

/** Stores the cursor of automatic notifications at the head of the feed, unless it is stored already. */
export const registerNotificationCursor = (db: Database) => executeWrite(db, insertCursor());

const insertCursor = prepareCommand(
  'register notification cursor',
  `insert into notification_cursor (id, position) select ${CURSOR}, coalesce(max(position), 0) from feed
   on conflict do nothing`,
);

const cursorFields = createRowMapper(notificationCursor, 'c');
const lockCursor = prepareQuery(
  'lock notification cursor',
  cursorFields,
  `select ${cursorFields.list} from notification_cursor c where c.id = ${CURSOR} for update skip locked`,
);
const moveCursor = prepareCommand(
  'move notification cursor',
  `update notification_cursor set position = $1::bigint where id = ${CURSOR}`,
);

/** Transition with what its automatic notification depends on. Bytes are texts in hex. */
export interface CauseFacts {
  readonly position: number;
  readonly userId: string;
  readonly languages: string | null;
  readonly isErased: boolean;
  /** Start of the newest meeting when the transition was recorded. */
  readonly meetingAt: string | null;
  /** Status of the meeting before that one. */
  readonly earlierMeeting: MeetingStatus | null;
  /** Whether an earlier transition told of that meeting. */
  readonly repeatsMeeting: boolean;
  readonly reviewId: string | null;
  readonly customerMessage: string | null;
}

const causeFields = createRowMapper<typeof transitions, CauseFacts>(
  transitions,
  't',
  {
    position: 'f.position',
    userId: 's.user_id',
    languages: 's.languages',
    isErased: 's.erased_at is not null',
    meetingAt: `(select m.starts_at from meeting m where m.session_id = t.session_id and m.created_at <= t.recorded_at
      order by m.created_at desc, m.id desc limit 1)`,
    earlierMeeting: `(select m.status from meeting m where m.session_id = t.session_id and m.created_at <= t.recorded_at
      order by m.created_at desc, m.id desc offset 1 limit 1)`,
    // Meetings are created before their transition is recorded.
    repeatsMeeting: `case when t.sub_status = 'USER_MEETING_SCHEDULED' then exists (
      select from status_transition p
      where p.session_id = t.session_id and p.sequence < t.sequence and p.verdict = 'MOVED'
        and p.sub_status = 'USER_MEETING_SCHEDULED' and p.recorded_at >= (
          select m.created_at from meeting m where m.session_id = t.session_id and m.created_at <= t.recorded_at
          order by m.created_at desc, m.id desc limit 1)) else false end`,
    reviewId: 'r.id',
    customerMessage: `encode(r.customer_message, 'hex')`,
  },
  ['sessionId', 'sequence', 'fromSubStatus', 'subStatus', 'verdict', 'recordedAt'],
);
const causesAfter = prepareQuery(
  'causes of notifications',
  causeFields,
  `select ${causeFields.list} from feed f
   join status_transition t on t.session_id = f.session_id and t.sequence = f.sequence
   join vkyc_session s on s.id = f.session_id
   left join review r on r.session_id = f.session_id and r.sequence = f.sequence
   where f.position > $1::bigint order by f.position limit $2`,
);
export type NotificationCauseRow = Awaited<ReturnType<typeof causesAfter>>[number];

/**
 * Creates the automatic notifications of the next `limit` transitions of the feed, and moves the cursor behind them, in
 * one transaction: none is left out or created twice, whichever replicas do it. `plan` returns the notifications.
 * Returns the number of transitions; 0 if there are none, or another replica is at it.
 */
export const insertNotificationsForNextTransitions = (
  db: Database,
  limit: number,
  plan: (tx: Transaction, causes: readonly NotificationCauseRow[]) => Promise<NotificationRow[]>,
): Promise<number> =>
  db.transaction(async (tx) => {
    tx.start(forceIndexPlans());
    const [cursor] = await lockCursor(tx);
    if (!cursor) return 0;
    const causes = await causesAfter(tx, cursor.position, limit);
    const last = causes.at(-1);
    if (!last) return 0;
    const notifications = await plan(tx, causes);
    if (notifications.length > 0) tx.start(insertNotifications(notifications));
    tx.start(moveCursor(last.position));
    return causes.length;
  });

/** Session of a notification as it is now. Bytes are texts in hex, times as PostgreSQL writes them in JSON. */
export interface NotifiedSession {
  readonly status: Status;
  readonly subStatus: SubStatus;
  readonly disputed: boolean;
  readonly replaced: boolean;
  readonly isErased: boolean;
  readonly linkExpiresAt: string | null;
  readonly meetingAt: string | null;
  /** Sequence of the newest transition that changed the status. */
  readonly version: number;
  readonly link: string | null;
  readonly userId: string;
  readonly personal: string;
  /** Feed position of the cause. */
  readonly position: number | null;
}

export type DueNotification = NotificationRow & NotifiedSession;

const dueFields = createRowMapper<typeof customerNotifications, NotifiedSession>(customerNotifications, 'n', {
  status: 's.status',
  subStatus: 's.sub_status',
  disputed: 's.disputed',
  replaced: 's.replaced',
  isErased: 's.erased_at is not null',
  linkExpiresAt: 's.link_expires_at',
  meetingAt: 's.meeting_at',
  version: 's.version',
  link: `encode(s.link, 'hex')`,
  userId: 'u.id',
  personal: `encode(u.personal, 'hex')`,
  position: 'f.position',
});
const claimDue = prepareQuery(
  'claim notifications',
  dueFields,
  `select ${dueFields.list} from claimed n
   join vkyc_session s on s.id = n.session_id
   join vkyc_user u on u.id = s.user_id
   left join feed f on f.session_id = n.session_id and f.sequence = n.sequence
   order by n.id`,
  `due as (
     select n.id from customer_notification n
     where n.state = 'QUEUED' and not n.released and n.due_at <= $1::timestamptz and (n.urgent or not $3::boolean)
       and (n.channel <> 'EMAIL' or $5::boolean)
       -- A delivery to an endpoint needs the feed position of the cause.
       and (n.channel = 'EMAIL' or exists (
         select from feed f where f.session_id = n.session_id and f.sequence = n.sequence))
     order by n.due_at, n.id limit $4 for update skip locked
   ), claimed as (
     update customer_notification n set due_at = $2::timestamptz, attempts = n.attempts + 1
     from due where n.id = due.id returning n.*
   )`,
);

/** Which notifications to claim, and for how long. */
export interface NotificationClaimRequest {
  readonly now: Date;
  readonly until: Date;
  /** Whether only urgent ones may be sent now. */
  readonly isQuiet: boolean;
  /** Whether e-mails may be claimed; false while the replica sends as many as it can. */
  readonly withEmails: boolean;
  readonly limit: number;
}

/** What to do with a claimed notification, decided in the transaction of its claim. */
export type ClaimDecision =
  | { readonly kind: 'SEND' }
  | { readonly kind: 'RELEASE' }
  | { readonly kind: 'FAIL'; readonly outcome: string };

/**
 * Claims due notifications (SKIP LOCKED), and carries out in the same transaction what `decide` says of each: RELEASE
 * creates its deliveries to `endpoints`, FAIL ends it, SEND leaves it claimed. Returns those to send.
 */
export const claimNotifications = (
  db: Database,
  { now, until, isQuiet, withEmails, limit }: NotificationClaimRequest,
  endpoints: readonly Pick<MerchantEndpoint, 'name'>[],
  decide: (notification: DueNotification) => ClaimDecision,
): Promise<{
  send: DueNotification[];
  released: number;
  failed: (NotificationOutcome & DueNotification)[];
  claimed: number;
}> =>
  db.transaction(async (tx) => {
    tx.start(forceIndexPlans());
    const claimed = await claimDue(tx, now.toISOString(), until.toISOString(), isQuiet, limit, withEmails);
    const decided = claimed.map((row) => ({ row, decision: decide(row) }));
    const failed = decided.flatMap(({ row, decision }) =>
      decision.kind === 'FAIL'
        ? [{ ...row, state: 'FAILED' as const, outcome: decision.outcome, dueAt: now, settledAt: now }]
        : [],
    );
    if (failed.length > 0) tx.start(settleNotifications(failed));
    const release = decided.flatMap(({ row, decision }) => (decision.kind === 'RELEASE' ? [row] : []));
    if (release.length > 0) {
      tx.start(insertDeliveries(newDeliveries.serialize(toDeliveries(release, endpoints, now))));
      tx.start(
        markReleased(
          release.map(({ id }) => id),
          now.toISOString(),
        ),
      );
    }
    const send = decided.flatMap(({ row, decision }) => (decision.kind === 'SEND' ? [row] : []));
    return { send, released: release.length, failed, claimed: claimed.length };
  });

const newDeliveries = createJsonRecordset(merchantDeliveries, [
  'id',
  'attempts',
  'claimed',
  'triedSince',
  'outcome',
]);
const insertDeliveries = prepareCommand(
  'create deliveries of notifications',
  `insert into merchant_delivery (${newDeliveries.columns})
   select ${newDeliveries.columns} from ${newDeliveries.fromParameter('$1')} on conflict do nothing`,
);
const markReleased = prepareCommand(
  'release notifications',
  `update customer_notification set released = true, due_at = $2::timestamptz where id = any($1::uuid[])`,
);

const toDeliveries = (
  rows: readonly DueNotification[],
  endpoints: readonly Pick<MerchantEndpoint, 'name'>[],
  now: Date,
) =>
  rows.flatMap(({ position, sessionId, sequence }) =>
    endpoints.map(({ name }) => ({
      ...{ endpoint: name, position: position as number, type: 'customer.notification_requested' as const },
      ...{ sessionId, sequence, state: 'PENDING' as const, queuedAt: now, dueAt: now, settledAt: null },
    })),
  );

/** Columns of a notification that an attempt changes. */
export type NotificationOutcome = Pick<
  NotificationRow,
  'id' | 'attempts' | 'state' | 'dueAt' | 'outcome' | 'settledAt'
>;

const settle = prepareCommand(
  'settle notifications',
  // The number of attempts shows whether the claim still holds, as in `saveAttemptOutcomes`.
  `update customer_notification n set state = s.state, due_at = s.due_at, outcome = s.outcome, settled_at = s.settled_at
   from json_to_recordset($1::json) as s(id uuid, attempts int, state text, due_at timestamptz, outcome text, settled_at timestamptz)
   where n.id = s.id and n.attempts = s.attempts and n.state = 'QUEUED'`,
);
const settleNotifications = (outcomes: readonly NotificationOutcome[]) =>
  settle(
    JSON.stringify(
      outcomes.map(({ id, attempts, state, dueAt, outcome, settledAt }) => ({
        ...{ id, attempts, state, due_at: dueAt, outcome, settled_at: settledAt },
      })),
    ),
  );

/** Stores the outcome of an attempt, unless its claim has ended. */
export const saveNotificationOutcome = (db: Database, outcome: NotificationOutcome) =>
  executeWrite(db, settleNotifications([outcome]));

const settleReleased = prepareWriteReturningColumn<string>(
  'settle released notifications',
  `with ended as (
     select n.id, bool_or(d.state = 'DONE') as accepted, max(d.outcome) filter (where d.state <> 'PENDING') as outcome
     from customer_notification n
     left join merchant_delivery d on d.session_id = n.session_id and d.sequence = n.sequence
       and d.type = 'customer.notification_requested'
     where n.state = 'QUEUED' and n.released
     group by n.id
     having coalesce(bool_or(d.state = 'DONE'), false) or not coalesce(bool_or(d.state = 'PENDING'), false)
   )
   update customer_notification n set settled_at = $1::timestamptz,
     state = case when ended.accepted then 'SENT' else 'FAILED' end,
     outcome = coalesce(case when ended.accepted then null else ended.outcome end, case when ended.accepted then 'ACCEPTED' else 'NO_ENDPOINT' end)
   from ended where n.id = ended.id and n.state = 'QUEUED' returning n.kind || ' ' || n.state`,
);

/**
 * Settles the released notifications that an endpoint has accepted (SENT), or all endpoints have parked (FAILED).
 * Returns the kind and the new state of each, separated by a space.
 */
export const settleReleasedNotifications = (db: Database, now: Date): Promise<string[]> =>
  settleReleased(db, now.toISOString());

/** Whether the feed has transitions behind the cursor. */
export async function hasTransitionsWithoutNotifications(db: Queryable): Promise<boolean> {
  const [row] = await pending(db);
  return row?.isBehind ?? false;
}

const pendingFields = createRowMapper<typeof notificationCursor, { isBehind: boolean }>(
  notificationCursor,
  'c',
  {
    isBehind: 'c.position < (select coalesce(max(position), 0) from feed)',
  },
);
const pending = prepareQuery(
  'notification cursor',
  pendingFields,
  `select ${pendingFields.list} from notification_cursor c where c.id = ${CURSOR}`,
);

/** Maximum number of reminders that one round records. */
const MAX_REMINDERS = 50;
const reminderFields = createRowMapper(meetings, 'm', {}, ['sessionId', 'startsAt']);
const withoutReminder = prepareQuery(
  'meetings without reminder',
  reminderFields,
  // The index of booked meetings has few entries. A meeting that was booked too late for a reminder gets none.
  `select ${reminderFields.list} from meeting m
   where m.status = 'SCHEDULED' and m.starts_at > $1::timestamptz and m.starts_at <= $2::timestamptz
     and m.created_at < m.starts_at - ($2::timestamptz - $1::timestamptz)
     and ($3::uuid is null or m.session_id = $3::uuid)
     and not exists (
       select from customer_notification n
       where n.session_id = m.session_id and n.kind = 'MEETING_REMINDER' and n.queued_at >= m.created_at)
   order by m.starts_at limit ${MAX_REMINDERS}`,
);

/**
 * Finds booked meetings that begin within `minutes` and have no reminder yet, of one session or of all (null). A reminder
 * that staff requested counts.
 */
export const findMeetingsWithoutReminder = (
  db: Queryable,
  sessionId: string | null,
  now: Date,
  minutes: number,
) =>
  withoutReminder(db, now.toISOString(), new Date(now.getTime() + minutes * 60_000).toISOString(), sessionId);

/** Notifications that are due and not sent, counted up to 10,000. */
export interface NotificationBacklog {
  readonly due: number;
  /** Seconds for which the oldest of them has been due; null if there is none. */
  readonly oldestSeconds: number | null;
}

const BACKLOG = `select
  (select count(*)::int from (select from customer_notification n
    where n.state = 'QUEUED' and not n.released and n.due_at <= $1::timestamptz limit 10000) counted) as due,
  (select extract(epoch from $1::timestamptz - min(n.due_at))::float8 from customer_notification n
    where n.state = 'QUEUED' and not n.released and n.due_at <= $1::timestamptz) as "oldestSeconds"`;

/** Reads how many notifications are due, by an index alone. */
export async function readNotificationBacklog(pool: pg.Pool, now: Date): Promise<NotificationBacklog> {
  const { rows } = await pool.query<NotificationBacklog>(BACKLOG, [now.toISOString()]);
  return rows[0] ?? { due: 0, oldestSeconds: null };
}
