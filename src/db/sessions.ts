import { and, asc, desc, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import type { SessionState } from '../domain/session.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import type { Queryable, Transaction } from './client.ts';
import { sessions } from './tables.ts';

export type SessionRow = typeof sessions.$inferSelect;

/** The state that the rules judge by. */
export const stateOf = (row: SessionRow): SessionState => ({
  status: row.status,
  subStatus: row.subStatus,
  version: row.version,
  lastSequence: row.lastSequence,
  disputed: row.disputed,
  decidedHere: row.decidedHere,
  provider: {
    rawStatus: row.providerStatus,
    rawSubStatus: row.providerSubStatus,
    eventTime: row.providerEventTime,
    webhooks: row.providerWebhooks,
  },
});

/** Locks the row until the transaction ends: sequences are given out one at a time. */
export async function lockSession(tx: Transaction, verificationId: string): Promise<SessionRow | null> {
  const [row] = await tx
    .select()
    .from(sessions)
    .where(eq(sessions.verificationId, verificationId))
    .for('update');
  return row ?? null;
}

/** The same by the session's own id. */
export async function lockSessionById(tx: Transaction, id: string): Promise<SessionRow | null> {
  const [row] = await tx.select().from(sessions).where(eq(sessions.id, id)).for('update');
  return row ?? null;
}

/** False where another transaction made it first; that one has then been waited for. */
export async function insertSession(tx: Transaction, row: SessionRow): Promise<boolean> {
  const inserted = await tx
    .insert(sessions)
    .values(row)
    .onConflictDoNothing({ target: sessions.verificationId })
    .returning({ id: sessions.id });
  return inserted.length > 0;
}

/** Changes a session whose row is locked. */
export async function updateSession(tx: Transaction, row: SessionRow): Promise<void> {
  const { id, ...values } = row;
  await tx.update(sessions).set(values).where(eq(sessions.id, id));
}

export const findSessions = (db: Queryable, ids: readonly string[]): Promise<SessionRow[]> =>
  db
    .select()
    .from(sessions)
    .where(inArray(sessions.id, [...ids]));

export const findSessionsByVerificationId = (db: Queryable, ids: readonly string[]): Promise<SessionRow[]> =>
  db
    .select()
    .from(sessions)
    .where(inArray(sessions.verificationId, [...ids]));

/** The session that took the place of another. */
export async function findReplacement(db: Queryable, replacedId: string): Promise<SessionRow | null> {
  const [row] = await db.select().from(sessions).where(eq(sessions.replacesId, replacedId));
  return row ?? null;
}

export const findReplacements = (db: Queryable, replacedIds: readonly string[]): Promise<SessionRow[]> =>
  db
    .select()
    .from(sessions)
    .where(inArray(sessions.replacesId, [...replacedIds]));

export interface SessionFilter {
  readonly status?: readonly Status[] | undefined;
  readonly subStatus?: readonly SubStatus[] | undefined;
  /** Only these verification ids: what a customer may see. */
  readonly verificationIds?: readonly string[] | undefined;
}

/** The newest sessions first, after (older than) `after`. Ids are time-ordered and break ties. */
export const pageOfSessions = (
  db: Queryable,
  filter: SessionFilter,
  limit: number,
  after: { createdAt: Date; id: string } | null,
): Promise<SessionRow[]> =>
  db
    .select()
    .from(sessions)
    .where(
      and(
        ...matching(filter),
        after
          ? or(
              lt(sessions.createdAt, after.createdAt),
              and(eq(sessions.createdAt, after.createdAt), lt(sessions.id, after.id)),
            )
          : undefined,
      ),
    )
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .limit(limit);

/** Counts no further than `most`: an exact count of a large table is not worth its time. */
export async function countSessions(db: Queryable, filter: SessionFilter, most: number): Promise<number> {
  const counted = db
    .select({ one: sql`1` })
    .from(sessions)
    .where(and(...matching(filter)))
    .limit(most)
    .as('counted');
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(counted);
  return row?.count ?? 0;
}

const matching = (filter: SessionFilter): (SQL | undefined)[] => [
  filter.status && inArray(sessions.status, [...filter.status]),
  filter.subStatus && inArray(sessions.subStatus, [...filter.subStatus]),
  filter.verificationIds && inArray(sessions.verificationId, [...filter.verificationIds]),
];

/** A user's sessions, newest first; for the loader of a page of users. */
export const sessionsOfUsers = (db: Queryable, userIds: readonly string[]): Promise<SessionRow[]> =>
  db
    .select()
    .from(sessions)
    .where(inArray(sessions.userId, [...userIds]))
    .orderBy(asc(sessions.userId), desc(sessions.createdAt), desc(sessions.id));
