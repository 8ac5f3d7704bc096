import { and, eq } from 'drizzle-orm';
import type { Queryable, Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { preparedRows } from './prepared.ts';
import { meetings } from './tables.ts';

export type MeetingRow = typeof meetings.$inferSelect;

/** Where the reason of a cancellation is bound to; see `Sealer`. */
export const placeOfCancelReason = (meetingId: string): string => `meeting.cancel_reason:${meetingId}`;

export const insertMeeting = (tx: Transaction, row: MeetingRow) => tx.insert(meetings).values(row);

/** The meeting now booked, if any. */
export async function findBookedMeeting(db: Queryable, sessionId: string): Promise<MeetingRow | null> {
  const [row] = await db
    .select()
    .from(meetings)
    .where(and(eq(meetings.sessionId, sessionId), eq(meetings.status, 'SCHEDULED')));
  return row ?? null;
}

/** Ends the booked meeting of a session; null where none is booked. */
export async function endBookedMeeting(
  tx: Transaction,
  sessionId: string,
  outcome: Pick<MeetingRow, 'status'> &
    Partial<Pick<MeetingRow, 'cancelledBy' | 'cancelReason' | 'cancelReasonSalt'>>,
): Promise<MeetingRow | null> {
  const [row] = await tx
    .update(meetings)
    .set(outcome)
    .where(and(eq(meetings.sessionId, sessionId), eq(meetings.status, 'SCHEDULED')))
    .returning();
  return row ?? null;
}

export const findMeetings = (db: Queryable, ids: readonly string[]): Promise<MeetingRow[]> =>
  meetingsById(db, ids);

const meetingFields = fieldsOf(meetings, 'm');
const meetingsById = preparedRows(
  'meetings by id',
  meetingFields,
  `select ${meetingFields.list} from meeting m where m.id = any($1::uuid[])`,
);

/** All meetings of some sessions, newest first; a session has a handful. */
export const meetingsOfSessions = (db: Queryable, sessionIds: readonly string[]): Promise<MeetingRow[]> =>
  meetingsBySession(db, sessionIds);

const meetingsBySession = preparedRows(
  'meetings by session',
  meetingFields,
  `select ${meetingFields.list} from meeting m where m.session_id = any($1::uuid[])
   order by m.session_id, m.created_at desc, m.id desc`,
);
