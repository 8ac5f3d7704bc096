/** Meetings of all sessions by time: pages of the calendar, and the places that booked meetings take. */
import type { MeetingStatus } from '../../domain/actions.ts';
import type { BookingCountAtStart } from '../../domain/calendar.ts';
import type { Queryable } from '../connection/client.ts';
import { meetings } from '../schema/tables.ts';
import { equalsAny, prepareColumnQuery, prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';
import type { MeetingRow } from './meetings.ts';
import type { PageCursor } from './sessions.ts';

/** Page of meetings in the order of their start. */
export interface MeetingPageRequest {
  /** Earliest start, inclusive; null: no limit. */
  readonly from: Date | null;
  /** Latest start, exclusive; null: no limit. */
  readonly to: Date | null;
  readonly status: readonly MeetingStatus[];
  /** Start and id of the meeting that the page follows; null for the first page. */
  readonly after: PageCursor | null;
  readonly limit: number;
  /** Verification ids of the sessions that the viewer may see; null: all sessions. */
  readonly verificationIds: readonly string[] | null;
}

const meetingFields = createRowMapper(meetings, 'm');
const IN_RANGE = `m.starts_at >= $2::timestamptz and m.starts_at < $3::timestamptz
  and (m.starts_at, m.id) > ($4::timestamptz, $5::uuid)`;
const IN_ORDER = 'order by m.starts_at, m.id limit $6::int';

// Each status is a range of the index of its own, so that a page reads no meeting of another status, and sorts at
// most a page of each.
const meetingsByTime = prepareQuery(
  'meetings by time',
  meetingFields,
  `select ${meetingFields.list}
   from (select distinct unnest($1::text[]) as status) wanted
   cross join lateral (select * from meeting m where m.status = wanted.status and ${IN_RANGE} ${IN_ORDER}) m
   ${IN_ORDER}`,
);
const meetingsByTimeOfSessions = prepareQuery(
  'meetings by time of sessions',
  meetingFields,
  `select ${meetingFields.list}
   from vkyc_session s join meeting m on m.session_id = s.id
   where ${equalsAny('s.verification_id', '$7', 'text')} and m.status = any($1::text[]) and ${IN_RANGE}
   ${IN_ORDER}`,
);

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Reads the next meetings of a list by time. */
export function readMeetingPage(
  db: Queryable,
  { from, to, status, after, limit, verificationIds }: MeetingPageRequest,
): Promise<MeetingRow[]> {
  const values = [
    status,
    from?.toISOString() ?? '-infinity',
    to?.toISOString() ?? 'infinity',
    after?.at.toISOString() ?? '-infinity',
    after?.id ?? FIRST_ID,
    limit,
  ];
  return verificationIds === null
    ? meetingsByTime(db, ...values)
    : meetingsByTimeOfSessions(db, ...values, verificationIds);
}

/** Counts the meetings of a list by time, up to `most`, because an exact count of a long list takes too long. */
export async function countMeetingsUpTo(
  db: Queryable,
  { from, to, status, verificationIds }: Omit<MeetingPageRequest, 'after' | 'limit'>,
  most: number,
): Promise<number> {
  const values = [status, from?.toISOString() ?? '-infinity', to?.toISOString() ?? 'infinity', most];
  const [count] =
    verificationIds === null
      ? await numberOfMeetings(db, ...values)
      : await numberOfMeetingsOfSessions(db, ...values, verificationIds);
  return count ?? 0;
}

const WANTED = `m.status = any($1::text[]) and m.starts_at >= $2::timestamptz and m.starts_at < $3::timestamptz`;

const numberOfMeetings = prepareColumnQuery<number>(
  'number of meetings',
  `select count(*)::int from (select from meeting m where ${WANTED} limit $4::int) counted`,
);
const numberOfMeetingsOfSessions = prepareColumnQuery<number>(
  'number of meetings of sessions',
  `select count(*)::int from (
     select from vkyc_session s join meeting m on m.session_id = s.id
     where ${equalsAny('s.verification_id', '$5', 'text')} and ${WANTED} limit $4::int) counted`,
);

/** Returns the number of booked meetings by their start, from `from` to `to` (both exclusive), in order. */
export async function countBookingsByStart(
  db: Queryable,
  from: Date,
  to: Date,
): Promise<BookingCountAtStart[]> {
  const found = await bookings(db, from.toISOString(), to.toISOString());
  return found.map(([startsAt, count]) => ({ startsAt: new Date(startsAt), count }));
}

const bookings = prepareColumnQuery<[string, number]>(
  'bookings by start',
  `select json_build_array(m.starts_at, count(*)) from meeting m
   where m.status = 'SCHEDULED' and m.starts_at > $1::timestamptz and m.starts_at < $2::timestamptz
   group by m.starts_at order by m.starts_at`,
);

/**
 * Returns the number of booked meetings of other sessions that begin from `from` to `to` (both exclusive). Without
 * the lock of the slot, the number may be out of date at once.
 */
export async function countMeetingsOfOtherSessions(
  db: Queryable,
  sessionId: string,
  from: Date,
  to: Date,
): Promise<number> {
  const [count] = await otherMeetings(db, sessionId, from.toISOString(), to.toISOString());
  return count ?? 0;
}

const otherMeetings = prepareColumnQuery<number>(
  'meetings of other sessions',
  `select count(*)::int from meeting m
   where m.status = 'SCHEDULED' and m.starts_at > $2::timestamptz and m.starts_at < $3::timestamptz
     and m.session_id <> $1::uuid`,
);

/**
 * Class of the advisory locks of slots. The number is arbitrary, but must be the same in every replica; with two
 * keys, these locks differ from those with one key, such as the lock for feed positions.
 */
const SLOT_LOCKS = 8_529_003;
/**
 * A gateway that hangs while it holds the lock would block all bookings of the slot, so PostgreSQL ends its connection
 * after this time (`idle_in_transaction_session_timeout`).
 */
const SILENT_FOR = '10s';

const lockSlotAt = prepareCommand(
  'lock slot',
  `select pg_advisory_xact_lock(${SLOT_LOCKS}, $1::int)::text,
     set_config('idle_in_transaction_session_timeout', '${SILENT_FOR}', true)`,
);

/**
 * Statement that locks the slot that begins at this time, a whole minute, until the transaction ends. Transactions
 * that book the slot then run one after another: a later statement sees all meetings that they have booked.
 */
export const lockSlot = (startsAt: Date) => lockSlotAt(startsAt.getTime() / 60_000);
