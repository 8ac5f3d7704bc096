/**
 * Statements that erase a customer's personal data, or replace a customer's `sub` (token subject) in logs.
 * The owner's role runs them in one transaction.
 */
import { and, asc, eq, inArray, isNotNull, isNull, ne, notInArray, or, type SQL, sql } from 'drizzle-orm';
import type { AuditEntry } from '../../domain/audit.ts';
import type { Transaction } from '../connection/client.ts';
import {
  annotations,
  archivedSessions,
  auditEntries,
  customerNotifications,
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
} from '../schema/tables.ts';
import type { SessionRow } from '../sessions/sessions.ts';
import type { UserRow } from '../sessions/users.ts';
import type { InboxRow } from '../webhooks/inbox.ts';

/** Locks the users (verified customers) that match a condition, until the transaction ends. */
const lockPeople = (tx: Transaction, who: SQL): Promise<UserRow[]> =>
  tx.select().from(users).where(who).orderBy(asc(users.id)).for('update');

/** Locks a user by the provider's user id. */
export const lockUserByProviderUserId = (tx: Transaction, userId: string): Promise<UserRow[]> =>
  lockPeople(tx, eq(users.userId, userId));

/**
 * Locks users by the keyed hashes of their phone number: one hash for each key with which the number may have
 * been hashed.
 */
export const lockUsersByPhoneHashes = (tx: Transaction, hashes: readonly Buffer[]): Promise<UserRow[]> =>
  lockPeople(tx, inArray(users.phoneHash, [...hashes]));

/**
 * Locks the sessions of a user in verification-id order. Transactions that record transitions lock in the
 * same order; another order could deadlock with them.
 */
export const lockSessionsOfUser = (tx: Transaction, rowId: string): Promise<SessionRow[]> =>
  tx
    .select()
    .from(sessions)
    .where(eq(sessions.userId, rowId))
    .orderBy(asc(sessions.verificationId))
    .for('update');

/** Returns the verification ids of a user's open start intents (starts without a recorded session). */
export async function findOpenStartVerificationIdsOfUser(tx: Transaction, rowId: string): Promise<string[]> {
  const open = and(eq(startIntents.userId, rowId), eq(startIntents.state, 'OPEN'));
  const rows = await tx.select({ id: startIntents.verificationId }).from(startIntents).where(open);
  return rows.map(({ id }) => id);
}

/** Returns the `archived_session` rows of a user's archived sessions. */
export const findArchivedSessionRowsOfUser = (tx: Transaction, rowId: string) =>
  tx.select().from(archivedSessions).where(eq(archivedSessions.userId, rowId));

export const eraseUserColumns = (tx: Transaction, rowId: string, emptied: Partial<UserRow>) =>
  tx.update(users).set(emptied).where(eq(users.id, rowId));

export const eraseSessionColumns = (tx: Transaction, ids: readonly string[], erasedAt: Date) =>
  tx
    .update(sessions)
    .set({ link: null, agentRemarks: null, languages: null, personSalt: null, erasedAt })
    .where(inArray(sessions.id, [...ids]));

/**
 * Erases the texts that staff wrote about the given sessions (cancel reasons, remarks, messages, notes, notifications),
 * with the salts of their hash commitments. Notifications that were not sent fail. Returns the number of erased texts.
 */
export async function eraseStaffTexts(tx: Transaction, sessionIds: readonly string[]): Promise<number> {
  const ids = [...sessionIds];
  const reasons = await tx
    .update(meetings)
    .set({ cancelReason: null, cancelReasonSalt: null })
    .where(and(inArray(meetings.sessionId, ids), isNotNull(meetings.cancelReason)));
  const remarks = await tx
    .update(reviews)
    .set({ remarks: null, remarksSalt: null })
    .where(and(inArray(reviews.sessionId, ids), isNotNull(reviews.remarks)));
  const messages = await tx
    .update(reviews)
    .set({ customerMessage: null, customerMessageSalt: null })
    .where(and(inArray(reviews.sessionId, ids), isNotNull(reviews.customerMessage)));
  const notes = await tx
    .update(annotations)
    .set({ text: null, textSalt: null })
    .where(and(inArray(annotations.sessionId, ids), isNotNull(annotations.text)));
  const notifications = await tx
    .update(customerNotifications)
    .set({ text: null })
    .where(and(inArray(customerNotifications.sessionId, ids), isNotNull(customerNotifications.text)));
  await tx
    .update(customerNotifications)
    .set({ state: 'FAILED', outcome: 'ERASED', settledAt: sql`now()` })
    .where(and(inArray(customerNotifications.sessionId, ids), eq(customerNotifications.state, 'QUEUED')));
  return [reasons, remarks, messages, notes, notifications].reduce(
    (sum, { rowCount }) => sum + (rowCount ?? 0),
    0,
  );
}

