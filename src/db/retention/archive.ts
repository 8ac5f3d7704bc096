/**
 * Moves ended sessions out of the database into an archive file, with the owner's role, one batch per
 * transaction. Batches follow the id order, which is the order of creation, so that neighbouring rows are
 * freed together and their space is reused. Monthly partitions would not do: one session that must stay would
 * keep its whole month, and unique keys (verification ids, meetings, reviews) could not span partitions.
 */
import { and, count, eq, getTableColumns, inArray, is, SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { readAuditEvidence, type SessionAuditEvidence } from '../audit/audit.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import {
  annotations,
  archivedSessions,
  auditBacklog,
  auditEntries,
  customerNotifications,
  doubts,
  feed,
  idempotencyKeys,
  inbox,
  logIdentity,
  meetings,
  merchantDeliveries,
  merchantEndpoints,
  observations,
  outbox,
  reviews,
  sessionLabels,
  sessions,
  startIntents,
  transitions,
  whereTerminal,
} from '../schema/tables.ts';

/**
 * Key of the advisory lock that only one archiving run can hold at a time. The number is arbitrary, but must
 * be the same in every run.
 */
const ARCHIVING_LOCK = 8_529_004;

/**
 * Takes the archiving lock, an advisory lock that this connection holds until it is closed. Returns false if
 * another run holds the lock.
 */
export async function tryAcquireArchiveLock(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ kept: boolean }>('select pg_try_advisory_lock($1) as kept', [
    ARCHIVING_LOCK,
  ]);
  return rows[0]?.kept === true;
}

/**
 * Tables whose rows are archived with their session, in the order in which foreign keys allow deleting the
 * rows. The session row itself is deleted last.
 */
export const ARCHIVED_TABLES = {
  feed,
  sightings: observations,
  reviews,
  annotations,
  labels: sessionLabels,
  meetings,
  transitions,
  entries: auditEntries,
} as const;

/** All rows about one session that are archived. */
export interface ArchivedSessionData extends SessionAuditEvidence {
  readonly feed: readonly (typeof feed.$inferSelect)[];
  readonly sightings: readonly (typeof observations.$inferSelect)[];
}

/**
 * SQL condition for sessions that may be archived: ended before the given time, neither disputed nor escalated,
 * not replaced by a session that stays, and without unfinished work (queued webhook, transition in the outbox,
 * audit backlog, merchant webhook that is not delivered, notification that is not sent). Notes and late updates after the end do not postpone it: they are archived with the session.
 * The session of the newest feed entry stays, because cursors at the end of the feed name that entry.
 */
const isArchivable = (endedBefore: Date) => sql`
  ${whereTerminal(sessions.subStatus)} and not ${sessions.disputed} and not ${sessions.escalated}
  and ${sessions.statusSince} < ${endedBefore.toISOString()}::timestamptz
  and ${sessions.id} is distinct from (select session_id from ${feed} order by position desc limit 1)
  and not exists (select from ${sessions} later where later.replaces_id = ${sessions.id})
  and not exists (select from ${outbox} o where o.session_id = ${sessions.id})
  and not exists (select from ${auditBacklog} b where b.session_id = ${sessions.id})
  and not exists (select from ${inbox} w where w.verification_id = ${sessions.verificationId} and w.state <> 'DONE')
  and not exists (select from ${merchantDeliveries} d where d.session_id = ${sessions.id} and d.state = 'PENDING')
  and not exists (select from ${customerNotifications} n where n.session_id = ${sessions.id} and n.state = 'QUEUED')
  and not exists (
    select from ${feed} f join ${merchantEndpoints} e on e.position < f.position where f.session_id = ${sessions.id}
  )`;

/**
 * Locks (SKIP LOCKED) the next sessions after the id `after` that may be archived, in id order. Returns their
 * ids.
 */
export async function lockArchivableSessions(
  tx: Transaction,
  endedBefore: Date,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from ${sessions} where id > ${after}::uuid and ${isArchivable(endedBefore)}
    order by id limit ${limit} for update skip locked`);
  return rows.map((row) => row.id);
}

export async function countArchivableSessions(db: Queryable, endedBefore: Date): Promise<number> {
  const { rows } = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from ${sessions} where ${isArchivable(endedBefore)}`,
  );
  return rows[0]?.count ?? 0;
}

/** Reads all rows of the sessions with these ids, in the order of `ids`. */
export async function readSessionsForArchiving(
  tx: Transaction,
  ids: readonly string[],
): Promise<ArchivedSessionData[]> {
  const evidence = await readAuditEvidence(tx, ids);
  const places = await tx
    .select()
    .from(feed)
    .where(inArray(feed.sessionId, [...ids]));
  const seen = await tx
    .select()
    .from(observations)
    .where(inArray(observations.sessionId, [...ids]));
  const own = <T extends { sessionId: string; sequence: number }>(rows: readonly T[], id: string): T[] =>
    rows.filter(({ sessionId }) => sessionId === id).toSorted((a, b) => a.sequence - b.sequence);
  return ids.map((id) => ({
    ...(evidence.get(id) as SessionAuditEvidence),
    feed: own(places, id),
    sightings: own(seen, id),
  }));
}

