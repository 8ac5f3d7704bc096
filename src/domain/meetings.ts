import { CLOCK_TRANSITIONS } from './session.ts';
import type { KnownSubStatus, StatusPair } from './status.ts';

/**
 * Returns the sub-status that a session gets if its booked meeting counts as missed; null if the session is not
 * where the booking left it, because a call, a queue or a cancellation was reported since.
 */
export const findMissedSubStatus = ({ subStatus }: StatusPair): KnownSubStatus | null =>
  CLOCK_TRANSITIONS.find(({ from }) => from === subStatus)?.to ?? null;

/**
 * Whether the grace period of a meeting was over when the provider was asked. An answer to an earlier question
 * tells nothing about the end of the period. A meeting that was moved while the provider was answering begins
 * after the time of asking, so that its period is not over either.
 */
export const isGraceOver = (meeting: { readonly startsAt: Date }, askedAt: Date, graceMs: number): boolean =>
  askedAt.getTime() > meeting.startsAt.getTime() + graceMs;
