import type { Observation } from '../../domain/session.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import { observations, transitions } from '../schema/tables.ts';
import { preparedColumnarQuery, preparedCommand, preparedQuery } from '../statements/prepared.ts';
import { type DetailLevel, rowMapper } from '../statements/row-mapper.ts';

/** Row of the log. `traceparent` is filled in when the row is written, so callers leave it out. */
export type TransitionRow = Omit<typeof transitions.$inferSelect, 'traceparent'> & {
  readonly traceparent?: string | null;
};

/** Transition as feeds deliver it, with the verification id that decides who may see it. */
export type SessionTransition = TransitionRow & { readonly verificationId: string };

/** Raw status that the provider reported for a verification. */
export interface RawStatus {
  readonly verificationId: string;
  readonly rawStatus: string;
  readonly rawSubStatus: string;
}

/**
 * Finds the earlier sightings of each raw status: the provider's event times, or null for an answer to a poll
 * that no webhook has confirmed.
 */
export async function findObservations(
  tx: Transaction,
  rawStatuses: readonly RawStatus[],
): Promise<Observation[][]> {
  const found = await selectObservations(
    tx,
    rawStatuses.map(({ verificationId }) => verificationId),
    rawStatuses.map(({ rawStatus }) => rawStatus),
    rawStatuses.map(({ rawSubStatus }) => rawSubStatus),
  );
  const sightingsOf: Observation[][] = rawStatuses.map(() => []);
  for (const { place, eventTime } of found) sightingsOf[place - 1]?.push(eventTime);
  return sightingsOf;
}

/**
 * Maximum number of sightings that are read of one raw status in a session, far above any real number. The
 * limit only makes the planner use the index.
 */
const MAX_OBSERVATIONS = 100_000;

const observationFields = rowMapper<typeof observations, { place: number }>(observations, 's', {
  place: 'wanted.place',
});
const selectObservations = preparedQuery(
  'sightings of words',
  observationFields,
  `select ${observationFields.list}
   from unnest($1::text[], $2::text[], $3::text[]) with ordinality
     as wanted(verification_id, status, sub_status, place)
   join vkyc_session on vkyc_session.verification_id = wanted.verification_id
   cross join lateral (
     select * from provider_sighting s
     where s.session_id = vkyc_session.id and s.raw_status = wanted.status and s.raw_sub_status = wanted.sub_status
     -- Without the limit, a planner that takes the table for empty reads all of it.
     limit ${MAX_OBSERVATIONS}
   ) s`,
);

/**
 * Confirms the oldest undated sighting of a raw status (session, status, sub-status): sets the event time
 * that the webhook reported.
 */
export const setObservationTime = preparedCommand(
  'confirm sighting',
  `update provider_sighting set event_time = $4::timestamptz
   where session_id = $1::uuid and sequence = (
     select min(s.sequence) from provider_sighting s
     where s.session_id = $1::uuid and s.raw_status = $2 and s.raw_sub_status = $3 and s.event_time is null
   )`,
);

const disputeFields = rowMapper(transitions, 't');
const newestDispute = preparedQuery(
  'newest dispute',
  disputeFields,
  `select ${disputeFields.list} from status_transition t
   where t.session_id = $1::uuid and t.verdict in ('DISPUTED', 'DISPUTED_LATE') order by t.sequence desc limit 1`,
);

/** Returns the newest transition that contradicted the session's decision; null if there is none. */
export async function findNewestDispute(db: Queryable, sessionId: string): Promise<TransitionRow | null> {
  const [row] = await newestDispute(db, sessionId);
  return row ?? null;
}

/** Range of one session's log, strictly between two sequences. */
export interface TransitionRange {
  readonly sessionId: string;
  readonly after: number;
  readonly before: number;
}

/**
 * Columns of a transition that lists show and that its fingerprint is computed from (`SUMMARY` of
 * `DetailLevel`).
 */
export const SUMMARY_COLUMNS = [
  'sessionId',
  'sequence',
  'status',
  'subStatus',
  'verdict',
  'source',
  'occurredAt',
  'recordedAt',
] as const satisfies (keyof TransitionRow)[];
export type TransitionSummary = Pick<TransitionRow, (typeof SUMMARY_COLUMNS)[number]>;

/** Number of transitions that are read of a range, from which end of it, and with which columns. */
export interface RangeOptions {
  readonly limit: number;
  readonly end: 'FIRST' | 'LAST';
  readonly detail: DetailLevel;
}

/**
 * Reads the first (or last) `limit` transitions of each range, in log order. Takes one statement for all
 * ranges.
 */
export async function readTransitionRanges<Shape extends RangeOptions>(
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

function selectRanges(end: 'FIRST' | 'LAST', detail: DetailLevel) {
  const range = { range: 'wanted.range' };
  const fields = rowMapper<typeof transitions, { range: number }>(
    transitions,
    't',
    range,
    detail === 'SUMMARY' ? SUMMARY_COLUMNS : undefined,
  );
  return preparedColumnarQuery(
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

/** Current end of a session's log, with the entry that a reader took for its end. */
export interface LogEnd {
  readonly sessionId: string;
  /** Sequence of the newest transition. */
  readonly lastSequence: number;
  /** Transition that the reader took for the newest; null if the log does not have it. */
  readonly known: TransitionSummary | null;
}

const endFields = rowMapper<typeof transitions, { session: string; lastSequence: number }>(
  transitions,
  't',
  { session: 's.id', lastSequence: 's.last_sequence' },
  SUMMARY_COLUMNS,
);
const ends = preparedQuery(
  'log ends',
  endFields,
  `select ${endFields.list}
   from unnest($1::uuid[], $2::int[]) as wanted(session_id, sequence)
   join vkyc_session s on s.id = wanted.session_id
   left join status_transition t on t.session_id = wanted.session_id and t.sequence = wanted.sequence`,
);

/**
 * Reads the ends of some sessions' logs, given the newest sequences known to the reader. Leaves out sessions
 * that do not exist any more.
 */
export async function findLogEnds(
  db: Queryable,
  known: readonly { sessionId: string; sequence: number }[],
): Promise<LogEnd[]> {
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
