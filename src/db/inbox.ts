import { asc, desc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from './client.ts';
import { type InboxState, inbox } from './tables.ts';

export type InboxRow = typeof inbox.$inferSelect;

/** Where a webhook's body is bound to; see `Sealer`. */
export const placeOfWebhook = (bodyHash: Buffer): string => `webhook_inbox:${bodyHash.toString('hex')}`;

/** Stores a webhook; false where the same bytes are stored already. */
export async function insertWebhook(db: Queryable, row: typeof inbox.$inferInsert): Promise<boolean> {
  const inserted = await db.insert(inbox).values(row).onConflictDoNothing().returning({ id: inbox.id });
  return inserted.length > 0;
}

/**
 * Until the transaction ends. In a burst the planner's statistics are of before: expecting a few rows in line it would
 * read all of them for every claim, which makes a backlog grow with its square.
 */
const READ_AS_A_QUEUE = sql`select ${sql.join(
  ['bitmapscan', 'hashjoin', 'material', 'mergejoin', 'seqscan', 'sort'].map(
    (name) => sql`set_config(${`enable_${name}`}, 'off', true)`,
  ),
  sql`, `,
)}`;

/** Claims the oldest webhook whose session has no older one waiting; other workers pass it over meanwhile. */
export async function claimWebhook(tx: Transaction): Promise<InboxRow | null> {
  await tx.execute(READ_AS_A_QUEUE);
  const isFirstOfItsSession = sql`not exists (
    select 1 from ${inbox} earlier
    where earlier.verification_id = ${inbox.verificationId} and earlier.state = 'PENDING' and earlier.id < ${inbox.id}
  )`;
  const [row] = await tx
    .select()
    .from(inbox)
    .where(sql`${inbox.state} = 'PENDING' and ${isFirstOfItsSession}`)
    .orderBy(asc(inbox.id))
    .limit(1)
    .for('update', { skipLocked: true });
  return row ?? null;
}

export const settleWebhook = (
  db: Queryable,
  id: bigint,
  outcome: Partial<Pick<InboxRow, 'state' | 'reason' | 'attempts' | 'verificationId' | 'body'>>,
) => db.update(inbox).set(outcome).where(eq(inbox.id, id));

const waitingOf = (verificationId: string) =>
  sql`${inbox.verificationId} = ${verificationId} and ${inbox.state} = 'WAITING'`;

/** Why webhooks were parked whose verification the provider does not have either. */
export const UNKNOWN_THERE = 'Neither this gateway nor the provider knows this verification id.';

/** Puts the webhooks of a session that is known by now back in line, given up or not. */
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
