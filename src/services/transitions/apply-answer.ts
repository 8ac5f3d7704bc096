import { findBookedMeeting } from '../../db/sessions/meetings.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { findMissedSubStatus, findPassedMeetingStatus, isGraceOver } from '../../domain/meetings.ts';
import { toStatusPair } from '../../domain/status.ts';
import type { AnswerUpdate } from './provider-update.ts';
import type { RecordedUpdate, TransitionWriter } from './transition-writer.ts';

/** Result of recording the provider's answer to a poll. */
export interface RecordedAnswer extends RecordedUpdate {
  /** True if the booked meeting was ended because its time had passed. */
  readonly missed: boolean;
}

/**
 * Records the provider's answer about a session. If the provider was asked after the grace period of the booked
 * meeting and knows of no call, records the meeting's end in the same transaction (`endPassedMeeting`).
 *
 * @throws Mismatch if an id in the answer contradicts the session
 */
export async function applyAnswer(
  writer: TransitionWriter,
  update: AnswerUpdate,
): Promise<RecordedAnswer | null> {
  const recorded = await writer.applyUpdate(update);
  if (!recorded) return null;
  const missed = await recordMissedMeeting(writer, recorded, update.query.at);
  return { ...recorded, session: missed ?? recorded.session, missed: missed !== null };
}

async function recordMissedMeeting(writer: TransitionWriter, { session }: RecordedUpdate, askedAt: Date) {
  // If a webhook overtook the answer, or another poll must confirm it, the answer does not tell the current state.
  if (session.unsettled) return null;
  // Saves a statement for most answers: the column is set while a meeting is booked.
  if (session.meetingAt === null && findMissedSubStatus(session) === null) return null;
  return endPassedMeeting(writer, session, askedAt);
}

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
  if (!meeting || !isGraceOver(meeting, at, meetingGraceMs)) return null;
  const by = { source: 'CLOCK', actor: null } as const;
  const after = { ...session, meetingAt: null };
  const subStatus = findMissedSubStatus(session);
  if (subStatus !== null) {
    await writer.changes.endMeeting(session.id, 'MISSED');
    return writer.applyOwn(after, toStatusPair(subStatus), 'MOVED', by);
  }
  const ended = findPassedMeetingStatus(session, meeting, at, meetingGraceMs);
  if (ended === null) return null;
  await writer.changes.endMeeting(session.id, ended);
  return writer.applyOwn(after, session, 'DETAILS', by);
}
