import type { Queryable, Transaction } from '../connection/client.ts';
import { meetings } from '../schema/tables.ts';
import {
  createInsertPlaceholders,
  equalsAny,
  prepareFromBuilder,
  prepareQuery,
} from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type MeetingRow = typeof meetings.$inferSelect;

/**
 * Returns the context (AAD) that an encrypted cancellation reason is bound to, so that it cannot be moved to
 * another row; see `Sealer`.
 */
export const getCancelReasonSealingContext = (meetingId: string): string =>
  `meeting.cancel_reason:${meetingId}`;

export const insertMeeting = prepareFromBuilder<MeetingRow>('insert meeting', (build) =>
  build.insert(meetings).values(createInsertPlaceholders(meetings)),
);

/** Returns the booked meeting of a session; null if no meeting is booked. */
export async function findBookedMeeting(db: Queryable, sessionId: string): Promise<MeetingRow | null> {
  const [row] = await bookedMeeting(db, sessionId);
  return row ?? null;
}

/** Ends the booked meeting of a session, and returns that meeting; null if no meeting is booked. */
export async function endBookedMeeting(
  tx: Transaction,
  sessionId: string,
  outcome: Pick<MeetingRow, 'status' | 'cancelledBy' | 'cancelReason' | 'cancelReasonSalt'>,
): Promise<MeetingRow | null> {
  const { status, cancelledBy, cancelReason, cancelReasonSalt } = outcome;
  const [row] = await endedMeeting(tx, sessionId, status, cancelledBy, cancelReason, cancelReasonSalt);
  return row ?? null;
}

const meetingFields = createRowMapper(meetings, 'm');
const bookedMeeting = prepareQuery(
  'meeting booked',
  meetingFields,
  `select ${meetingFields.list} from meeting m where m.session_id = $1::uuid and m.status = 'SCHEDULED'`,
);
const endedMeeting = prepareQuery(
  'meeting ended',
  meetingFields,
  `select ${meetingFields.list} from ended m`,
  `ended as (
     update meeting set status = $2, cancelled_by = $3, cancel_reason = $4, cancel_reason_salt = $5
     where session_id = $1::uuid and status = 'SCHEDULED' returning *
   )`,
);

/** Maximum number of meetings that one round of `findPassedMeetingsOfUnpolledSessions` returns. */
const MAX_PASSED_MEETINGS = 50;

/**
 * Finds booked meetings that started before `startedBefore` in sessions that are not polled any more, so that no
 * answer of the provider will end them. The oldest come first.
 */
export const findPassedMeetingsOfUnpolledSessions = (db: Queryable, startedBefore: Date) =>
  passedMeetings(db, startedBefore.toISOString());

const passedFields = createRowMapper<typeof meetings, { verificationId: string }>(
  meetings,
  'm',
  { verificationId: 's.verification_id' },
  ['sessionId'],
);
const passedMeetings = prepareQuery(
  'meetings passed',
  passedFields,
  // Fast, because the partial index has only booked meetings. Sessions in USER_ACCEPTED_MEETING are left out: a call is
  // running, and the provider's report of its end also ends the meeting.
  `select ${passedFields.list} from meeting m join vkyc_session s on s.id = m.session_id
   where m.status = 'SCHEDULED' and m.starts_at < $1::timestamptz and s.next_poll_at is null
     and s.sub_status <> 'USER_ACCEPTED_MEETING'
   order by m.starts_at limit ${MAX_PASSED_MEETINGS}`,
);

export const findMeetingsById = (db: Queryable, ids: readonly string[]): Promise<MeetingRow[]> =>
  meetingsById(db, ids);

const meetingsById = prepareQuery(
  'meetings by id',
  meetingFields,
  `select ${meetingFields.list} from meeting m where ${equalsAny('m.id', '$1', 'uuid')}`,
);

/**
 * Returns all meetings of the given sessions, newest first within a session. No limit is needed: a session
 * has only a handful of meetings.
 */
export const findMeetingsOfSessions = (db: Queryable, sessionIds: readonly string[]): Promise<MeetingRow[]> =>
  meetingsBySession(db, sessionIds);

const meetingsBySession = prepareQuery(
  'meetings by session',
  meetingFields,
  `select ${meetingFields.list} from meeting m where ${equalsAny('m.session_id', '$1', 'uuid')}
   order by m.session_id, m.created_at desc, m.id desc`,
);
