import { findMissedMeetingSubStatus } from '../../domain/meetings.ts';
import { endPassedMeeting } from './passed-meeting.ts';
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
 * @throws IdentityMismatch if an id in the answer contradicts the session
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
  if (session.meetingAt === null && findMissedMeetingSubStatus(session) === null) return null;
  return endPassedMeeting(writer, session, askedAt);
}
