import { asc, desc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from './client.ts';
import { fieldsOf, recordsOf } from './fields.ts';
import { preparedRows, preparedWrite, statement } from './prepared.ts';
import { type LockedSession, lockedSessionFields } from './sessions.ts';
import { type InboxState, inbox } from './tables.ts';

export type InboxRow = typeof inbox.$inferSelect;

/** Where a webhook's body is bound to; see `Sealer`. */
export const placeOfWebhook = (bodyHash: Buffer): string => `webhook_inbox:${bodyHash.toString('hex')}`;

export type NewWebhook = Omit<InboxRow, 'id' | 'attempts'>;

/** Stores webhooks that are not stored already, to the letter, and returns the ids of those that are now in line. */
export async function insertWebhooks(db: Queryable, rows: readonly NewWebhook[]): Promise<bigint[]> {
  // By session, which all do, so that two who store the same of several do not wait for each other.
  const inOrder = rows.toSorted((a, b) => compare(a.verificationId ?? '', b.verificationId ?? ''));
  const ids = await keepWebhooks(db, received.write(inOrder));
  return ids.filter((id) => id !== null).map(BigInt);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const received = recordsOf(inbox, ['id', 'attempts']);
const keepWebhooks = preparedWrite<string | null>(
  'keep webhooks',
  `insert into webhook_inbox (${received.columns}) select ${received.columns} from ${received.of('$1')}
   on conflict do nothing returning case when state = 'PENDING' then id::text end`,
);

/**
 * Locks the sessions of webhooks that are not stored yet, where nothing stands before them: nobody holds the session, no
 * earlier webhook of it is in line, and none has the same bytes. Nor where the person was erased, whom nothing is kept of.
 */
export const lockFreeSessions = (
  tx: Transaction,
  webhooks: readonly { verificationId: string; bodyHash: Buffer }[],
): Promise<LockedSession[]> =>
  freeSessions(
    tx,
    webhooks.map(({ verificationId }) => verificationId),
    webhooks.map(({ bodyHash }) => bodyHash),
  );

/**
 * The first in line of a session, if any is. In words that only the index by session answers to, and as a question of its
 * own for each: joined, or by the line's own index, each would read all who are in line.
 */
const firstOf = (verificationId: string, before = '') => `(
  select ahead.id from webhook_inbox ahead
  where ahead.verification_id = ${verificationId} ${before}
    and ahead.state <> 'DONE' and ahead.state || '' = 'PENDING'
  limit 1
)`;

const freeSessions = preparedRows(
  'sessions free',
  lockedSessionFields,
  `select ${lockedSessionFields.list}
   from unnest($1::text[], $2::bytea[]) as arrived(verification_id, body_hash)
   join vkyc_session on vkyc_session.verification_id = arrived.verification_id
   where vkyc_session.erased_at is null
     and (select same.id from webhook_inbox same where same.body_hash = arrived.body_hash) is null
     and ${firstOf('arrived.verification_id')} is null
   for update of vkyc_session skip locked`,
);

/**
 * With sort enabled, stale statistics and a bloated `webhook_inbox_queue`, the planner would read and sort all PENDING
 * webhooks by `webhook_inbox_session` for every claim. Sort is disabled for the claim alone: other statements need it.
 */
const disableSort = statement('disable sort', `select set_config('enable_sort', 'off', true)`);
const enableSort = statement('enable sort', `select set_config('enable_sort', 'on', true)`);

/** Several that are claimed together do not wait long for a session that somebody holds: one by one they can. */
const waitNotForLong = statement('wait not for long', `select set_config('lock_timeout', '250ms', true)`);

/**
 * Claims the oldest webhooks behind an id (0: all), one of each session: its oldest. Other workers pass them over
 * meanwhile.
 */
export function claimWebhooks(tx: Transaction, limit: number, behind: bigint): Promise<InboxRow[]> {
  if (limit > 1) tx.start(waitNotForLong());
  tx.start(disableSort());
  const claimed = firstInLine(tx, limit, behind);
  tx.start(enableSort());
  return claimed;
}

const inboxFields = fieldsOf(inbox, 'w');
const firstInLine = preparedRows(
  'first webhooks in line',
  inboxFields,
  `select ${inboxFields.list} from webhook_inbox w
   where w.state = 'PENDING' and w.id > $2::bigint and ${firstOf('w.verification_id', 'and ahead.id < w.id')} is null
   order by w.id limit $1 for update skip locked`,
);

export const settleWebhook = (
  db: Queryable,
  id: bigint,
  outcome: Partial<Pick<InboxRow, 'state' | 'reason' | 'attempts' | 'verificationId' | 'body'>>,
) => db.update(inbox).set(outcome).where(eq(inbox.id, id));

const waitingOf = (verificationId: string) =>
  sql`${inbox.verificationId} = ${verificationId} and ${inbox.state} = 'WAITING'`;

/** Why webhooks were parked whose verification the provider does not have either. */
export const UNKNOWN_THERE = 'Neither this gateway nor the provider knows this verification id.';

/** Requeues the webhooks of a session that exists by now, those that were given up as well. */
export const releaseWaiting = (db: Queryable, verificationId: string) =>
  db
    .update(inbox)
    .set({ state: 'PENDING', reason: null })
    .where(
      sql`${inbox.verificationId} = ${verificationId} and (${inbox.state} = 'WAITING'
        or (${inbox.state} = 'PARKED' and ${inbox.reason} = ${UNKNOWN_THERE}))`,
    );

/** Whether webhooks wait for a session of this id. */
export async function hasWaiting(db: Queryable, verificationId: string): Promise<boolean> {
  const rows = await db.select({ id: inbox.id }).from(inbox).where(waitingOf(verificationId)).limit(1);
  return rows.length > 0;
}

/** Gives up waiting for a session of this id. */
export const parkWaiting = (db: Queryable, verificationId: string, reason: string) =>
  db.update(inbox).set({ state: 'PARKED', reason }).where(waitingOf(verificationId));

/** The newest webhooks in a state, or in any; without their bodies. */
export const listWebhooks = (db: Queryable, state: InboxState | null, limit: number) => {
  const { body: _body, bodyHash: _bodyHash, ...columns } = getTableColumns(inbox);
  return db
    .select(columns)
    .from(inbox)
    .where(state === null ? undefined : eq(inbox.state, state))
    .orderBy(desc(inbox.id))
    .limit(limit);
};

export const findWebhooks = (db: Queryable, ids: readonly bigint[]): Promise<InboxRow[]> =>
  db
    .select()
    .from(inbox)
    .where(inArray(inbox.id, [...ids]))
    .orderBy(asc(inbox.id));

/** What became of webhooks, without reading them. */
export const findOutcomes = (db: Queryable, ids: readonly bigint[]) =>
  db
    .select({ id: inbox.id, state: inbox.state, reason: inbox.reason })
    .from(inbox)
    .where(inArray(inbox.id, [...ids]))
    .orderBy(asc(inbox.id));

/** Puts webhooks back in line, whatever became of them before: what was recorded already is no news again. */
export const replayWebhooks = (db: Queryable, ids: readonly bigint[]) =>
  db
    .update(inbox)
    .set({ state: 'PENDING', reason: null, attempts: 0 })
    .where(inArray(inbox.id, [...ids]));
