/**
 * What is moved to an archive, and taken out of the database: by its owner, a batch in one transaction, in the order of
 * the ids, which is that of time: what lies together goes together, and its room is used again. Partitions by month
 * could be dropped at once, but only when the last of a month's sessions may go, and verification ids, meetings and
 * reviews could not be unique over all of them.
 */
import { and, count, eq, getTableColumns, inArray, is, SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { type Evidence, readEvidence } from './audit.ts';
import type { Queryable, Transaction } from './client.ts';
import {
  archivedSessions,
  auditBacklog,
  auditEntries,
  doubts,
  feed,
  idempotencyKeys,
  inbox,
  isOver,
  logIdentity,
  meetings,
  outbox,
  reviews,
  sessions,
  sightings,
  startIntents,
  transitions,
} from './tables.ts';

/** Any number will do, as long as every run takes the same. */
const ARCHIVING_LOCK = 8_529_004;

/** False where another run is under way; else no other begins until this connection is closed. */
export async function keepOthersFromArchiving(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ kept: boolean }>('select pg_try_advisory_lock($1) as kept', [
    ARCHIVING_LOCK,
  ]);
  return rows[0]?.kept === true;
}

/** The tables whose rows of a session go with it, the ones that refer to others first; then the session itself. */
export const ARCHIVED = {
  feed,
  sightings,
  reviews,
  meetings,
  transitions,
  entries: auditEntries,
} as const;

/** Everything that is kept of a session, row by row. */
export interface Dossier extends Evidence {
  readonly feed: readonly (typeof feed.$inferSelect)[];
  readonly sightings: readonly (typeof sightings.$inferSelect)[];
}

/**
 * Over for good, longer ago than that: decided, undisputed, nothing about it in line, and no session that stays took
 * its place. The newest of the feed stays, since cursors at its end name it.
 */
const mayGo = (endedBefore: Date) => sql`
  ${isOver(sessions.subStatus)} and not ${sessions.disputed}
  and ${sessions.updatedAt} < ${endedBefore.toISOString()}::timestamptz
  and ${sessions.id} is distinct from (select session_id from ${feed} order by position desc limit 1)
  and not exists (select from ${sessions} later where later.replaces_id = ${sessions.id})
  and not exists (select from ${outbox} o where o.session_id = ${sessions.id})
  and not exists (select from ${auditBacklog} b where b.session_id = ${sessions.id})
  and not exists (select from ${inbox} w where w.verification_id = ${sessions.verificationId} and w.state <> 'DONE')`;

/** The next sessions after an id, which is the order of their beginnings, that may go; they are held until the end. */
export async function lockSessionsToGo(
  tx: Transaction,
  endedBefore: Date,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from ${sessions} where id > ${after}::uuid and ${mayGo(endedBefore)}
    order by id limit ${limit} for update skip locked`);
  return rows.map((row) => row.id);
}

export async function countSessionsToGo(db: Queryable, endedBefore: Date): Promise<number> {
  const { rows } = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from ${sessions} where ${mayGo(endedBefore)}`,
  );
  return rows[0]?.count ?? 0;
}

/** In the order of the ids. */
export async function readDossiers(tx: Transaction, ids: readonly string[]): Promise<Dossier[]> {
  const evidence = await readEvidence(tx, ids);
  const places = await tx
    .select()
    .from(feed)
    .where(inArray(feed.sessionId, [...ids]));
  const seen = await tx
    .select()
    .from(sightings)
    .where(inArray(sightings.sessionId, [...ids]));
  const own = <T extends { sessionId: string; sequence: number }>(rows: readonly T[], id: string): T[] =>
    rows.filter(({ sessionId }) => sessionId === id).toSorted((a, b) => a.sequence - b.sequence);
  return ids.map((id) => ({
    ...(evidence.get(id) as Evidence),
    feed: own(places, id),
    sightings: own(seen, id),
  }));
}

