import type { ObservedEventTime } from '../../domain/session.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import { observations, transitions } from '../schema/tables.ts';
import { prepareColumnarQuery, prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { type ColumnDetailLevel, createRowMapper } from '../statements/row-mapper.ts';

/** Row of a session's log. Callers leave out `traceparent`, which is filled in when the row is written. */
export type TransitionRow = Omit<typeof transitions.$inferSelect, 'traceparent'> & {
  readonly traceparent?: string | null;
};

/**
 * Transition as it is sent to subscribers, with the verification id, which decides who may see the
 * transition.
 */
export type TransitionWithVerificationId = TransitionRow & { readonly verificationId: string };

/** Raw status (the provider's own strings) that the provider reported for a verification. */
export interface VerificationRawStatus {
  readonly verificationId: string;
  readonly rawStatus: string;
  readonly rawSubStatus: string;
}

/**
 * Finds the earlier observations (reports) of each raw status, to recognize repeated reports: the event time
 * that the provider gave, or null if a poll found the raw status and no webhook has confirmed it.
 */
export async function findEarlierObservationTimes(
  tx: Transaction,
  rawStatuses: readonly VerificationRawStatus[],
): Promise<ObservedEventTime[][]> {
  const found = await selectObservations(
    tx,
    rawStatuses.map(({ verificationId }) => verificationId),
    rawStatuses.map(({ rawStatus }) => rawStatus),
    rawStatuses.map(({ rawSubStatus }) => rawSubStatus),
  );
  const sightingsOf: ObservedEventTime[][] = rawStatuses.map(() => []);
  for (const { place, eventTime } of found) sightingsOf[place - 1]?.push(eventTime);
  return sightingsOf;
}

/**
 * Maximum number of observations read per raw status and session, far above any real number. The limit exists
 * only to make the planner use the index.
 */
const MAX_OBSERVATIONS = 100_000;

const observationFields = createRowMapper<typeof observations, { place: number }>(observations, 's', {
  place: 'wanted.place',
});
const selectObservations = prepareQuery(
  'sightings of words',
  observationFields,
  `select ${observationFields.list}
   from unnest($1::text[], $2::text[], $3::text[]) with ordinality
     as wanted(verification_id, status, sub_status, place)
   join vkyc_session on vkyc_session.verification_id = wanted.verification_id
   cross join lateral (
     select * from provider_sighting s
     where s.session_id = vkyc_session.id and s.raw_status = wanted.status and s.raw_sub_status = wanted.sub_status
     -- Without the limit, a planner that believes the table to be empty would scan the whole table.
     limit ${MAX_OBSERVATIONS}
   ) s`,
);

/**
 * Sets the event time of the oldest observation without event time of a raw status: a poll found the raw
 * status first, and now a webhook reports its time.
 */
export const setMissingObservationTime = prepareCommand(
  'confirm sighting',
  `update provider_sighting set event_time = $4::timestamptz
   where session_id = $1::uuid and sequence = (
     select min(s.sequence) from provider_sighting s
     where s.session_id = $1::uuid and s.raw_status = $2 and s.raw_sub_status = $3 and s.event_time is null
   )`,
);

const disputeFields = createRowMapper(transitions, 't', {}, ['sessionId', 'status', 'subStatus', 'verdict']);

/** Finds the newest transition of each session that contradicted the session's decision. */
export const findNewestDisputingTransitions = prepareQuery(
  'newest disputes',
  disputeFields,
  // The lateral subquery reads the primary key backwards, and stops at the newest dispute of a session.
  `select ${disputeFields.list}
   from unnest($1::uuid[]) as wanted(session_id)
   cross join lateral (
     select * from status_transition t
     where t.session_id = wanted.session_id and t.verdict in ('DISPUTED', 'DISPUTED_LATE')
     order by t.sequence desc limit 1
   ) t`,
);

/** Range of one session's log: the transitions with a sequence above `after` and below `before`. */
export interface TransitionRange {
  readonly sessionId: string;
  readonly after: number;
  readonly before: number;
}

/**
 * Columns of a transition that lists show (`SUMMARY` of `ColumnDetailLevel`). A transition's fingerprint (digest)
 * is computed from exactly these columns, too.
 */
export const TRANSITION_SUMMARY_COLUMNS = [
  'sessionId',
  'sequence',
  'status',
  'subStatus',
  'verdict',
  'source',
  'occurredAt',
  'recordedAt',
] as const satisfies (keyof TransitionRow)[];
export type TransitionSummary = Pick<TransitionRow, (typeof TRANSITION_SUMMARY_COLUMNS)[number]>;

/**
 * Options for reading ranges: the maximum number of transitions per range, the end of the range to read from,
 * and the columns.
 */
export interface TransitionRangeOptions {
  readonly limit: number;
  readonly end: 'FIRST' | 'LAST';
  readonly detail: ColumnDetailLevel;
}

/**
 * Reads the first (or last) `limit` transitions of each range, in log order. One statement serves all ranges.
 */
export async function readTransitionRanges<Shape extends TransitionRangeOptions>(
  db: Queryable,
  ranges: readonly TransitionRange[],
  { limit, end, detail }: Shape,
): Promise<(Shape['detail'] extends 'ALL' ? TransitionRow : TransitionSummary)[][]> {
  const found = await RANGES[detail][end](
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

function selectRanges(end: 'FIRST' | 'LAST', detail: ColumnDetailLevel) {
  const range = { range: 'wanted.range' };
  const fields = createRowMapper<typeof transitions, { range: number }>(
    transitions,
    't',
    range,
    detail === 'SUMMARY' ? TRANSITION_SUMMARY_COLUMNS : undefined,
  );
  return prepareColumnarQuery(
    `log ranges ${end} ${detail}`,
    fields,
    `select ${fields.list}
     from unnest($1::uuid[], $2::int[], $3::int[]) with ordinality as wanted(session_id, after, before, range)
     cross join lateral (
       select * from status_transition t
       where t.session_id = wanted.session_id and t.sequence > wanted.after and t.sequence < wanted.before
       order by t.sequence ${end === 'FIRST' ? 'asc' : 'desc'}
       limit $4
     ) t
     order by wanted.range, t.sequence`,
  );
}
const RANGES = {
  ALL: { FIRST: selectRanges('FIRST', 'ALL'), LAST: selectRanges('LAST', 'ALL') },
  SUMMARY: { FIRST: selectRanges('FIRST', 'SUMMARY'), LAST: selectRanges('LAST', 'SUMMARY') },
};

/** Current end of a session's log, together with the transition that a reader holds to be the newest. */
export interface LogEndComparison {
  readonly sessionId: string;
  /** Sequence of the session's newest transition. */
  readonly lastSequence: number;
  /** Transition that the reader holds to be the newest; null if the log does not have that transition. */
  readonly known: TransitionSummary | null;
}

const endFields = createRowMapper<typeof transitions, { session: string; lastSequence: number }>(
  transitions,
  't',
  { session: 's.id', lastSequence: 's.last_sequence' },
  TRANSITION_SUMMARY_COLUMNS,
);
const ends = prepareQuery(
  'log ends',
  endFields,
  `select ${endFields.list}
   from unnest($1::uuid[], $2::int[]) as wanted(session_id, sequence)
   join vkyc_session s on s.id = wanted.session_id
   left join status_transition t on t.session_id = wanted.session_id and t.sequence = wanted.sequence`,
);

/**
 * Reads the ends of several sessions' logs, and looks up the newest transition that the reader knows of each
 * (`known`). Leaves out sessions that do not exist any more.
 */
export async function readLogEnds(
  db: Queryable,
  known: readonly { sessionId: string; sequence: number }[],
): Promise<LogEndComparison[]> {
  const rows = await ends(
    db,
    known.map(({ sessionId }) => sessionId),
    known.map(({ sequence }) => sequence),
  );
  return rows.map((row) => ({
    sessionId: row.session,
    lastSequence: row.lastSequence,
    known: row.sequence === null ? null : row,
  }));
}
