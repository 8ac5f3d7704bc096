import { and, asc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import type { Sighting } from '../domain/session.ts';
import type { Queryable, Transaction } from './client.ts';
import { outbox, sightings, transitions } from './tables.ts';

export type TransitionRow = typeof transitions.$inferSelect;

/** A transition as feeds pass it on: with what decides who may see it. */
export type LogRow = TransitionRow & { readonly verificationId: string };

/** Adds to the log and to the outbox, from where it gets its position once this transaction has committed. */
export async function appendTransition(tx: Transaction, row: TransitionRow): Promise<void> {
  const { sessionId, sequence } = transitions;
  const logged = tx.$with('logged').as(tx.insert(transitions).values(row).returning({ sessionId, sequence }));
  await tx.with(logged).insert(outbox).values({ sessionId: row.sessionId, sequence: row.sequence });
}

/** When the same words were heard before; null stands for a finding of a poll that no webhook has confirmed. */
export async function findSightings(
  tx: Transaction,
  sessionId: string,
  rawStatus: string,
  rawSubStatus: string,
): Promise<Sighting[]> {
  const rows = await tx
    .select({ eventTime: sightings.eventTime })
    .from(sightings)
    .where(sameWords(sessionId, rawStatus, rawSubStatus));
  return rows.map((row) => row.eventTime);
}

export const addSighting = (tx: Transaction, row: typeof sightings.$inferInsert) =>
  tx.insert(sightings).values(row);

/** Gives the oldest unconfirmed finding of these words the time that the webhook brought. */
export async function confirmSighting(
  tx: Transaction,
  sessionId: string,
  words: { rawStatus: string; rawSubStatus: string },
  eventTime: Date,
): Promise<void> {
  const oldest = tx
    .select({ sequence: sightings.sequence })
    .from(sightings)
    .where(and(sameWords(sessionId, words.rawStatus, words.rawSubStatus), isNull(sightings.eventTime)))
    .orderBy(asc(sightings.sequence))
    .limit(1);
  await tx
    .update(sightings)
    .set({ eventTime })
    .where(and(eq(sightings.sessionId, sessionId), eq(sightings.sequence, oldest)));
}

const sameWords = (sessionId: string, rawStatus: string, rawSubStatus: string) =>
  and(
    eq(sightings.sessionId, sessionId),
    eq(sightings.rawStatus, rawStatus),
    eq(sightings.rawSubStatus, rawSubStatus),
  );

/** A stretch of one session's log, strictly between two sequences. */
export interface LogRange {
  readonly sessionId: string;
  readonly after: number;
  readonly before: number;
}

/** For each range its first (or last) `limit` transitions, in the order of the log: one statement for all. */
export async function logRanges(
  db: Queryable,
  ranges: readonly LogRange[],
  limit: number,
  end: 'FIRST' | 'LAST',
): Promise<TransitionRow[][]> {
  const direction = end === 'FIRST' ? sql`asc` : sql`desc`;
  const array = (values: readonly (string | number)[]) => sql`${sql.param(values)}`;
  const { rows } = await db.execute<{ range: number } & Record<string, unknown>>(sql`
    select wanted.range::int as range, found.*
    from unnest(
      ${array(ranges.map((range) => range.sessionId))}::uuid[],
      ${array(ranges.map((range) => range.after))}::int[],
      ${array(ranges.map((range) => range.before))}::int[]
    ) with ordinality as wanted(session_id, after, before, range)
    cross join lateral (
      select * from ${transitions} t
      where t.session_id = wanted.session_id and t.sequence > wanted.after and t.sequence < wanted.before
      order by t.sequence ${direction}
      limit ${limit}
    ) found
    order by wanted.range, found.sequence`);
  const pages: TransitionRow[][] = ranges.map(() => []);
  for (const { range, ...columns } of rows) pages[range - 1]?.push(rowOf(columns));
  return pages;
}

const COLUMNS = Object.entries(getTableColumns(transitions));

/** A raw result row under the table's property names and types. */
const rowOf = (columns: Record<string, unknown>): TransitionRow =>
  Object.fromEntries(
    COLUMNS.map(([key, column]) => {
      const value = columns[column.name];
      return [key, value === null ? null : column.mapFromDriverValue(value)];
    }),
  ) as TransitionRow;