/** Takes sessions that are in an archive out of the database, and leaves behind where they are. */
export async function deleteArchived(
  tx: Transaction,
  dossiers: readonly Dossier[],
  archive: { file: string; at: Date },
): Promise<void> {
  const rows = dossiers.flatMap(({ session }) => session ?? []);
  const ids = rows.map(({ id }) => id);
  const positions = dossiers.flatMap((dossier) => dossier.feed.map(({ position }) => position));
  const newest = Math.max(0, ...positions);
  await tx
    .update(logIdentity)
    .set({ archivedPosition: sql`greatest(${logIdentity.archivedPosition}, ${newest})` });
  for (const table of Object.values(ARCHIVED)) await tx.delete(table).where(inArray(table.sessionId, ids));
  await tx.delete(idempotencyKeys).where(inArray(idempotencyKeys.sessionId, ids));
  await tx.delete(doubts).where(inArray(doubts.sessionId, ids));
  // Nothing begins them again, neither a repeated start nor late news.
  await tx
    .update(startIntents)
    .set({ state: 'DONE' })
    .where(and(inArray(startIntents.sessionId, ids), eq(startIntents.state, 'OPEN')));
  await tx.delete(sessions).where(inArray(sessions.id, ids));
  await tx.insert(archivedSessions).values(
    rows.map(({ id, verificationId, userId, updatedAt }) => ({
      ...{ sessionId: id, verificationId, userId, endedAt: updatedAt },
      ...{ archivedAt: archive.at, file: archive.file },
    })),
  );
}

/** What is left here of a session that is in an archive; null where none is. */
export async function findArchived(
  db: Queryable,
  sessionId: string,
): Promise<typeof archivedSessions.$inferSelect | null> {
  const [row] = await db.select().from(archivedSessions).where(eq(archivedSessions.sessionId, sessionId));
  return row ?? null;
}

/** What is left here of these sessions, if they are in archives. */
export const archivedAmong = (db: Queryable, ids: readonly string[]) =>
  db
    .select()
    .from(archivedSessions)
    .where(inArray(archivedSessions.sessionId, [...ids]));

/** The sessions that an archive should have. */
export async function archivedIn(db: Queryable, file: string): Promise<string[]> {
  const rows = await db
    .select({ id: archivedSessions.sessionId })
    .from(archivedSessions)
    .where(eq(archivedSessions.file, file));
  return rows.map(({ id }) => id);
}

/** Counts archived sessions by the name of their archive. */
export async function countArchived(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ file: archivedSessions.file, count: count() })
    .from(archivedSessions)
    .groupBy(archivedSessions.file);
  return new Map(rows.map((row) => [row.file, row.count]));
}

/** Sessions that are both here and said to be in an archive. */
export async function archivedAndPresent(db: Queryable): Promise<string[]> {
  const rows = await db
    .select({ id: sessions.id })
    .from(archivedSessions)
    .innerJoin(sessions, eq(sessions.id, archivedSessions.sessionId));
  return rows.map(({ id }) => id);
}

/** Which of these sessions are in the database. */
export async function presentAmong(db: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(inArray(sessions.id, [...ids]));
  return new Set(rows.map(({ id }) => id));
}

type PlainRow = Record<string, unknown>;

/** Converts a row to JSON values: times to ISO 8601, bytes (still encrypted) to base64, 64-bit integers to text. */
export const toPlainRow = (row: object): PlainRow =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toPlainValue(value)]));

function toPlainValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return typeof value === 'bigint' ? String(value) : value;
}

/**
 * Converts a plain row back to a row of the table. An archive of an earlier release lacks the columns that were added
 * since: such a column gets its default, or null if it has none.
 */
export const toRow = <Table extends PgTable>(table: Table, plain: PlainRow): Table['$inferSelect'] =>
  Object.fromEntries(
    Object.entries<PgColumn>(getTableColumns(table)).map(([name, column]) => {
      const value = plain[name];
      return [name, value === undefined ? findDefault(column) : fromPlainValue(column, value)];
    }),
  );

/** Defaults that only PostgreSQL can compute, such as `now()`, count as none. */
const findDefault = ({ default: value }: PgColumn): unknown => (is(value, SQL) ? null : (value ?? null));

function fromPlainValue(column: PgColumn, value: unknown): unknown {
  if (value === null) return null;
  if (column.dataType === 'date') return new Date(value as string);
  if (column.dataType === 'bigint') return BigInt(value as string);
  return column.getSQLType() === 'bytea' ? Buffer.from(value as string, 'base64') : value;
}
