import { and, eq, ne, sql } from 'drizzle-orm';
import type { Queryable } from './client.ts';
import { startIntents } from './tables.ts';

export type IntentRow = typeof startIntents.$inferSelect;

/**
 * Stores an intent, or leaves the one that is there; returns the stored row. Null where there is none: another
 * intent is about to replace the same session.
 */
export async function insertIntent(db: Queryable, row: IntentRow): Promise<IntentRow | null> {
  const [inserted] = await db.insert(startIntents).values(row).onConflictDoNothing().returning();
  return inserted ?? findIntent(db, row.verificationId);
}

export async function findIntent(db: Queryable, verificationId: string): Promise<IntentRow | null> {
  const [row] = await db.select().from(startIntents).where(eq(startIntents.verificationId, verificationId));
  return row ?? null;
}

/** Says that the provider is about to be asked; returns how often that was said, this time included. */
export async function countSend(db: Queryable, verificationId: string): Promise<number> {
  const [row] = await db
    .update(startIntents)
    .set({ sends: sql`${startIntents.sends} + 1` })
    .where(eq(startIntents.verificationId, verificationId))
    .returning({ sends: startIntents.sends });
  return row?.sends ?? 0;
}

export const markIntent = (
  db: Queryable,
  verificationId: string,
  marks: Partial<Pick<IntentRow, 'userId' | 'state'>>,
) => db.update(startIntents).set(marks).where(eq(startIntents.verificationId, verificationId));

/** Puts another intent in the place of a refused one; returns what then stands. */
export async function replaceRefusedIntent(db: Queryable, intent: IntentRow): Promise<IntentRow | null> {
  const refused = and(
    eq(startIntents.verificationId, intent.verificationId),
    eq(startIntents.state, 'REFUSED'),
  );
  const [replaced] = await db.update(startIntents).set(intent).where(refused).returning();
  return replaced ?? insertIntent(db, intent);
}

/** True for the one call that completes the intent, false for every later one. */
export async function completeIntent(db: Queryable, verificationId: string): Promise<boolean> {
  const completed = await db
    .update(startIntents)
    .set({ state: 'DONE' })
    .where(and(eq(startIntents.verificationId, verificationId), ne(startIntents.state, 'DONE')))
    .returning({ id: startIntents.sessionId });
  return completed.length > 0;
}
