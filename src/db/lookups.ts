import { eq } from 'drizzle-orm';
import type { Queryable } from './client.ts';
import { lookups } from './tables.ts';

export type LookupRow = typeof lookups.$inferSelect;

/** Has a verification looked for at the provider; a new reason begins the search anew. */
export const planLookup = (db: Queryable, row: LookupRow) =>
  db
    .insert(lookups)
    .values(row)
    .onConflictDoUpdate({ target: lookups.verificationId, set: { since: row.since, dueAt: row.dueAt } });

export async function findLookup(db: Queryable, verificationId: string): Promise<LookupRow | null> {
  const [row] = await db.select().from(lookups).where(eq(lookups.verificationId, verificationId));
  return row ?? null;
}

export const postponeLookup = (db: Queryable, verificationId: string, dueAt: Date) =>
  db.update(lookups).set({ dueAt }).where(eq(lookups.verificationId, verificationId));

/** Ends the search: it was found, or is given up. */
export const endLookup = (db: Queryable, verificationId: string) =>
  db.delete(lookups).where(eq(lookups.verificationId, verificationId));
