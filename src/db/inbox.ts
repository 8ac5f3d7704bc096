import { asc, eq, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from './client.ts';
import { inbox } from './tables.ts';

export type InboxRow = typeof inbox.$inferSelect;

/** Where a webhook's body is bound to; see `Sealer`. */
export const placeOfWebhook = (bodyHash: Buffer): string => `webhook_inbox:${bodyHash.toString('hex')}`;

/** Stores a webhook; false where the same bytes are stored already. */
export async function insertWebhook(db: Queryable, row: typeof inbox.$inferInsert): Promise<boolean> {
  const inserted = await db.insert(inbox).values(row).onConflictDoNothing().returning({ id: inbox.id });
  return inserted.length > 0;
}

/** Claims the oldest webhook whose session has no older one waiting; other workers pass it over meanwhile. */
export async function claimWebhook(tx: Transaction): Promise<InboxRow | null> {
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
  outcome: Partial<Pick<InboxRow, 'state' | 'reason' | 'attempts'>>,
) => db.update(inbox).set(outcome).where(eq(inbox.id, id));

/** Puts parked webhooks of a session back in line, since what they waited for has happened. */
export const unparkWebhooks = (db: Queryable, verificationId: string) =>
  db
    .update(inbox)
    .set({ state: 'PENDING', reason: null, attempts: 0 })
    .where(sql`${inbox.verificationId} = ${verificationId} and ${inbox.state} = 'PARKED'`);
