import { and, eq, gt, ne, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from '../connection/client.ts';
import { type IntentState, startIntents } from '../schema/tables.ts';

export type IntentRow = typeof startIntents.$inferSelect;

/**
 * Inserts an intent unless one exists for the verification id; returns the stored row. Returns null if the
 * insert conflicts with another intent that replaces the same session.
 */
export async function insertIntent(db: Queryable, row: IntentRow): Promise<IntentRow | null> {
  const [inserted] = await db.insert(startIntents).values(row).onConflictDoNothing().returning();
  return inserted ?? findIntent(db, row.verificationId);
}

export async function findIntent(db: Queryable, verificationId: string): Promise<IntentRow | null> {
  const [row] = await db.select().from(startIntents).where(eq(startIntents.verificationId, verificationId));
  return row ?? null;
}

/**
 * Increments `sends`, the number of times that a start may have been sent, just before the provider is
 * called.
 */
export const incrementSends = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ sends: sql`${startIntents.sends} + 1` })
    .where(eq(startIntents.verificationId, verificationId));

/**
 * Marks every open start that counts as unsent as possibly sent, because the database may have lost the
 * count. From then on a GET decides before anything is sent again.
 */
export async function distrustSends(db: Queryable): Promise<void> {
  await db.write(sql`
    with locked as (
      select verification_id from ${startIntents} where state = 'OPEN' and sends = 0
      order by verification_id for update
    )
    update ${startIntents} set sends = 1 from locked
    where ${startIntents.verificationId} = locked.verification_id and state = 'OPEN' and sends = 0`);
}

/**
 * Decrements `sends` after a call that never left or that the provider refused: no verification came of it.
 */
export const decrementSends = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ sends: sql`${startIntents.sends} - 1` })
    .where(and(eq(startIntents.verificationId, verificationId), gt(startIntents.sends, 0)));

/**
 * Stores the user whom a start verifies, unless a concurrent call of the same start stored one first. Returns
 * the row id of the stored user.
 */
export async function claimUser(db: Queryable, verificationId: string, userId: string): Promise<string> {
  const [intent] = await db
    .update(startIntents)
    .set({ userId: sql`coalesce(${startIntents.userId}, ${userId}::uuid)` })
    .where(eq(startIntents.verificationId, verificationId))
    .returning({ userId: startIntents.userId });
  return intent?.userId ?? userId;
}

/**
 * Replaces the user whom a start verifies, after the provider's answer showed that another user belongs to
 * this start.
 */
export const replaceUser = (db: Queryable, verificationId: string, userId: string) =>
  db.update(startIntents).set({ userId }).where(eq(startIntents.verificationId, verificationId));

/** Marks an unsent open intent as REFUSED, so that another input may replace it. */
export const markRefused = (db: Queryable, verificationId: string) =>
  markOpen(db, verificationId, 0, 'REFUSED');

/** Marks an open intent as REFUSED because the provider has its verification id for another input. */
export const markSuperseded = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ state: 'REFUSED' })
    .where(and(eq(startIntents.verificationId, verificationId), eq(startIntents.state, 'OPEN')));

/**
 * Marks a verification id as TAKEN by another system, if the intent was sent only once. Returns false
 * otherwise, since another send may have created our own verification.
 */
export const markIdConflict = (db: Queryable, verificationId: string) =>
  markOpen(db, verificationId, 1, 'TAKEN');

async function markOpen(
  db: Queryable,
  verificationId: string,
  sends: number,
  state: IntentState,
): Promise<boolean> {
  const marked = await db
    .update(startIntents)
    .set({ state })
    .where(
      and(
        eq(startIntents.verificationId, verificationId),
        eq(startIntents.state, 'OPEN'),
        eq(startIntents.sends, sends),
      ),
    )
    .returning({ id: startIntents.sessionId });
  return marked.length > 0;
}

/** Replaces a REFUSED intent by another one; returns the stored intent. */
export async function replaceRefusedIntent(db: Queryable, intent: IntentRow): Promise<IntentRow | null> {
  const refused = and(
    eq(startIntents.verificationId, intent.verificationId),
    eq(startIntents.state, 'REFUSED'),
  );
  const [replaced] = await db.update(startIntents).set(intent).where(refused).returning();
  return replaced ?? insertIntent(db, intent);
}

/**
 * Gives a verification id that was marked as TAKEN back to the start that it turned out to belong to. Returns
 * the stored intent; null if it is not TAKEN any more.
 */
export async function reclaimIntent(db: Queryable, intent: IntentRow): Promise<IntentRow | null> {
  const taken = and(eq(startIntents.verificationId, intent.verificationId), eq(startIntents.state, 'TAKEN'));
  const [reclaimed] = await db.update(startIntents).set(intent).where(taken).returning();
  return reclaimed ?? null;
}

/**
 * Marks a verification id as TAKEN by another system, so that no start here uses it. Returns the caller of an
 * existing intent, or null without one. Returns false if a start of this id is open or done. Locks the intent
 * row.
 */
export async function claimExternalId(
  tx: Transaction,
  claim: Pick<IntentRow, 'verificationId' | 'provider' | 'sessionId' | 'createdAt'>,
): Promise<{ caller: string | null } | false> {
  const inserted = await tx
    .insert(startIntents)
    .values({ ...claim, caller: '', inputHash: Buffer.alloc(0), sends: 0, state: 'TAKEN' })
    .onConflictDoNothing()
    .returning({ id: startIntents.sessionId });
  if (inserted.length > 0) return { caller: null };
  const given = eq(startIntents.verificationId, claim.verificationId);
  const [intent] = await tx.select().from(startIntents).where(given).for('update');
  if (intent?.state !== 'TAKEN' && intent?.state !== 'REFUSED') return false;
  await tx.update(startIntents).set({ state: 'TAKEN', provider: claim.provider }).where(given);
  return { caller: intent.caller || null };
}

/**
 * Marks an intent as DONE, which means that its session is recorded. Returns true only for the first call.
 */
export async function completeIntent(db: Queryable, verificationId: string): Promise<boolean> {
  const completed = await db
    .update(startIntents)
    .set({ state: 'DONE' })
    .where(and(eq(startIntents.verificationId, verificationId), ne(startIntents.state, 'DONE')))
    .returning({ id: startIntents.sessionId });
  return completed.length > 0;
}
