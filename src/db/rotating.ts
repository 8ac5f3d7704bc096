/** All that is sealed or hashed with a data key, and how it is made anew with another. */
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
  /** Of the same row, what else is needed to make it anew. */
  readonly beside: string | bigint | Buffer;
}

/** A column whose values can be made anew, and how. */
export interface Renewable {
  readonly column: PgColumn;
  /** Rows are gone through in its order. */
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

/** Every one that there is: a test looks through all tables for one that is missing here. */
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

/** Hashes of what is not kept: with the key they were made with, they lose their meaning. */
export const LASTING: readonly PgColumn[] = [startIntents.inputHash, idempotencyKeys.inputHash];

/** How many values of a column there are by the id of their key. */
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

/** The next values after a row that are of another key than `label` says; rows that somebody holds are passed over. */
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
