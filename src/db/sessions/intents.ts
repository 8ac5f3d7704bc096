import { and, eq, gt, ne, sql } from 'drizzle-orm';
import type { Queryable, Transaction } from '../connection/client.ts';
import { type StartIntentState, startIntents } from '../schema/tables.ts';

export type StartIntentRow = typeof startIntents.$inferSelect;

/**
 * Inserts a start intent (stored request to start a session) unless one exists for the verification id.
 * Returns the stored intent; null if the insert conflicts with another intent that replaces the same session.
 */
export async function insertOrFindStartIntent(
  db: Queryable,
  row: StartIntentRow,
): Promise<StartIntentRow | null> {
  const [inserted] = await db.insert(startIntents).values(row).onConflictDoNothing().returning();
  return inserted ?? findStartIntent(db, row.verificationId);
}

export async function findStartIntent(db: Queryable, verificationId: string): Promise<StartIntentRow | null> {
  const [row] = await db.select().from(startIntents).where(eq(startIntents.verificationId, verificationId));
  return row ?? null;
}

/**
 * Increments `sends`, the number of times that a start may have been sent to the provider. Must be called
 * just before each call, so that a crash during the call does not hide the call.
 */
export const incrementStartSendCount = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ sends: sql`${startIntents.sends} + 1` })
    .where(eq(startIntents.verificationId, verificationId));

/**
 * Marks every open start that counts as unsent as possibly sent, because a failover may have lost the count.
 * The provider is then asked with GET before such a start is sent again.
 */
export async function markUnsentStartsAsSent(db: Queryable): Promise<void> {
  await db.write(sql`
    with locked as (
      select verification_id from ${startIntents} where state = 'OPEN' and sends = 0
      order by verification_id for update
    )
    update ${startIntents} set sends = 1 from locked
    where ${startIntents.verificationId} = locked.verification_id and state = 'OPEN' and sends = 0`);
}

/**
 * Decrements `sends` after a call to the provider that was never sent or was refused, and so created no
 * verification.
 */
export const decrementStartSendCount = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ sends: sql`${startIntents.sends} - 1` })
    .where(and(eq(startIntents.verificationId, verificationId), gt(startIntents.sends, 0)));

/**
 * Stores the user (customer) of a start, unless a concurrent call of the same start stored one first. Returns
 * the row id of the stored user.
 */
export async function assignUserToStartIfUnset(
  db: Queryable,
  verificationId: string,
  userId: string,
): Promise<string> {
  const [intent] = await db
    .update(startIntents)
    .set({ userId: sql`coalesce(${startIntents.userId}, ${userId}::uuid)` })
    .where(eq(startIntents.verificationId, verificationId))
    .returning({ userId: startIntents.userId });
  return intent?.userId ?? userId;
}

/**
 * Replaces the user (customer) of a start, after the provider's answer showed that the start belongs to
 * another user.
 */
export const replaceUserOfStart = (db: Queryable, verificationId: string, userId: string) =>
  db.update(startIntents).set({ userId }).where(eq(startIntents.verificationId, verificationId));

/**
 * Makes a start replace no session, so that another start may replace the session: the provider did not accept the
 * start, and the customer got no link.
 */
export const releaseReplacedSession = (tx: Transaction, verificationId: string) =>
  tx.update(startIntents).set({ replacesId: null }).where(eq(startIntents.verificationId, verificationId));

/**
 * Marks an open start intent that was never sent as REFUSED, so that a start with another input may replace
 * it.
 */
export const markUnsentStartAsRefused = (db: Queryable, verificationId: string) =>
  markOpen(db, verificationId, 0, 'REFUSED');

/**
 * Marks an open start intent as REFUSED, because the provider has a verification under this id that was
 * started with another input.
 */
export const markOpenStartAsRefused = (db: Queryable, verificationId: string) =>
  db
    .update(startIntents)
    .set({ state: 'REFUSED' })
    .where(and(eq(startIntents.verificationId, verificationId), eq(startIntents.state, 'OPEN')));

/**
 * Marks a verification id as TAKEN by another system, if our start was sent only once. Otherwise returns
 * false: an earlier send may have created the verification that the provider has.
 */
export const markTakenIfSentOnce = (db: Queryable, verificationId: string) =>
  markOpen(db, verificationId, 1, 'TAKEN');

async function markOpen(
  db: Queryable,
  verificationId: string,
  sends: number,
  state: StartIntentState,
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

/**
 * Replaces a REFUSED start intent by another intent with the same verification id. Returns the stored intent.
 */
export async function replaceRefusedStartIntent(
  db: Queryable,
  intent: StartIntentRow,
): Promise<StartIntentRow | null> {
  const refused = and(
    eq(startIntents.verificationId, intent.verificationId),
    eq(startIntents.state, 'REFUSED'),
  );
  const [replaced] = await db.update(startIntents).set(intent).where(refused).returning();
  return replaced ?? insertOrFindStartIntent(db, intent);
}

/**
 * Overwrites the row of a verification id that was wrongly marked TAKEN (used by another system) with the start
 * intent of this gateway. Returns the stored intent; null if the id is no longer TAKEN.
 */
export async function reclaimTakenStartIntent(
  db: Queryable,
  intent: StartIntentRow,
): Promise<StartIntentRow | null> {
  const taken = and(eq(startIntents.verificationId, intent.verificationId), eq(startIntents.state, 'TAKEN'));
  const [reclaimed] = await db.update(startIntents).set(intent).where(taken).returning();
  return reclaimed ?? null;
}

/**
 * Marks a verification id as TAKEN by another system, so that no start here uses the id. Locks the intent's
 * row. Returns the caller of an earlier intent with this id, or null if there was none; returns false if a
 * start with this id is open or done.
 */
export async function markVerificationIdAsTaken(
  tx: Transaction,
  claim: Pick<StartIntentRow, 'verificationId' | 'provider' | 'sessionId' | 'createdAt'>,
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
 * Marks a start intent as DONE: its session is recorded. Returns true only if the intent was not DONE before.
 */
export async function markStartIntentAsDone(db: Queryable, verificationId: string): Promise<boolean> {
  const completed = await db
    .update(startIntents)
    .set({ state: 'DONE' })
    .where(and(eq(startIntents.verificationId, verificationId), ne(startIntents.state, 'DONE')))
    .returning({ id: startIntents.sessionId });
  return completed.length > 0;
}
