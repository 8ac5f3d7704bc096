import { asc, count, desc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { AuditEntry, AuditHead } from '../../domain/audit.ts';
import type { SessionOrigin } from '../../domain/audit-session.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import {
  annotations,
  archivedSessions,
  auditBacklog,
  auditEntries,
  meetings,
  reviews,
  sessionLabels,
  sessions,
  startIntents,
  transitions,
  users,
} from '../schema/tables.ts';
import type { AnnotationRow } from '../sessions/annotations.ts';
import type { LabelsRow } from '../sessions/labels.ts';
import type { MeetingRow } from '../sessions/meetings.ts';
import type { ReviewRow } from '../sessions/reviews.ts';
import type { SessionRow } from '../sessions/sessions.ts';
import type { TransitionRow } from '../sessions/transitions.ts';
import { prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

/**
 * Key of the advisory lock under which replicas take turns at `takeFromAuditBacklog`. The number is arbitrary,
 * but must be the same in every replica.
 */
const ADOPTION_LOCK = 8_529_003;

/** Smallest UUID, which sorts before every session id: the start of an iteration over all sessions. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

const HEAD = { sessionId: auditEntries.sessionId, number: auditEntries.number, hash: auditEntries.hash };

/**
 * Finds the audit heads (newest entries of the audit chains) of sessions whose rows are locked. Leaves out
 * sessions without a chain.
 */
export const findAuditHeads = (tx: Transaction, sessionIds: readonly string[]): Promise<AuditHead[]> =>
  selectHeads(tx, sessionIds);

/**
 * Finds the audit heads (newest entries of the audit chains) of sessions by verification id. Leaves out
 * sessions without a chain.
 */
export const findAuditHeadsOfVerifications = (
  tx: Transaction,
  verificationIds: readonly string[],
): Promise<AuditHead[]> => selectHeadsByVerification(tx, verificationIds);

const entryFields = createRowMapper(auditEntries, 'e');
const selectHead = (session: string) =>
  `cross join lateral (
     select * from audit_entry e where e.session_id = ${session} order by e.number desc limit 1
   ) e`;
const selectHeads = prepareQuery(
  'audit heads',
  entryFields,
  `select ${entryFields.list} from unnest($1::uuid[]) as wanted(session_id) ${selectHead('wanted.session_id')}`,
);
const selectHeadsByVerification = prepareQuery(
  'audit heads of verifications',
  entryFields,
  `select ${entryFields.list} from unnest($1::text[]) as wanted(verification_id)
   join vkyc_session on vkyc_session.verification_id = wanted.verification_id ${selectHead('vkyc_session.id')}`,
);

/**
 * Appends entries to audit chains; the session rows must be locked. Fails if a session already has an entry
 * with the same number.
 */
export async function appendAuditEntries(tx: Transaction, entries: readonly AuditEntry[]): Promise<void> {
  await tx.insert(auditEntries).values([...entries]);
}

/**
 * Reads the audit heads (newest entries) of the next sessions after `sessionId` that have an audit chain, in
 * id order.
 */
export const readAuditHeadsAfter = (db: Queryable, sessionId: string, limit: number): Promise<AuditHead[]> =>
  db
    .selectDistinctOn([auditEntries.sessionId], HEAD)
    .from(auditEntries)
    .where(gt(auditEntries.sessionId, sessionId))
    .orderBy(asc(auditEntries.sessionId), desc(auditEntries.number))
    .limit(limit);

/** Returns verification ids by session id. Leaves out sessions that are not in the database. */
export async function findVerificationIdsBySessionId(
  db: Queryable,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .select({ id: sessions.id, verificationId: sessions.verificationId })
    .from(sessions)
    .where(inArray(sessions.id, [...sessionIds]));
  return new Map(rows.map(({ id, verificationId }) => [id, verificationId]));
}

/**
 * Current state of an audit chain, compared with a head (newest entry at that time) that was exported
 * earlier.
 */
export interface ExportedHeadComparison {
  readonly sessionId: string;
  /** Null if the session is not in the database. */
  readonly verificationId: string | null;
  readonly isArchived: boolean;
  /** Number of the newest entry; 0 if the chain has no entry. */
  readonly newest: number;
  /** Current hash of the entry whose number was exported; null if that entry is missing. */
  readonly hash: Buffer | null;
}

/** Finds the current state of the audit chains whose heads were exported, in no particular order. */
export async function compareWithExportedHeads(
  db: Queryable,
  heads: readonly AuditHead[],
): Promise<ExportedHeadComparison[]> {
  const { rows } = await db.execute<Record<keyof ExportedHeadComparison, unknown>>(sql`
    select wanted.session_id as "sessionId", s.verification_id as "verificationId",
      a.session_id is not null as "isArchived", coalesce(newest.number, 0) as newest, e.hash
    from unnest(
      ${sql.param(heads.map(({ sessionId }) => sessionId))}::uuid[],
      ${sql.param(heads.map(({ number }) => number))}::int[]
    ) as wanted(session_id, number)
    left join ${sessions} s on s.id = wanted.session_id
    left join ${archivedSessions} a on a.session_id = wanted.session_id
    left join ${auditEntries} e on e.session_id = wanted.session_id and e.number = wanted.number
    left join lateral (
      select number from ${auditEntries} n where n.session_id = wanted.session_id order by number desc limit 1
    ) newest on true`);
  return rows as unknown as ExportedHeadComparison[];
}

/**
 * Returns the next session ids after `sessionId`, in order, including sessions whose row is gone and of which
 * only the audit chain is left.
 */
export async function readSessionIdsToAuditAfter(
  db: Queryable,
  sessionId: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    (select id from ${sessions} where id > ${sessionId}::uuid order by id limit ${limit})
    union
    (select distinct session_id from ${auditEntries} where session_id > ${sessionId}::uuid order by 1 limit ${limit})
    order by 1 limit ${limit}`);
  return rows.map((row) => row.id);
}

/**
 * All rows about a session that an audit compares: its row, transitions, meetings, reviews, annotations and
 * labels, and its audit chain.
 */
export interface SessionAuditEvidence {
  /** Null if the session row is gone and only its audit chain is left. */
  readonly session: SessionRow | null;
  /**
   * User and caller of the start; undefined in an archive, which does not contain the rows of users and
   * starts.
   */
  readonly origin?: SessionOrigin;
  readonly entries: readonly AuditEntry[];
  readonly transitions: readonly TransitionRow[];
  readonly meetings: readonly MeetingRow[];
  readonly reviews: readonly ReviewRow[];
  readonly annotations: readonly AnnotationRow[];
  /** One row, or none if the session never had labels. */
  readonly labels: readonly LabelsRow[];
}

/**
 * Reads the audit evidence of sessions by several statements. Their results are consistent only within a
 * snapshot (REPEATABLE READ) or if the session rows are locked, because the gateway keeps writing.
 */
export async function readAuditEvidence(
  tx: Transaction,
  sessionIds: readonly string[],
): Promise<ReadonlyMap<string, SessionAuditEvidence>> {
  const ids = [...sessionIds];
  const rows = await tx.select().from(sessions).where(inArray(sessions.id, ids));
  const origins = await readSessionOrigins(tx, rows);
  const found = {
    entries: await tx
      .select()
      .from(auditEntries)
      .where(inArray(auditEntries.sessionId, ids))
      .orderBy(asc(auditEntries.sessionId), asc(auditEntries.number)),
    transitions: await tx
      .select()
      .from(transitions)
      .where(inArray(transitions.sessionId, ids))
      .orderBy(asc(transitions.sessionId), asc(transitions.sequence)),
    meetings: await tx
      .select()
      .from(meetings)
      .where(inArray(meetings.sessionId, ids))
      .orderBy(asc(meetings.createdAt), asc(meetings.id)),
    reviews: await tx
      .select()
      .from(reviews)
      .where(inArray(reviews.sessionId, ids))
      .orderBy(asc(reviews.sequence)),
    annotations: await tx
      .select()
      .from(annotations)
      .where(inArray(annotations.sessionId, ids))
      .orderBy(asc(annotations.sequence)),
    labels: await tx.select().from(sessionLabels).where(inArray(sessionLabels.sessionId, ids)),
  };
  const grouped = {
    entries: bySession(found.entries),
    transitions: bySession(found.transitions),
    meetings: bySession(found.meetings),
    reviews: bySession(found.reviews),
    annotations: bySession(found.annotations),
    labels: bySession(found.labels),
  };
  return new Map(
    ids.map((id) => [
      id,
      {
        session: rows.find((row) => row.id === id) ?? null,
        origin: origins.get(id) ?? { user: null, caller: null },
        entries: grouped.entries.get(id) ?? [],
        transitions: grouped.transitions.get(id) ?? [],
        meetings: grouped.meetings.get(id) ?? [],
        reviews: grouped.reviews.get(id) ?? [],
        annotations: grouped.annotations.get(id) ?? [],
        labels: grouped.labels.get(id) ?? [],
      },
    ]),
  );
}

/** Returns by session id the user of each session and the caller who started the session. */
export async function readSessionOrigins(
  tx: Queryable,
  rows: readonly SessionRow[],
): Promise<ReadonlyMap<string, SessionOrigin>> {
  const people = await tx
    .select({ id: users.id, userId: users.userId, createdAt: users.createdAt, erasedAt: users.erasedAt })
    .from(users)
    .where(
      inArray(
        users.id,
        rows.map(({ userId }) => userId),
      ),
    );
  const starts = await tx
    .select({ verificationId: startIntents.verificationId, caller: startIntents.caller })
    .from(startIntents)
    .where(
      inArray(
        startIntents.verificationId,
        rows.map(({ verificationId }) => verificationId),
      ),
    );
  const userById = new Map(people.map((user) => [user.id, user]));
  const callers = new Map(starts.map(({ verificationId, caller }) => [verificationId, caller || null]));
  return new Map(
    rows.map(({ id, userId, verificationId }) => [
      id,
      { user: userById.get(userId) ?? null, caller: callers.get(verificationId) ?? null },
    ]),
  );
}

function bySession<T extends { sessionId: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.sessionId);
    if (group) group.push(row);
    else groups.set(row.sessionId, [row]);
  }
  return groups;
}

export async function countAuditBacklog(db: Queryable): Promise<number> {
  const [row] = await db.select({ count: count() }).from(auditBacklog);
  return row?.count ?? 0;
}

/** Locks the next sessions after `sessionId`, and returns their audit evidence in id order. */
export async function lockNextSessionsForAudit(
  tx: Transaction,
  sessionId: string,
  limit: number,
): Promise<ReadonlyMap<string, SessionAuditEvidence>> {
  const next = await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(gt(sessions.id, sessionId))
    .orderBy(asc(sessions.id))
    .limit(limit);
  const ids = next.map(({ id }) => id);
  await lockSessions(tx, ids);
  return readAuditEvidence(tx, ids);
}

/**
 * Locks sessions in verification-id order. Transactions that record transitions lock in the same order;
 * another order could deadlock with them.
 */
const lockSessions = (tx: Transaction, ids: readonly string[]) =>
  tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(inArray(sessions.id, [...ids]))
    .orderBy(asc(sessions.verificationId))
    .for('update');

export const setPersonSalt = (tx: Transaction, id: string, personSalt: Buffer) =>
  tx.update(sessions).set({ personSalt }).where(eq(sessions.id, id));

/**
 * Removes up to `limit` sessions from `audit_backlog` (sessions older than audit chains), locks their rows
 * and returns their ids. Replicas take turns by an advisory lock.
 */
export async function takeFromAuditBacklog(tx: Transaction, limit: number): Promise<string[]> {
  await tx.execute(sql`select pg_advisory_xact_lock(${ADOPTION_LOCK})`);
  const next = tx.select().from(auditBacklog).orderBy(asc(auditBacklog.sessionId)).limit(limit);
  const taken = await tx.delete(auditBacklog).where(inArray(auditBacklog.sessionId, next)).returning();
  const ids = taken.map((row) => row.sessionId).sort();
  await lockSessions(tx, ids);
  return ids;
}

/**
 * Stores the salt of the hash commitment to a review's remarks. Remarks that are older than audit chains have
 * no salt yet.
 */
export const setReviewRemarksSalt = (tx: Transaction, id: string, remarksSalt: Buffer) =>
  tx.update(reviews).set({ remarksSalt }).where(eq(reviews.id, id));

export const setMeetingCancelReasonSalt = (tx: Transaction, id: string, cancelReasonSalt: Buffer) =>
  tx.update(meetings).set({ cancelReasonSalt }).where(eq(meetings.id, id));