/**
 * Erases what a user's start intents say of the person, and replaces their input hashes by a hash that no input matches: a
 * repeated start is then refused, and never sent to the provider again.
 */
export const erasePersonalDataOfStarts = (tx: Transaction, rowId: string, inputHash: Buffer) =>
  tx.update(startIntents).set({ languages: null, inputHash }).where(eq(startIntents.userId, rowId));

export async function deleteIdempotencyKeysOfSessions(
  tx: Transaction,
  sessionIds: readonly string[],
): Promise<number> {
  const keys = await tx.delete(idempotencyKeys).where(inArray(idempotencyKeys.sessionId, [...sessionIds]));
  return keys.rowCount ?? 0;
}

/**
 * Returns webhooks that may concern the person although they name none of the given verification ids:
 * webhooks that are not recorded yet, and webhooks without a verification id.
 */
export const findWebhooksToSearchForPerson = (
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

/**
 * Deletes all webhooks of the given verifications, and the webhooks with the given row ids. Returns the
 * number of deleted webhooks.
 */
export async function deleteWebhooks(
  tx: Transaction,
  verificationIds: readonly string[],
  ids: readonly bigint[],
): Promise<number> {
  const theirs = or(inArray(inbox.verificationId, [...verificationIds]), inArray(inbox.id, [...ids]));
  const deleted = await tx.delete(inbox).where(theirs);
  return deleted.rowCount ?? 0;
}

/**
 * Returns whether a session was reviewed, started or annotated under this plain `sub`. If so, the name belongs to
 * staff and must be kept: customers neither review nor start sessions, and their annotations (reasons of meetings)
 * are stored under a pseudonym.
 */
export async function hasActedAsStaff(tx: Transaction, name: string): Promise<boolean> {
  const { rows } = await tx.execute(sql`
    (select 1 from ${reviews} where reviewer = ${name} limit 1)
    union all (select 1 from ${annotations} where author = ${name} limit 1)
    union all (select 1 from ${startIntents} where caller = ${name} limit 1)`);
  return rows.length > 0;
}

/**
 * Locks the sessions whose log or meetings contain a name (a customer's `sub`), and returns their ids. Locks
 * in verification-id order, like transactions that record transitions, to avoid a deadlock.
 */
export async function lockSessionsContainingName(tx: Transaction, name: string): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from ${sessions} where id in (
      select session_id from ${transitions} where actor = ${name}
      union select session_id from ${meetings} where scheduled_by = ${name} or cancelled_by = ${name}
    ) order by verification_id for update`);
  return rows.map(({ id }) => id);
}

/** Replaces a name (a customer's `sub`) in the logs and meetings of all sessions. */
export async function replaceNameInSessions(tx: Transaction, name: string, to: string): Promise<void> {
  await tx.update(transitions).set({ actor: to }).where(eq(transitions.actor, name));
  await tx.update(meetings).set({ scheduledBy: to }).where(eq(meetings.scheduledBy, name));
  await tx.update(meetings).set({ cancelledBy: to }).where(eq(meetings.cancelledBy, name));
}

/**
 * Replaces one entry of an audit chain. Each entry's hash covers the entry before, so the chain verifies
 * again only after all later entries are replaced too.
 */
export const replaceAuditEntry = (tx: Transaction, { sessionId, number, content, keyId, hash }: AuditEntry) =>
  tx
    .update(auditEntries)
    .set({ content, keyId, hash })
    .where(and(eq(auditEntries.sessionId, sessionId), eq(auditEntries.number, number)));

/** Deletes all idempotency keys of a caller. Returns the number of deleted keys. */
export async function deleteIdempotencyKeysOfCaller(tx: Transaction, caller: string): Promise<number> {
  const keys = await tx.delete(idempotencyKeys).where(eq(idempotencyKeys.caller, caller));
  return keys.rowCount ?? 0;
}

/**
 * Replaces a viewer's name in the entries of the read log that an earlier release recorded without a hash
 * chain. Returns the number of such entries.
 */
export async function replaceViewerInUnchainedReads(
  tx: Transaction,
  viewer: string,
  to: string,
): Promise<number> {
  const renamed = await tx
    .update(personalDataReads)
    .set({ viewer: to })
    .where(and(eq(personalDataReads.viewer, viewer), isNull(personalDataReads.chainId)));
  return renamed.rowCount ?? 0;
}

/**
 * Deletes the planned look-ups and the queued jobs that would ask the provider about the given verifications.
 */
export async function cancelLookupsOfVerifications(
  tx: Transaction,
  verificationIds: readonly string[],
): Promise<void> {
  for (const verificationId of verificationIds) {
    await tx.delete(lookups).where(eq(lookups.verificationId, verificationId));
    await tx.execute(sql`select graphile_worker.remove_job(${`reconcile:${verificationId}`})`);
  }
}
