import { CLOCK_TRANSITIONS } from './session.ts';
import { getStatusInfo, type KnownSubStatus, type StatusPair, type SubStatus } from './status.ts';

/**
 * Returns the sub-status that a session gets if its booked meeting counts as missed; null if the session
 * has left USER_MEETING_SCHEDULED, because a call, a queue or a cancellation was reported since.
 */
export const findMissedMeetingSubStatus = ({ subStatus }: StatusPair): KnownSubStatus | null =>
  CLOCK_TRANSITIONS.find(({ from }) => from === subStatus)?.to ?? null;

/**
 * Whether the grace period of a meeting was over when the provider was asked. The answer to an earlier
 * question does not tell whether a call began before the end of the period. A meeting that was moved while the
 * provider was answering starts after `askedAt`, so its grace period is not over.
 */
export const isMeetingGraceOver = (
  meeting: { readonly startsAt: Date },
  askedAt: Date,
  graceMs: number,
): boolean => askedAt.getTime() > meeting.startsAt.getTime() + graceMs;

/** Decisions of the agent after which no call takes place. */
const AGENT_DECISIONS: readonly SubStatus[] = ['AGENT_APPROVED', 'AGENT_REJECTED'];

/**
 * Returns the status that a booked meeting gets when its time has passed while its session is in another step than
 * USER_MEETING_SCHEDULED; null if it stays booked for now. CANCELLED: the session ended, or an agent decided, before
 * the meeting. MISSED: nothing more was reported within the grace period after the meeting's start, or after the
 * newest status if that is later (the customer may wait in the queue).
 */
export function findPassedMeetingStatus(
  session: StatusPair & { readonly statusSince: Date },
  meeting: { readonly startsAt: Date },
  at: Date,
  graceMs: number,
): 'MISSED' | 'CANCELLED' | null {
  if (!isMeetingGraceOver(meeting, at, graceMs)) return null;
  const { terminal } = getStatusInfo(session);
  const isDecided = terminal || AGENT_DECISIONS.includes(session.subStatus);
  if (isDecided) return session.statusSince <= meeting.startsAt ? 'CANCELLED' : 'MISSED';
  const isCall = session.subStatus === 'USER_ACCEPTED_MEETING';
  return isCall || !isMeetingGraceOver({ startsAt: session.statusSince }, at, graceMs) ? null : 'MISSED';
}
