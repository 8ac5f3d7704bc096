import { asc, desc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from '../connection/client.ts';
import { inbox, type WebhookInboxState } from '../schema/tables.ts';
import { type LockedSession, lockedSessionMapper } from '../sessions/sessions.ts';
import { prepareCommand, prepareQuery, prepareWriteReturningColumn } from '../statements/prepared.ts';
import { createJsonRecordset, createRowMapper } from '../statements/row-mapper.ts';

export type InboxRow = typeof inbox.$inferSelect;

/**
 * Returns the context (AAD) that an encrypted webhook body is bound to, so that it cannot be moved to another
 * row; see `Sealer`.
 */
export const getWebhookBodySealingContext = (bodyHash: Buffer): string =>
  `webhook_inbox:${bodyHash.toString('hex')}`;

export type NewInboxRow = Omit<InboxRow, 'id' | 'attempts'>;

/**
 * Stores webhooks, except those whose body is already stored (repeated deliveries, idempotent). Returns the
 * ids of the stored webhooks that are queued (PENDING).
 */
export async function insertWebhooks(db: Queryable, rows: readonly NewInboxRow[]): Promise<bigint[]> {
  // Inserts in verification-id order: two replicas that store the same webhooks then take row locks in the
  // same order, and cannot deadlock.
  const inOrder = rows.toSorted((a, b) => compare(a.verificationId ?? '', b.verificationId ?? ''));
  const ids = await insertNewWebhooks(db, received.serialize(inOrder));
  return ids.filter((id) => id !== null).map(BigInt);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const received = createJsonRecordset(inbox, ['id', 'attempts']);
const insertNewWebhooks = prepareWriteReturningColumn<string | null>(
  'keep webhooks',
  `insert into webhook_inbox (${received.columns}) select ${received.columns} from ${received.fromParameter('$1')}
   on conflict do nothing returning case when state = 'PENDING' then id::text end`,
);

/**
 * Locks (SKIP LOCKED) the sessions of new webhooks that can be recorded immediately: the session row is not
 * locked, no earlier webhook of the session is queued, the body is not a duplicate, and the session's
 * personal data was not erased.
 */
export const lockImmediatelyRecordableSessions = (
  tx: Transaction,
  webhooks: readonly { verificationId: string; bodyHash: Buffer }[],
): Promise<LockedSession[]> =>
  selectReadySessions(
    tx,
    webhooks.map(({ verificationId }) => verificationId),
    webhooks.map(({ bodyHash }) => bodyHash),
  );

/**
 * SQL subquery for the id of a queued webhook of a verification; null if none is queued. It is a scalar
 * subquery whose conditions match only the per-session index: as a join, or with the queue's index, it would
 * read the whole backlog.
 */
const oldestPendingOf = (verificationId: string, before = '') => `(
  select ahead.id from webhook_inbox ahead
  where ahead.verification_id = ${verificationId} ${before}
    and ahead.state <> 'DONE' and ahead.state || '' = 'PENDING'
  limit 1
)`;

const selectReadySessions = prepareQuery(
  'sessions free',
  lockedSessionMapper,
  `select ${lockedSessionMapper.list}
   from unnest($1::text[], $2::bytea[]) as arrived(verification_id, body_hash)
   join vkyc_session on vkyc_session.verification_id = arrived.verification_id
   where vkyc_session.erased_at is null
     and (select same.id from webhook_inbox same where same.body_hash = arrived.body_hash) is null
     and ${oldestPendingOf('arrived.verification_id')} is null
   for update of vkyc_session skip locked`,
);

/**
 * Disables sorting while webhooks are claimed from the queue. Otherwise, with stale statistics and a bloated
 * index `webhook_inbox_queue`, the planner would read and sort all PENDING webhooks for every claim. Other
 * statements need sorting.
 */
const disableSort = prepareCommand('disable sort', `select set_config('enable_sort', 'off', true)`);
const enableSort = prepareCommand('enable sort', `select set_config('enable_sort', 'on', true)`);

/**
 * Sets a short lock timeout for a transaction that processes several webhooks: one locked session must not
 * delay the others. A webhook whose session stays locked is retried alone, with the normal timeout.
 */
const setShortLockTimeout = prepareCommand(
  'wait not for long',
  `select set_config('lock_timeout', '250ms', true)`,
);

/**
 * Claims queued webhooks with an id above `behind` (0: all), oldest first, and only the oldest of each
 * session, to keep the order within a session. Other workers skip claimed webhooks until the transaction ends
 * (SKIP LOCKED).
 */
export function claimWebhooks(tx: Transaction, limit: number, behind: bigint): Promise<InboxRow[]> {
  if (limit > 1) tx.start(setShortLockTimeout());
  tx.start(disableSort());
  const claimed = selectOldestPending(tx, limit, behind);
  tx.start(enableSort());
  return claimed;
}

const inboxFields = createRowMapper(inbox, 'w');
const selectOldestPending = prepareQuery(
  'first webhooks in line',
  inboxFields,
  `select ${inboxFields.list} from webhook_inbox w
   where w.state = 'PENDING' and w.id > $2::bigint and ${oldestPendingOf('w.verification_id', 'and ahead.id < w.id')} is null
   order by w.id limit $1 for update skip locked`,
);

export const updateInboxWebhook = (
  db: Queryable,
  id: bigint,
  outcome: Partial<Pick<InboxRow, 'state' | 'reason' | 'attempts' | 'verificationId' | 'body'>>,
) => db.update(inbox).set(outcome).where(eq(inbox.id, id));

const isWaitingFor = (verificationId: string) =>
  sql`${inbox.verificationId} = ${verificationId} and ${inbox.state} = 'WAITING'`;

/** Reason stored with parked webhooks (dead letters) whose verification is unknown to the provider too. */
export const REASON_UNKNOWN_AT_PROVIDER = 'Neither the gateway nor the provider knows this verification id.';

/**
 * Queues the webhooks of a session that now exists: those that wait for it (WAITING), and those parked as
 * dead letters because the session was unknown.
 */
export const requeueWebhooksOfFoundSession = (db: Queryable, verificationId: string) =>
  db
    .update(inbox)
    .set({ state: 'PENDING', reason: null })
    .where(
      sql`${inbox.verificationId} = ${verificationId} and (${inbox.state} = 'WAITING'
        or (${inbox.state} = 'PARKED' and ${inbox.reason} = ${REASON_UNKNOWN_AT_PROVIDER}))`,
    );

/**
 * Returns the provider of the webhooks that wait for a session with this verification id; null if none wait.
 * If several providers sent such webhooks, returns the provider of the oldest one.
 */
export async function findProviderOfWaitingWebhooks(
  db: Queryable,
  verificationId: string,
): Promise<string | null> {
  const [oldest] = await db
    .select({ provider: inbox.provider })
    .from(inbox)
    .where(isWaitingFor(verificationId))
    .orderBy(asc(inbox.id))
    .limit(1);
  return oldest?.provider ?? null;
}

/** Parks (as dead letters) the webhooks that wait for a session with this verification id. */
export const parkWaitingWebhooks = (db: Queryable, verificationId: string, reason: string) =>
  db.update(inbox).set({ state: 'PARKED', reason }).where(isWaitingFor(verificationId));

/** Lists the newest webhooks in a state (null: in any state), without their bodies. */
export const listWebhooks = (db: Queryable, state: WebhookInboxState | null, limit: number) => {
  const { body: _body, bodyHash: _bodyHash, ...columns } = getTableColumns(inbox);
  return db
    .select(columns)
    .from(inbox)
    .where(state === null ? undefined : eq(inbox.state, state))
    .orderBy(desc(inbox.id))
    .limit(limit);
};

export const findWebhooksById = (db: Queryable, ids: readonly bigint[]): Promise<InboxRow[]> =>
  db
    .select()
    .from(inbox)
    .where(inArray(inbox.id, [...ids]))
    .orderBy(asc(inbox.id));

/** Returns the state and reason of the webhooks with these ids, without their bodies. */
export const findWebhookStates = (db: Queryable, ids: readonly bigint[]) =>
  db
    .select({ id: inbox.id, state: inbox.state, reason: inbox.reason })
    .from(inbox)
    .where(inArray(inbox.id, [...ids]))
    .orderBy(asc(inbox.id));

/**
 * Queues webhooks again, whatever their state. Harmless (idempotent): an update that is already recorded
 * changes nothing.
 */
export const requeueWebhooks = (db: Queryable, ids: readonly bigint[]) =>
  db
    .update(inbox)
    .set({ state: 'PENDING', reason: null, attempts: 0 })
    .where(inArray(inbox.id, [...ids]));
