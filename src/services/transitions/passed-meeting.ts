import { findBookedMeeting } from '../../db/sessions/meetings.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import {
  findMissedMeetingSubStatus,
  findPassedMeetingStatus,
  isMeetingGraceOver,
} from '../../domain/meetings.ts';
import { toStatusPair } from '../../domain/status.ts';
import type { TransitionWriter } from './transition-writer.ts';

/**
 * Ends the booked meeting of a session whose row is locked if the meeting's time had passed at `at`. A session that
 * still waits for the meeting moves on; in another step, only the meeting ends. Returns the updated row; null if no
 * meeting has passed. Idempotent: the row lock and the meeting's status prevent a second record by another replica.
 */
export async function endPassedMeeting(
  writer: TransitionWriter,
  session: SessionRow,
  at: Date,
): Promise<SessionRow | null> {
  const meeting = await findBookedMeeting(writer.tx, session.id);
  const { meetingGraceMs } = writer.pace;
  if (!meeting || !isMeetingGraceOver(meeting, at, meetingGraceMs)) return null;
  const by = { source: 'CLOCK', actor: null } as const;
  const after = { ...session, meetingAt: null };
  const subStatus = findMissedMeetingSubStatus(session);
  if (subStatus !== null) {
    await writer.changes.endMeeting(session.id, 'MISSED');
    return writer.applyOwn(after, toStatusPair(subStatus), 'MOVED', by);
  }
  const ended = findPassedMeetingStatus(session, meeting, at, meetingGraceMs);
  if (ended === null) return null;
  await writer.changes.endMeeting(session.id, ended);
  return writer.applyOwn(after, session, 'DETAILS', by);
}
