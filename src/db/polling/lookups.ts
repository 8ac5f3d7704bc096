import { eq, sql } from 'drizzle-orm';
import type { Queryable } from '../connection/client.ts';
import { lookups, sessions, startIntents } from '../schema/tables.ts';

export type LookupRow = typeof lookups.$inferSelect;

/**
 * Plans a look-up (question to the provider about a verification). If one is planned already, its `since` and
 * `dueAt` are replaced, so that the time until the gateway gives up starts again.
 */
export const scheduleLookup = (db: Queryable, row: LookupRow) =>
  db
    .insert(lookups)
    .values(row)
    .onConflictDoUpdate({ target: lookups.verificationId, set: { since: row.since, dueAt: row.dueAt } });

/**
 * Plans a look-up (question to the provider) for every open start without a session, the newest first: the
 * first at `from`, each next one `everyMs` later. A look-up that is already planned for an earlier time keeps
 * that time. `since` is at least `oldestSince`, so that the search for an old start is not given up
 * immediately. Returns the number of starts.
 */
export async function scheduleLookupsOfOpenStarts(
  db: Queryable,
  from: Date,
  everyMs: number,
  oldestSince: Date,
): Promise<number> {
  // Inserts in verification-id order, so that concurrent runs lock rows in the same order and cannot
  // deadlock.
  const { rows } = await db.write<{ count: number }>(sql`
    with planned as (
      select verification_id, greatest(created_at, ${oldestSince.toISOString()}::timestamptz) as since,
        ${from.toISOString()}::timestamptz
          + (row_number() over (order by created_at desc, verification_id) - 1) * ${everyMs}::float8 * interval '1 ms' as due_at
      from ${startIntents} i
      where state = 'OPEN' and not exists (select from ${sessions} s where s.verification_id = i.verification_id)
    ), stored as (
      insert into ${lookups} (verification_id, since, due_at)
      select verification_id, since, due_at from planned order by verification_id
      on conflict (verification_id) do update set due_at = least(${lookups.dueAt}, excluded.due_at)
    )
    select count(*)::int as count from planned`);
  return rows[0]?.count ?? 0;
}

export async function findLookup(db: Queryable, verificationId: string): Promise<LookupRow | null> {
  const [row] = await db.select().from(lookups).where(eq(lookups.verificationId, verificationId));
  return row ?? null;
}

export const rescheduleLookup = (db: Queryable, verificationId: string, dueAt: Date) =>
  db.update(lookups).set({ dueAt }).where(eq(lookups.verificationId, verificationId));

/** Deletes a planned look-up, because the verification was found or the search is given up. */
export const deleteLookup = (db: Queryable, verificationId: string) =>
  db.delete(lookups).where(eq(lookups.verificationId, verificationId));
