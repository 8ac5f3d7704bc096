import { MEETING_OUTCOME_BY_SUB_STATUS, REVIEW_BY_SUB_STATUS } from './actions.ts';
import { isAppliedVerdict, isLateVerdict, type Verdict } from './session.ts';
import type { SubStatus } from './status.ts';

/** Parts of a session that a transition may have changed: a screen queries these parts again. */
export const SESSION_CHANGES = {
  STATUS:
    'Status, sub-status and what follows from them, such as `statusInfo.waitingOn`, `availableActions`, and the end of an assignment by a review or by the end of the session.',
  MEETINGS: 'The fields `meeting` and `meetings`, and whether the meeting can be cancelled.',
  REVIEWS: 'The fields `reviews` and `agentRemarks`: a review, or remarks of an agent or auditor.',
  NOTES: 'The field `notes`, which only staff see.',
  ESCALATION:
    'The fields `escalation` and `escalations`, which only staff see, and whether the session can be escalated.',
  CLOSURE: 'The field `closure`: staff closed the session.',
  DISPUTE: 'The fields `disputed` and `disputeResolutions`.',
  REPLACEMENT: 'The field `replacedBy`: another session replaces this one.',
  ASSIGNMENT:
    'The fields `assignedAgent`, `assignedAt`, `assignedUntil` and `assignments`, which only staff see, and whether you may assign the session.',
  LABELS: 'The fields `metadata` and `tags`, which only staff see.',
  NOTIFICATIONS: 'The field `notifications`, which only staff see.',
} as const;
export type SessionChange = keyof typeof SESSION_CHANGES;

/** Changes that are hidden from customers. */
export const STAFF_ONLY_CHANGES: readonly SessionChange[] = [
  'NOTES',
  'ESCALATION',
  'ASSIGNMENT',
  'LABELS',
  'NOTIFICATIONS',
];

const CHANGES_BY_VERDICT: Record<Verdict, readonly SessionChange[]> = {
  MOVED: ['STATUS'],
  RESOLVED: ['STATUS', 'DISPUTE'],
  LATE: [],
  REVIEWED: [],
  ENDED: [],
  // A dispute also changes STATUS: the session then waits for the merchant.
  DISPUTED: ['STATUS', 'DISPUTE'],
  DISPUTED_LATE: ['STATUS', 'DISPUTE'],
  DETAILS: ['MEETINGS', 'REVIEWS'],
  NOTED: ['NOTES'],
  ESCALATED: ['ESCALATION'],
  ESCALATION_RESOLVED: ['ESCALATION'],
  ASSIGNED: ['ASSIGNMENT'],
  UNASSIGNED: ['ASSIGNMENT'],
  LABELLED: ['LABELS'],
  NOTIFIED: ['NOTIFICATIONS'],
};

/** Verdicts of transitions that repeat the session's status pair, and record what staff wrote or a detail. */
const WITHOUT_STATUS: readonly Verdict[] = [
  'DETAILS',
  'NOTED',
  'ESCALATED',
  'ESCALATION_RESOLVED',
  'ASSIGNED',
  'UNASSIGNED',
  'LABELLED',
  'NOTIFIED',
];

/** Whether a transition reports or sets a status, instead of recording what staff wrote or a detail. */
export const isStatusVerdict = (verdict: Verdict): boolean => !WITHOUT_STATUS.includes(verdict);

/** Returns what a transition changed or may have changed, in the order of `SESSION_CHANGES`. */
export function findSessionChanges({
  verdict,
  subStatus,
}: {
  readonly verdict: Verdict;
  readonly subStatus: SubStatus;
}): SessionChange[] {
  const found = new Set<SessionChange>(CHANGES_BY_VERDICT[verdict] ?? []);
  if (isAppliedVerdict(verdict) && changesMeetings(subStatus)) found.add('MEETINGS');
  // A review made at the provider is stored whatever the verdict, except if a newer update was recorded first. The
  // agent's remarks may arrive with the end of the call.
  const isReview = subStatus in REVIEW_BY_SUB_STATUS || subStatus === 'AGENT_ENDED_CALL';
  if (isStatusVerdict(verdict) && !isLateVerdict(verdict) && isReview) found.add('REVIEWS');
  // The resolution of a dispute ends nothing, even if it repeats a sub-status that once ended the session.
  if (verdict !== 'RESOLVED' && isStatusVerdict(verdict))
    for (const each of CHANGES_BY_END[subStatus] ?? []) found.add(each);
  return (Object.keys(SESSION_CHANGES) as SessionChange[]).filter((change) => found.has(change));
}

/**
 * Further changes of a transition to a sub-status that closes or replaces the session, even if the session had
 * already ended: it then waits for nobody, and its booked meeting is cancelled.
 */
const CHANGES_BY_END: Partial<Record<SubStatus, readonly SessionChange[]>> = {
  REJECTED_BY_MERCHANT: ['STATUS', 'MEETINGS', 'CLOSURE'],
  FAILED_BY_MERCHANT: ['STATUS', 'MEETINGS', 'CLOSURE'],
  REPLACED: ['STATUS', 'MEETINGS', 'REPLACEMENT'],
};

/**
 * Sub-statuses that change meetings, besides those of `MEETING_OUTCOME_BY_SUB_STATUS`: a decision or the end of the
 * session cancels a meeting.
 */
const MEETING_CHANGES: readonly SubStatus[] = [
  'USER_MEETING_SCHEDULED',
  'AGENT_APPROVED',
  'AGENT_REJECTED',
  'AUDITOR_APPROVED',
  'AUDITOR_REJECTED',
  'INSUFFICIENT_BALANCE',
  'VKYC_EXPIRED',
];

const changesMeetings = (subStatus: SubStatus): boolean =>
  MEETING_CHANGES.includes(subStatus) || subStatus in MEETING_OUTCOME_BY_SUB_STATUS;
