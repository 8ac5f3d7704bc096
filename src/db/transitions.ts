import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Sighting } from '../domain/session.ts';
import { currentTraceparent } from '../telemetry/trace.ts';
import type { Queryable, Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { preparedColumns, preparedRows, preparedWrite, valuesOf } from './prepared.ts';
import { outbox, sightings, transitions } from './tables.ts';

/** Its trace comes with it by itself. */
export type TransitionRow = Omit<typeof transitions.$inferSelect, 'traceparent'> & {
  readonly traceparent?: string | null;
};

/** A transition as feeds pass it on: with what decides who may see it. */
export type LogRow = TransitionRow & { readonly verificationId: string };

/** Adds to the log and to the outbox, from where it gets its position once this transaction has committed. */
export async function appendTransition(tx: Transaction, row: TransitionRow): Promise<void> {
  await append(tx, { ...row, traceparent: currentTraceparent() });
}

const append = preparedWrite<typeof transitions.$inferSelect>('append transition', (build) => {
  const { sessionId, sequence } = valuesOf(transitions);
  const logged = build
    .$with('logged')
    .as(build.insert(transitions).values(valuesOf(transitions)).returning());
  return build.with(logged).insert(outbox).values({ sessionId, sequence });
});

/** When the same words were heard before; null stands for a finding of a poll that no webhook has confirmed. */
export async function findSightings(
  tx: Transaction,
  sessionId: string,
  rawStatus: string,
  rawSubStatus: string,
): Promise<Sighting[]> {
  const rows = await sightingsOfWords(tx, sessionId, rawStatus, rawSubStatus);
  return rows.map((row) => row.eventTime);
}

const sightingFields = fieldsOf(sightings, 's');
const sightingsOfWords = preparedRows(
  'sightings of words',
  sightingFields,
  `select ${sightingFields.list} from provider_sighting s
   where s.session_id = $1::uuid and s.raw_status = $2 and s.raw_sub_status = $3`,
);

export const addSighting = preparedWrite<typeof sightings.$inferSelect>('add sighting', (build) =>
  build.insert(sightings).values(valuesOf(sightings)),
);

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
  const found = await RANGES[end](
    db,
    ranges.map((range) => range.sessionId),
    ranges.map((range) => range.after),
    ranges.map((range) => range.before),
    limit,
  );
  const pages: TransitionRow[][] = ranges.map(() => []);
  for (const row of found) pages[row.range - 1]?.push(row);
  return pages;
}

const rangeFields = fieldsOf<typeof transitions, { range: number }>(transitions, 't', {
  range: 'wanted.range',
});
const rangesFrom = (end: 'FIRST' | 'LAST') =>
  preparedColumns(
    `log ranges ${end}`,
    rangeFields,
    `select ${rangeFields.list}
     from unnest($1::uuid[], $2::int[], $3::int[]) with ordinality as wanted(session_id, after, before, range)
     cross join lateral (
       select * from status_transition t
       where t.session_id = wanted.session_id and t.sequence > wanted.after and t.sequence < wanted.before
       order by t.sequence ${end === 'FIRST' ? 'asc' : 'desc'}
       limit $4
     ) t
     order by wanted.range, t.sequence`,
  );
const RANGES = { FIRST: rangesFrom('FIRST'), LAST: rangesFrom('LAST') };
