import { CLOCK_TRANSITIONS } from './session.ts';
import type { KnownSubStatus, StatusPair } from './status.ts';

/**
 * Returns the sub-status that a session gets if its booked meeting counts as missed; null if the session
 * has left USER_MEETING_SCHEDULED, because a call, a queue or a cancellation was reported since.
 */
export const findMissedSubStatus = ({ subStatus }: StatusPair): KnownSubStatus | null =>
  CLOCK_TRANSITIONS.find(({ from }) => from === subStatus)?.to ?? null;

/**
 * Whether the grace period of a meeting was over when the provider was asked. The answer to an earlier
 * question does not tell whether a call began before the end of the period. A meeting that was moved while the
 * provider was answering starts after `askedAt`, so its grace period is not over.
 */
export const isGraceOver = (meeting: { readonly startsAt: Date }, askedAt: Date, graceMs: number): boolean =>
  askedAt.getTime() > meeting.startsAt.getTime() + graceMs;
