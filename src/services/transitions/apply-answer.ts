import { findBookedMeeting } from '../../db/sessions/meetings.ts';
import { findMissedSubStatus, isGraceOver } from '../../domain/meetings.ts';
import { toStatusPair } from '../../domain/status.ts';
import type { AnswerUpdate } from './provider-update.ts';
import type { RecordedUpdate, TransitionWriter } from './transition-writer.ts';

/** Result of recording the provider's answer to a poll. */
export interface RecordedAnswer extends RecordedUpdate {
  /** True if the answer showed that the customer missed the booked meeting. */
  readonly missed: boolean;
}

/**
 * Records the provider's answer about a session. If the provider was asked after the grace period of the booked
 * meeting and reports nothing newer than the booking, records the meeting as missed in the same transaction.
 * Idempotent: the row lock and the meeting's status prevent a second record by another replica.
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
  const subStatus = findMissedSubStatus(session);
  // If a webhook overtook the answer, or another poll must confirm the answer, it does not tell the current state.
  if (subStatus === null || session.unsettled) return null;
  const meeting = await findBookedMeeting(writer.tx, session.id);
  if (!meeting || !isGraceOver(meeting, askedAt, writer.pace.meetingGraceMs)) return null;
  await writer.changes.endMeeting(session.id, 'MISSED');
  const by = { source: 'CLOCK', actor: null } as const;
  return writer.applyOwn({ ...session, meetingAt: null }, toStatusPair(subStatus), 'MOVED', by);
}
