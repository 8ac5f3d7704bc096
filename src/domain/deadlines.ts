/** Deadlines: the time that a session may spend in one state before it is overdue. */
import {
  ALL_PAIRS,
  getAwaitedParty,
  getStatusInfo,
  PARTIES,
  type Party,
  type StatusPair,
  type SubStatus,
} from './status.ts';

/** Deadlines in minutes, by the sub-status of a session, or by the party that it waits on. */
export type DeadlineMinutes = Readonly<Partial<Record<SubStatus | Party, number>>>;

/** Names that a deadline can have: sub-statuses that do not end a session, and parties. */
export const DEADLINE_NAMES: readonly (SubStatus | Party)[] = [
  ...new Set(ALL_PAIRS.filter(({ terminal }) => !terminal).map(({ subStatus }) => subStatus)),
  ...(Object.keys(PARTIES) as Party[]).filter((party) => party !== 'NOBODY'),
];

/** Columns of a session that its deadline follows from. */
export interface DeadlineFacts extends StatusPair {
  readonly disputed: boolean;
  readonly closed: boolean;
  readonly replaced: boolean;
  readonly statusSince: Date;
}

/**
 * Returns the time at which a session becomes overdue; null if no deadline is set for its state, if it has ended, or if
 * it is disputed. The deadline of the sub-status takes precedence over that of the party.
 */
export function findDueAt(session: DeadlineFacts, deadlines: DeadlineMinutes): Date | null {
  if (session.disputed || getStatusInfo(session).terminal) return null;
  const minutes = deadlines[session.subStatus] ?? deadlines[getAwaitedParty(session, session)];
  return minutes === undefined ? null : new Date(session.statusSince.getTime() + minutes * 60_000);
}
