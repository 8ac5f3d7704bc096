/**
 * Lists all columns whose values are encrypted or hashed with a data key, and how a value is renewed with
 * another key (key rotation).
 */
import { and, asc, gt, isNotNull, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { ContactDetails } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { Database, Transaction } from '../connection/client.ts';
import {
  annotations,
  customerNotifications,
  idempotencyKeys,
  inbox,
  meetings,
  reviews,
  sessions,
  startIntents,
  users,
} from '../schema/tables.ts';
import { getAnnotationSealingContext } from '../sessions/annotations.ts';
import { getCancelReasonSealingContext } from '../sessions/meetings.ts';
import { getNotificationSealingContext } from '../sessions/notifications.ts';
import { getCustomerMessageSealingContext, getReviewRemarksSealingContext } from '../sessions/reviews.ts';
import { getAgentRemarksSealingContext, getLinkSealingContext } from '../sessions/sessions.ts';
import { getUserSealingContext } from '../sessions/users.ts';
import { getWebhookBodySealingContext } from '../webhooks/inbox.ts';

interface Value {
  readonly id: string | bigint;
  readonly value: Buffer;
  /**
   * Value of another column in the same row, needed to renew `value`: for most columns, the id that the
   * encryption is bound to (AAD).
   */
  readonly beside: string | bigint | Buffer;
}

/** Column whose values can be decrypted or computed again, and so renewed with another key. */
export interface RotatableColumn {
  readonly column: PgColumn;
  /** Column by which the rows are iterated in order. */
  readonly id: PgColumn;
  readonly beside: PgColumn;
  reencrypt(sealer: Sealer, value: Value): Buffer;
}

const sealedIn = (column: PgColumn, id: PgColumn, beside: PgColumn, placeOf: (beside: never) => string) => ({
  ...{ column, id, beside },
  reencrypt(sealer: Sealer, value: Value): Buffer {
    const context = placeOf(value.beside as never);
    return sealer.seal(sealer.open(value.value, context), context);
  },
});

/**
 * All columns whose values can be renewed with another key. A test searches the schema for encrypted columns
 * that are missing from this list.
 */
export const ROTATABLE_COLUMNS: readonly RotatableColumn[] = [
  sealedIn(users.personal, users.id, users.id, getUserSealingContext),
  {
    ...{ column: users.phoneHash, id: users.id, beside: users.personal },
    reencrypt(sealer, { id, beside }) {
      const personal = sealer.open(beside as Buffer, getUserSealingContext(id as string)).toString('utf8');
      return sealer.hash((JSON.parse(personal) as ContactDetails).phone as string);
    },
  },
  sealedIn(sessions.link, sessions.id, sessions.id, getLinkSealingContext),
  sealedIn(sessions.agentRemarks, sessions.id, sessions.id, getAgentRemarksSealingContext),
  sealedIn(meetings.cancelReason, meetings.id, meetings.id, getCancelReasonSealingContext),
  sealedIn(reviews.remarks, reviews.id, reviews.id, getReviewRemarksSealingContext),
  sealedIn(reviews.customerMessage, reviews.id, reviews.id, getCustomerMessageSealingContext),
  sealedIn(annotations.text, annotations.id, annotations.id, getAnnotationSealingContext),
  sealedIn(
    customerNotifications.text,
    customerNotifications.id,
    customerNotifications.id,
    getNotificationSealingContext,
  ),
  sealedIn(inbox.body, inbox.id, inbox.bodyHash, getWebhookBodySealingContext),
];

/**
 * Columns of keyed hashes whose input is not stored, so they cannot be computed again with another key. They
 * become useless when their key is removed.
 */
export const UNROTATABLE_COLUMNS: readonly PgColumn[] = [startIntents.inputHash, idempotencyKeys.inputHash];

/**
 * Counts the values of an encrypted or hashed column by key id. Each value begins with one byte for the
 * length of its key id, and the id.
 */
export async function countValuesByKeyId(
  db: Database,
  column: PgColumn,
): Promise<ReadonlyMap<string, number>> {
  const key = sql<string>`convert_from(substring(${column} from 2 for get_byte(${column}, 0)), 'UTF8')`;
  const rows = await db
    .select({ key, count: sql<number>`count(*)::int` })
    .from(column.table)
    .where(isNotNull(column))
    .groupBy(key);
  return new Map(rows.map(({ key, count }) => [key, count]));
}

const hasOtherKey = (column: PgColumn, label: Buffer): SQL =>
  sql`substring(${column} from 1 for ${label.length}) <> ${label}`;

/**
 * Locks the next values, in id order, that were encrypted or hashed with another key than the one whose
 * prefix is `label` (`Sealer.keyIdPrefix`). Skips locked rows (SKIP LOCKED).
 */
export const lockValuesWithOtherKey = (
  tx: Transaction,
  { column, id, beside }: RotatableColumn,
  label: Buffer,
  after: Value['id'] | null,
  limit: number,
): Promise<Value[]> =>
  tx
    .select({ id, value: column, beside })
    .from(column.table)
    .where(and(hasOtherKey(column, label), after === null ? undefined : gt(id, after)))
    .orderBy(asc(id))
    .limit(limit)
    .for('no key update', { skipLocked: true }) as unknown as Promise<Value[]>;

export const updateColumnValue = (
  tx: Transaction,
  { column, id }: RotatableColumn,
  rowId: Value['id'],
  value: Buffer,
) =>
  tx.execute(
    sql`update ${column.table} set ${sql.identifier(column.name)} = ${value} where ${id} = ${rowId}`,
  );
