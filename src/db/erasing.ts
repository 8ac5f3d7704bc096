/** All that is deleted or emptied where a person is erased: by the database's owner, in one transaction. */
import { and, asc, eq, inArray, isNotNull, isNull, ne, notInArray, or, type SQL, sql } from 'drizzle-orm';
import type { AuditEntry } from '../domain/audit.ts';
import type { Transaction } from './client.ts';
import type { InboxRow } from './inbox.ts';
import type { SessionRow } from './sessions.ts';
import {
  archivedSessions,
  auditEntries,
  idempotencyKeys,
  inbox,
  lookups,
  meetings,
  personalDataReads,
  reviews,
  sessions,
  startIntents,
  transitions,
  users,
} from './tables.ts';
import type { UserRow } from './users.ts';

/** The people of a condition, who are then held until the transaction ends. */
const lockPeople = (tx: Transaction, who: SQL): Promise<UserRow[]> =>
  tx.select().from(users).where(who).orderBy(asc(users.id)).for('update');

/** By the provider's id of the person. */
export const lockPersonById = (tx: Transaction, userId: string): Promise<UserRow[]> =>
  lockPeople(tx, eq(users.userId, userId));

/** By the keyed hashes that the phone may be stored under. */
export const lockPeopleByPhone = (tx: Transaction, hashes: readonly Buffer[]): Promise<UserRow[]> =>
  lockPeople(tx, inArray(users.phoneHash, [...hashes]));

/** The person's sessions, locked as those lock them who record. */
export const lockSessionsOf = (tx: Transaction, rowId: string): Promise<SessionRow[]> =>
  tx.select().from(sessions).where(eq(sessions.userId, rowId)).orderBy(asc(sessions.id)).for('update');

/** Verification ids that were asked for, for the person, and of which nothing has come yet. */
export async function openStartsOf(tx: Transaction, rowId: string): Promise<string[]> {
  const open = and(eq(startIntents.userId, rowId), eq(startIntents.state, 'OPEN'));
  const rows = await tx.select({ id: startIntents.verificationId }).from(startIntents).where(open);
  return rows.map(({ id }) => id);
}

/** What is left here of the person's sessions that are in archives. */
export const archivedSessionsOf = (tx: Transaction, rowId: string) =>
  tx.select().from(archivedSessions).where(eq(archivedSessions.userId, rowId));

export const emptyPerson = (tx: Transaction, rowId: string, emptied: Partial<UserRow>) =>
  tx.update(users).set(emptied).where(eq(users.id, rowId));

export const emptySessions = (tx: Transaction, ids: readonly string[], erasedAt: Date) =>
  tx
    .update(sessions)
    .set({ link: null, personSalt: null, erasedAt })
    .where(inArray(sessions.id, [...ids]));

/** What people wrote, with the salts of its commitments; returns how many texts there were. */
export async function emptyTexts(tx: Transaction, sessionIds: readonly string[]): Promise<number> {
  const ids = [...sessionIds];
  const reasons = await tx
    .update(meetings)
    .set({ cancelReason: null, cancelReasonSalt: null })
    .where(and(inArray(meetings.sessionId, ids), isNotNull(meetings.cancelReason)));
  const remarks = await tx
    .update(reviews)
    .set({ remarks: null, remarksSalt: null })
    .where(and(inArray(reviews.sessionId, ids), isNotNull(reviews.remarks)));
  return (reasons.rowCount ?? 0) + (remarks.rowCount ?? 0);
}

/** Puts a hash that nothing matches in the place of the inputs'. A repeated start is refused, and never sent again. */
export const emptyStarts = (tx: Transaction, rowId: string, inputHash: Buffer) =>
  tx.update(startIntents).set({ inputHash }).where(eq(startIntents.userId, rowId));

export async function deleteKeysOf(tx: Transaction, sessionIds: readonly string[]): Promise<number> {
  const keys = await tx.delete(idempotencyKeys).where(inArray(idempotencyKeys.sessionId, [...sessionIds]));
  return keys.rowCount ?? 0;
}

/** Webhooks that are not known to be of other sessions, by their address or because they were recorded. */
export const unattributedWebhooks = (
  tx: Transaction,
  verificationIds: readonly string[],
): Promise<InboxRow[]> =>
  tx
    .select()
    .from(inbox)
    .where(
      and(
        or(ne(inbox.state, 'DONE'), isNull(inbox.verificationId)),
        or(isNull(inbox.verificationId), notInArray(inbox.verificationId, [...verificationIds])),
      ),
    );

/** Those of some sessions, and others by their ids. */
export async function deleteWebhooks(
  tx: Transaction,
  verificationIds: readonly string[],
  ids: readonly bigint[],
): Promise<number> {
  const theirs = or(inArray(inbox.verificationId, [...verificationIds]), inArray(inbox.id, [...ids]));
  const deleted = await tx.delete(inbox).where(theirs);
  return deleted.rowCount ?? 0;
}

/** Whether somebody reviewed or started sessions, as only staff do. */
export async function isOfStaff(tx: Transaction, name: string): Promise<boolean> {
  const { rows } = await tx.execute(sql`
    (select 1 from ${reviews} where reviewer = ${name} limit 1)
    union all (select 1 from ${startIntents} where caller = ${name} limit 1)`);
  return rows.length > 0;
}

/** The ids of sessions in whose log or meetings somebody is named, in the order in which recording locks them. */
export async function sessionsNaming(tx: Transaction, name: string): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from ${sessions} where id in (
      select session_id from ${transitions} where actor = ${name}
      union select session_id from ${meetings} where scheduled_by = ${name} or cancelled_by = ${name}
    ) order by verification_id for update`);
  return rows.map(({ id }) => id);
}

/** Replaces a name in the logs and meetings of all sessions. */
export async function renameInSessions(tx: Transaction, name: string, to: string): Promise<void> {
  await tx.update(transitions).set({ actor: to }).where(eq(transitions.actor, name));
  await tx.update(meetings).set({ scheduledBy: to }).where(eq(meetings.scheduledBy, name));
  await tx.update(meetings).set({ cancelledBy: to }).where(eq(meetings.cancelledBy, name));
}

/** Replaces an entry of an audit chain; only if all that follow are replaced too does the chain verify. */
export const replaceEntry = (tx: Transaction, { sessionId, number, content, keyId, hash }: AuditEntry) =>
  tx
    .update(auditEntries)
    .set({ content, keyId, hash })
    .where(and(eq(auditEntries.sessionId, sessionId), eq(auditEntries.number, number)));

/** Deletes the idempotency keys of a caller; returns how many there were. */
export async function deleteKeysOfCaller(tx: Transaction, caller: string): Promise<number> {
  const keys = await tx.delete(idempotencyKeys).where(eq(idempotencyKeys.caller, caller));
  return keys.rowCount ?? 0;
}

/** Replaces a viewer in reads that have no chain: a release before the chains recorded them. Returns how many. */
export async function renameInReads(tx: Transaction, viewer: string, to: string): Promise<number> {
  const renamed = await tx
    .update(personalDataReads)
    .set({ viewer: to })
    .where(and(eq(personalDataReads.viewer, viewer), isNull(personalDataReads.chainId)));
  return renamed.rowCount ?? 0;
}

/** What is planned or queued to be asked of the provider. */
export async function cancelLookupsOf(tx: Transaction, verificationIds: readonly string[]): Promise<void> {
  for (const verificationId of verificationIds) {
    await tx.delete(lookups).where(eq(lookups.verificationId, verificationId));
    await tx.execute(sql`select graphile_worker.remove_job(${`reconcile:${verificationId}`})`);
  }
}
