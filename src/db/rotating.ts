/**
 * Lists all columns that are encrypted or hashed with a data key, and how to renew their values with another
 * key.
 */
import { and, asc, gt, isNotNull, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { PersonalData } from '../domain/ports.ts';
import type { Database, Transaction } from './client.ts';
import { placeOfWebhook } from './inbox.ts';
import { placeOfCancelReason } from './meetings.ts';
import { placeOfRemarks } from './reviews.ts';
import type { Sealer } from './sealing.ts';
import { placeOfLink } from './sessions.ts';
import { idempotencyKeys, inbox, meetings, reviews, sessions, startIntents, users } from './tables.ts';
import { placeOfUser } from './users.ts';

interface Value {
  readonly id: string | bigint;
  readonly value: Buffer;
  /** Another column of the same row that is needed to renew the value. */
  readonly beside: string | bigint | Buffer;
}

/** Column whose values can be renewed with another key. */
export interface Renewable {
  readonly column: PgColumn;
  /** Column that orders the iteration over the rows. */
  readonly id: PgColumn;
  readonly beside: PgColumn;
  renew(sealer: Sealer, value: Value): Buffer;
}

const sealedIn = (column: PgColumn, id: PgColumn, beside: PgColumn, placeOf: (beside: never) => string) => ({
  ...{ column, id, beside },
  renew(sealer: Sealer, value: Value): Buffer {
    const place = placeOf(value.beside as never);
    return sealer.seal(sealer.open(value.value, place), place);
  },
});

/** All renewable columns. A test searches all tables for columns that are missing here. */
export const RENEWABLE: readonly Renewable[] = [
  sealedIn(users.personal, users.id, users.id, placeOfUser),
  {
    ...{ column: users.phoneHash, id: users.id, beside: users.personal },
    renew(sealer, { id, beside }) {
      const personal = sealer.open(beside as Buffer, placeOfUser(id as string)).toString('utf8');
      return sealer.hash((JSON.parse(personal) as PersonalData).phone as string);
    },
  },
  sealedIn(sessions.link, sessions.id, sessions.id, placeOfLink),
  sealedIn(meetings.cancelReason, meetings.id, meetings.id, placeOfCancelReason),
  sealedIn(reviews.remarks, reviews.id, reviews.id, placeOfRemarks),
  sealedIn(inbox.body, inbox.id, inbox.bodyHash, placeOfWebhook),
];

/**
 * Keyed hashes whose input is not stored. They cannot be computed again with another key, and become useless
 * when their key is removed.
 */
export const LASTING: readonly PgColumn[] = [startIntents.inputHash, idempotencyKeys.inputHash];

/** Counts the values of a column by the id of their key. */
export async function countByKey(db: Database, column: PgColumn): Promise<ReadonlyMap<string, number>> {
  const key = sql<string>`convert_from(substring(${column} from 2 for get_byte(${column}, 0)), 'UTF8')`;
  const rows = await db
    .select({ key, count: sql<number>`count(*)::int` })
    .from(column.table)
    .where(isNotNull(column))
    .groupBy(key);
  return new Map(rows.map(({ key, count }) => [key, count]));
}

const isOfAnotherKey = (column: PgColumn, label: Buffer): SQL =>
  sql`substring(${column} from 1 for ${label.length}) <> ${label}`;

/**
 * Locks the next values, in id order, that were made with another key than `label` names. Skips locked rows
 * (SKIP LOCKED).
 */
export const lockOfAnotherKey = (
  tx: Transaction,
  { column, id, beside }: Renewable,
  label: Buffer,
  after: Value['id'] | null,
  limit: number,
): Promise<Value[]> =>
  tx
    .select({ id, value: column, beside })
    .from(column.table)
    .where(and(isOfAnotherKey(column, label), after === null ? undefined : gt(id, after)))
    .orderBy(asc(id))
    .limit(limit)
    .for('no key update', { skipLocked: true }) as unknown as Promise<Value[]>;

export const putValue = (tx: Transaction, { column, id }: Renewable, rowId: Value['id'], value: Buffer) =>
  tx.execute(
    sql`update ${column.table} set ${sql.identifier(column.name)} = ${value} where ${id} = ${rowId}`,
  );