/**
 * Deletes sessions that were written to an archive from the database, and records in `archived_session` which
 * file contains them.
 */
export async function deleteAndRecordArchivedSessions(
  tx: Transaction,
  archives: readonly ArchivedSessionData[],
  archive: { file: string; at: Date },
): Promise<void> {
  const rows = archives.flatMap(({ session }) => session ?? []);
  const ids = rows.map(({ id }) => id);
  const positions = archives.flatMap((archive) => archive.feed.map(({ position }) => position));
  const newest = Math.max(0, ...positions);
  await tx
    .update(logIdentity)
    .set({ archivedPosition: sql`greatest(${logIdentity.archivedPosition}, ${newest})` });
  for (const table of Object.values(ARCHIVED_TABLES))
    await tx.delete(table).where(inArray(table.sessionId, ids));
  await tx.delete(idempotencyKeys).where(inArray(idempotencyKeys.sessionId, ids));
  await tx.delete(doubts).where(inArray(doubts.sessionId, ids));
  await tx.delete(merchantDeliveries).where(inArray(merchantDeliveries.sessionId, ids));
  await tx.delete(customerNotifications).where(inArray(customerNotifications.sessionId, ids));
  // The start intents stay, as DONE: without them, a repeated start or a late webhook would create the
  // session again.
  await tx
    .update(startIntents)
    .set({ state: 'DONE' })
    .where(and(inArray(startIntents.sessionId, ids), eq(startIntents.state, 'OPEN')));
  await tx.delete(sessions).where(inArray(sessions.id, ids));
  await tx.insert(archivedSessions).values(
    rows.map(({ id, verificationId, userId, statusSince }) => ({
      ...{ sessionId: id, verificationId, userId, endedAt: statusSince },
      ...{ archivedAt: archive.at, file: archive.file },
    })),
  );
}

/** Returns the `archived_session` row of a session; null if the session was not archived. */
export async function findArchivedSessionRow(
  db: Queryable,
  sessionId: string,
): Promise<typeof archivedSessions.$inferSelect | null> {
  const [row] = await db.select().from(archivedSessions).where(eq(archivedSessions.sessionId, sessionId));
  return row ?? null;
}

/**
 * Returns the `archived_session` rows of the given sessions. Sessions that were not archived are left out.
 */
export const findArchivedSessionRows = (db: Queryable, ids: readonly string[]) =>
  db
    .select()
    .from(archivedSessions)
    .where(inArray(archivedSessions.sessionId, [...ids]));

/** Returns the ids of the sessions that, according to `archived_session`, an archive file contains. */
export async function findSessionIdsInArchiveFile(db: Queryable, file: string): Promise<string[]> {
  const rows = await db
    .select({ id: archivedSessions.sessionId })
    .from(archivedSessions)
    .where(eq(archivedSessions.file, file));
  return rows.map(({ id }) => id);
}

/** Counts archived sessions by archive file name. */
export async function countArchivedSessionsByFile(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ file: archivedSessions.file, count: count() })
    .from(archivedSessions)
    .groupBy(archivedSessions.file);
  return new Map(rows.map((row) => [row.file, row.count]));
}

/**
 * Returns the ids of sessions that are still in the database although `archived_session` lists them as
 * archived (an inconsistency).
 */
export async function findArchivedSessionIdsStillPresent(db: Queryable): Promise<string[]> {
  const rows = await db
    .select({ id: sessions.id })
    .from(archivedSessions)
    .innerJoin(sessions, eq(sessions.id, archivedSessions.sessionId));
  return rows.map(({ id }) => id);
}

/** Returns those of the given session ids that are in the database. */
export async function filterExistingSessionIds(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(inArray(sessions.id, [...ids]));
  return new Set(rows.map(({ id }) => id));
}

type PlainRow = Record<string, unknown>;

/**
 * Converts a row to JSON values for an archive: times to ISO 8601, bytes (still encrypted) to base64, 64-bit
 * integers to text.
 */
export const toJsonValues = (row: object): PlainRow =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toPlainValue(value)]));

function toPlainValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return typeof value === 'bigint' ? String(value) : value;
}

/**
 * Converts the JSON values of an archived row (see `toJsonValues`) back to a row of the table. An archive of
 * an earlier release lacks columns added since then; such a column gets its default, or null.
 */
export const fromJsonValues = <Table extends PgTable>(table: Table, plain: PlainRow): Table['$inferSelect'] =>
  Object.fromEntries(
    Object.entries<PgColumn>(getTableColumns(table)).map(([name, column]) => {
      const value = plain[name];
      return [name, value === undefined ? findDefault(column) : fromPlainValue(column, value)];
    }),
  );

/** Returns the column's default; null if there is none, or if the default is SQL such as `now()`. */
const findDefault = ({ default: value }: PgColumn): unknown => (is(value, SQL) ? null : (value ?? null));

function fromPlainValue(column: PgColumn, value: unknown): unknown {
  if (value === null) return null;
  if (column.dataType === 'date') return new Date(value as string);
  if (column.dataType === 'bigint') return BigInt(value as string);
  return column.getSQLType() === 'bytea' ? Buffer.from(value as string, 'base64') : value;
}
