/**
 * Decides which actions a viewer may perform on a session now, and why an action is refused. The mutations and
 * the fields `availableActions` and `blockedActions` use the same functions, so the fields never offer an
 * action that the mutation refuses.
 */

import {
  ACTION_ROLES,
  ASSIGNMENT_MANAGER_ROLES,
  hasAnyRole,
  hasAnyRoleOnSession,
  type Role,
  type Viewer,
} from './access.ts';
import type { AnnotationKind } from './annotations.ts';
import { invariant } from './invariant.ts';
import {
  ACTION_TRANSITIONS,
  APPROVED_SUB_STATUSES,
  MEETING_SUB_STATUSES,
  SESSION_ACTIONS,
  type SessionAction,
  type TransitionSource,
} from './session.ts';
import {
  getAwaitedParty,
  getStatusInfo,
  type KnownSubStatus,
  type StatusPair,
  type SubStatus,
} from './status.ts';
import { findSubStatusesByRule, getSubStatusRules, SUB_STATUS_RULES } from './sub-status-rules.ts';
import { canonicalizeSubject } from './subject.ts';

/** Facts about a session that decide, together with the time and the viewer, whether an action is allowed. */
export interface ActionFacts extends StatusPair {
  readonly verificationId: string;
  readonly referenceId: string | null;
  readonly linkExpiresAt: Date | null;
  /** Time at which the customer's personal data was erased; null if it was not. */
  readonly erasedAt: Date | null;
  readonly disputed: boolean;
  readonly escalated: boolean;
  readonly closed: boolean;
  readonly replaced: boolean;
  /** True if polls of the provider are planned, because the provider may still report something. */
  readonly polled: boolean;
  /** Start of the booked meeting; null if no meeting is booked. */
  readonly meetingAt: Date | null;
  /** Whether the booked meeting was booked through this API; false if none is booked. */
  readonly meetingBookedHere: boolean;
  /**
   * How the session's last call ended, if a booking took the session out of review before any agent reviewed
   * that call; null otherwise.
   */
  readonly unreviewedCall: EndedCallSubStatus | null;
  /** Whether the log reports a call; false unless `mightHaveUnreportedCall`. */
  readonly hadCall: boolean;
  /** Whether another session replaces this one although `replaced` is not set; false unless `mightHaveUnflaggedReplacement`. */
  readonly hasReplacement: boolean;
  /** Stored names of all people who recorded an agent review of the session. */
  readonly agents: readonly string[];
  /**
   * True if the current agent review was not made through this gateway but at the provider, so that its author
   * is unknown.
   */
  readonly agentUnknown: boolean;
  /**
   * Recorded name of the person who accepted an approval of the provider in the newest dispute that was resolved so;
   * null if there is none, or an agent has reviewed the session through this API since.
   */
  readonly approvalAcceptedBy: string | null;
  /** Person to whom the session is assigned; null if the log assigns it to nobody. */
  readonly assignedAgent: string | null;
  /** Time at which the assignment ends by itself (lease); null if it lasts until somebody ends it. */
  readonly assignedUntil: Date | null;
  /** Agent whose review is the newest, if that agent could not validate the customer; null otherwise. */
  readonly unableAgent: string | null;
  /**
   * Recorded names of all people who reviewed, closed or replaced the session through this API, or accepted a decision
   * of the provider in a dispute.
   */
  readonly deciders: readonly string[];
}

/** Settings of the deployment that affect which actions are allowed. */
export interface ActionPolicy {
  /**
   * Whether an auditor may review, through this API, an approval that an unknown agent made at the provider.
   */
  readonly auditUnknownAgents: boolean;
  /** Whether notifications of customers can leave the gateway: by e-mail, or to an endpoint of merchant webhooks. */
  readonly notifies: boolean;
}

export const ALL_SESSION_ACTIONS = Object.keys(SESSION_ACTIONS) as SessionAction[];

/** Sub-statuses that show that a call has ended, so that the provider has a recording. */
export const SUB_STATUSES_AFTER_A_CALL: readonly SubStatus[] = findSubStatusesByRule(
  ({ afterCall }) => afterCall,
);

/** Returns a sentence that tells the viewer why the action is refused; null if the action is allowed. */
export function findSessionActionDenial(
  action: SessionAction,
  facts: ActionFacts,
  viewer: Viewer,
  now: Date,
  policy: ActionPolicy,
): string | null {
  const allowed: readonly Role[] = ACTION_ROLES[action];
  if (!hasAnyRoleOnSession(viewer, allowed, facts.verificationId))
    return `Your token lacks a role for this action: one of ${allowed.join(', ')} is needed.`;
  return (
    findEndDenial(action, facts) ??
    findStateDenial(action, facts, now, policy) ??
    findAssignmentDenial(action, facts, viewer, now) ??
    findPersonDenial(action, facts, viewer, policy)
  );
}

/** Actions that are possible although the session is over, if the rules of `findStateDenial` allow them. */
const AFTER_THE_END: readonly SessionAction[] = [
  'REQUEST_RECORDING',
  'CLOSE',
  'REPLACE',
  'RESOLVE_DISPUTE',
  'ADD_NOTE',
  'ESCALATE',
  'RESOLVE_ESCALATION',
  'LABEL',
  'NOTIFY',
];
/** Actions that are possible although another session replaces this one. */
const AFTER_REPLACEMENT: readonly SessionAction[] = [
  'REQUEST_RECORDING',
  'RESOLVE_DISPUTE',
  'RESOLVE_ESCALATION',
];

const REPLACED_BY_ANOTHER = 'Another session replaces this one: act on that session.';

function findEndDenial(action: SessionAction, facts: ActionFacts): string | null {
  if (facts.replaced && !AFTER_REPLACEMENT.includes(action)) return REPLACED_BY_ANOTHER;
  // The provider may contradict a decision made here, so the session is polled until the provider agrees.
  const mayRefresh = action === 'REFRESH' && facts.polled;
  return getStatusInfo(facts).terminal && !mayRefresh && !AFTER_THE_END.includes(action)
    ? 'The session is over.'
    : null;
}

/**
 * Returns the person to whom a session is assigned now; null if nobody is. An assignment whose lease has
 * ended no longer counts; no job has to remove it.
 */
export const findCurrentAssignee = (
  { assignedAgent, assignedUntil }: Pick<ActionFacts, 'assignedAgent' | 'assignedUntil'>,
  now: Date,
): string | null => (assignedUntil !== null && assignedUntil <= now ? null : assignedAgent);

/** Actions of one person at a time: while a session is assigned, only the assignee and managers perform them. */
const OF_THE_ASSIGNEE: readonly SessionAction[] = [
  'RECORD_AGENT_REVIEW',
  'RECORD_AUDITOR_REVIEW',
  'CLOSE',
  'ASSIGN',
  'UNASSIGN',
];

const ASSIGNED_TO_ANOTHER =
  'The session is assigned to another person, who works on it: only that person, an operator or an administrator may do this.';

function findAssignmentDenial(
  action: SessionAction,
  facts: ActionFacts,
  viewer: Viewer,
  now: Date,
): string | null {
  const assignee = findCurrentAssignee(facts, now);
  if (action === 'UNASSIGN' && assignee === null) return 'The session is not assigned.';
  if (assignee === null || assignee === viewer.id || !OF_THE_ASSIGNEE.includes(action)) return null;
  // A manager with another role too may decide as that role: the roles of a token are those of one person.
  return hasAnyRole(viewer, ASSIGNMENT_MANAGER_ROLES) ? null : ASSIGNED_TO_ANOTHER;
}

/**
 * Returns why a session may not be assigned to a person, although the action ASSIGN is allowed; null if it may. The
 * person's roles are unknown, because they are only in the person's own token.
 */
export function findAssigneeDenial(facts: ActionFacts, assignee: string): string | null {
  if (isSamePerson(facts.unableAgent, assignee))
    return 'This person could not validate the customer: another agent must take the session.';
  const isForAuditor = getAwaitedParty(facts, facts) === 'AUDITOR';
  const approved = [...facts.agents, facts.approvalAcceptedBy].some((name) => isSamePerson(name, assignee));
  return isForAuditor && approved
    ? 'This person reviewed the session as agent, or accepted its approval: another person must audit it (four-eyes rule).'
    : null;
}

/**
 * Whether a recorded name means this person. Earlier releases stored a `sub` unchanged, possibly with white space and
 * invisible characters, so the recorded name is normalized before the comparison.
 */
const isSamePerson = (recorded: string | null, id: string): boolean =>
  recorded !== null && canonicalizeSubject(recorded) === id;

/** Queues of work. A session is in the queue of the party that it waits on. */
export const WORK_QUEUES = {
  AGENT:
    'Sessions that wait on an agent: the customer is in the queue for a call, or a call has ended and no agent has reviewed it.',
  AUDITOR:
    "Sessions that wait on an auditor: an agent approved, and the approval waits for the auditor's decision.",
} as const;
export type Queue = keyof typeof WORK_QUEUES;

/** Sub-status of a running call. The provider's agent holds the call, so the queue does not give the session away. */
export const IN_CALL_SUB_STATUS = 'USER_ACCEPTED_MEETING' satisfies SubStatus;

/**
 * Returns why the viewer, who has a role for the queue, may not be given the session from it; null if they may. Of a
 * queue a person gets only sessions on which they may act.
 */
export function findClaimDenial(
  queue: Queue,
  facts: ActionFacts,
  viewer: Viewer,
  now: Date,
  policy: ActionPolicy,
): string | null {
  const assignee = findCurrentAssignee(facts, now);
  if (getAwaitedParty(facts, facts) !== queue) return 'The session is not in this queue.';
  // Managers too get only what nobody works on: the queue must never give a session to two people.
  if (assignee !== null && assignee !== viewer.id) return ASSIGNED_TO_ANOTHER;
  if (facts.subStatus === IN_CALL_SUB_STATUS && assignee === null) return 'The video call is in progress.';
  if (queue === 'AGENT' && !awaitsAgentReview(facts)) return findAssigneeDenial(facts, viewer.id);
  const review = queue === 'AGENT' ? 'RECORD_AGENT_REVIEW' : 'RECORD_AUDITOR_REVIEW';
  return findAssigneeDenial(facts, viewer.id) ?? findSessionActionDenial(review, facts, viewer, now, policy);
}

function findPersonDenial(
  action: SessionAction,
  facts: ActionFacts,
  viewer: Viewer,
  policy: ActionPolicy,
): string | null {
  if (action === 'SCHEDULE_MEETING' && awaitsAgentReview(facts) && !isStaffWhoMay(action, facts, viewer))
    return 'The call has ended and waits for its review: only staff may book another meeting now.';
  if (action === 'RECORD_AUDITOR_REVIEW') return fourEyes(facts, viewer, policy);
  const decided = facts.deciders.some((decider) => isSamePerson(decider, viewer.id));
  return action === 'RESOLVE_DISPUTE' && decided
    ? "You reviewed, closed or replaced this session, or accepted the provider's decision in an earlier dispute: another person must resolve the dispute (four-eyes rule)."
    : null;
}

function findStateDenial(
  action: SessionAction,
  facts: ActionFacts,
  now: Date,
  policy: ActionPolicy,
): string | null {
  const linkEnded = facts.linkExpiresAt !== null && facts.linkExpiresAt <= now;
  switch (action) {
    case 'SCHEDULE_MEETING':
      if (!isAllowedFrom(action, facts.subStatus)) return explainNoMeeting(facts);
      if (linkEnded) return "The customer's link has expired: start a new session.";
      // A meeting that the customer booked at the provider prevents another booking only until it begins.
      return isBookedAtProvider(facts) && facts.meetingAt > now ? MOVE_AT_PROVIDER : null;
    case 'CANCEL_MEETING':
      if (!isAllowedFrom(action, facts.subStatus)) return explainNoMeeting(facts);
      if (facts.meetingAt === null) return 'No meeting is booked.';
      if (facts.meetingAt <= now) return 'The meeting has already begun.';
      return isBookedAtProvider(facts) ? CANCEL_AT_PROVIDER : null;
    case 'RECORD_AGENT_REVIEW':
      if (facts.subStatus === 'AGENT_UNABLE_TO_VALIDATE') return 'Another call must take place first.';
      if (REVIEW_BY_SUB_STATUS[facts.subStatus]) return 'The agent has already decided.';
      return isAllowedFrom(action, findReviewedSubStatus(facts))
        ? null
        : 'An agent review is possible only after a call has ended.';
    case 'RECORD_AUDITOR_REVIEW':
      // The provider contradicts the agent's approval. A dispute does not raise the version of the session, so
      // `expectedVersion` does not protect an auditor who has not seen the dispute.
      if (facts.disputed && isAllowedFrom(action, facts.subStatus))
        return 'The session is disputed: resolve the dispute first.';
      return isAllowedFrom(action, facts.subStatus)
        ? null
        : 'An auditor review is possible only after an agent has approved.';
    case 'REFRESH':
      return null;
    case 'REQUEST_RECORDING':
      // The provider may still have the video, which shows the person.
      if (facts.erasedAt !== null)
        return "The customer's personal data was erased: the recording is not shown.";
      return SUB_STATUSES_AFTER_A_CALL.includes(facts.subStatus) ||
        facts.unreviewedCall !== null ||
        facts.hadCall
        ? null
        : 'The recording exists only after a call has ended.';
    case 'CREATE_SDK_TOKEN':
      if (facts.referenceId === null)
        return 'The provider has not assigned a reference id yet: refresh the session.';
      return linkEnded ? "The customer's link has expired: start a new session." : null;
    case 'CLOSE':
      if (facts.closed) return 'The session is closed already.';
      if (facts.disputed) return 'The session is disputed: resolve the dispute first.';
      return getAwaitedParty(facts, facts) === 'NOBODY' ? 'The session is over.' : null;
    case 'REPLACE':
      if (facts.hasReplacement) return REPLACED_BY_ANOTHER;
      if (facts.disputed) return 'The session is disputed: resolve the dispute first.';
      return APPROVED_SUB_STATUSES.includes(facts.subStatus)
        ? 'The customer was approved: an approved session cannot be replaced.'
        : null;
    case 'RESOLVE_DISPUTE':
      return facts.disputed ? null : 'The session is not disputed.';
    case 'ADD_NOTE':
    case 'LABEL':
      return null;
    case 'NOTIFY':
      if (facts.erasedAt !== null)
        return "The customer's personal data was erased: the customer cannot be notified.";
      return policy.notifies
        ? null
        : 'No way to notify customers is configured: set SMTP_URL, or an endpoint in WEBHOOK_ENDPOINTS that gets customer.notification_requested.';
    case 'ESCALATE':
      return facts.escalated ? 'The session is escalated already: resolve the escalation first.' : null;
    case 'RESOLVE_ESCALATION':
      return facts.escalated ? null : 'The session is not escalated.';
    case 'ASSIGN':
    case 'UNASSIGN':
      return null;
    default:
      return action satisfies never;
  }
}

const MOVE_AT_PROVIDER =
  'The customer booked the meeting at the provider, whose API cannot move it: the customer must move it there.';
const CANCEL_AT_PROVIDER =
  'The customer booked the meeting at the provider, whose API cannot cancel it: ask the customer to cancel it there.';

const isBookedAtProvider = (facts: ActionFacts): facts is ActionFacts & { readonly meetingAt: Date } =>
  facts.meetingAt !== null && !facts.meetingBookedHere;

const isStaffWhoMay = (action: SessionAction, { verificationId }: ActionFacts, viewer: Viewer): boolean => {
  const allowed: readonly Role[] = ACTION_ROLES[action];
  const staff = allowed.filter((role) => role !== 'CUSTOMER');
  return hasAnyRoleOnSession(viewer, staff, verificationId);
};

/** Sub-statuses in which the provider reports that a call has ended, and an agent must review that call. */
export const ENDED_CALL_SUB_STATUSES = [
  'AGENT_ENDED_CALL',
  'USER_ENDED_CALL',
] as const satisfies readonly SubStatus[];
export type EndedCallSubStatus = (typeof ENDED_CALL_SUB_STATUSES)[number];

/** Whether the session is in review: a call has ended, and no agent has reviewed it. */
export const awaitsAgentReview = ({ subStatus }: StatusPair): boolean =>
  ENDED_CALL_SUB_STATUSES.some((ended) => ended === subStatus);

/**
 * Whether a booking may have taken a session with this status pair out of review. Only then must the log be
 * searched for a call without a review.
 */
export const mightHaveUnreviewedCall = ({ subStatus }: StatusPair): boolean =>
  MEETING_SUB_STATUSES.some((after) => after === subStatus);

/**
 * Returns the sub-status that decides which agent reviews are possible: how the unreviewed call ended if a
 * booking took the session out of review, otherwise the session's own. Null if there is no call to review.
 */
const findReviewedSubStatus = (facts: StatusPair & Pick<ActionFacts, 'unreviewedCall'>): SubStatus | null =>
  mightHaveUnreviewedCall(facts) ? facts.unreviewedCall : facts.subStatus;

const isAllowedFrom = (action: SessionAction, from: SubStatus | null): boolean =>
  from !== null && ACTION_TRANSITIONS.some((move) => move.action === action && move.from.includes(from));

const explainNoMeeting = ({ subStatus }: StatusPair): string | null => getSubStatusRules(subStatus).noMeeting;

/**
 * Returns why the viewer may not audit the approval (four-eyes rule); null if the viewer may. Refuses a viewer who
 * reviewed as the agent or accepted the approval in a dispute, whatever their roles. If the agent is unknown,
 * refuses every viewer, unless the policy allows the audit.
 */
function fourEyes(
  { agents, agentUnknown, approvalAcceptedBy }: ActionFacts,
  viewer: Viewer,
  policy: ActionPolicy,
): string | null {
  if (agents.some((agent) => isSamePerson(agent, viewer.id)))
    return 'You recorded an agent review of this session: another person must audit it (four-eyes rule).';
  if (isSamePerson(approvalAcceptedBy, viewer.id))
    return "You accepted the agent's approval by deciding a dispute: another person must audit it (four-eyes rule).";
  if (agentUnknown && !policy.auditUnknownAgents) {
    return 'The agent approved at the provider and is unknown to the gateway, so the auditor could be the same person (four-eyes rule): wait until the provider reports the decision of its auditor.';
  }
  return null;
}

/** Statement of a reviewer about the completeness of the call. */
export interface CallCompletenessStatement {
  /** Whether the call was complete; null if the reviewer does not say. */
  readonly callComplete: boolean | null;
  /**
   * Whether the reviewer's client knows `callComplete`. Clients of the last release do not know it, and may continue
   * to reject without it.
   */
  readonly mayState: boolean;
}

/**
 * Returns why a review may not lead to the sub-status `to`, although the action is allowed now; null if it may.
 * Assumes that `findSessionActionDenial` has allowed the action. A call that the customer ended may be incomplete, so each
 * decision about that call needs a statement whether it was complete.
 */
export function findReviewDecisionDenial(
  action: SessionAction,
  to: KnownSubStatus,
  facts: StatusPair & Pick<ActionFacts, 'unreviewedCall'>,
  { callComplete, mayState }: CallCompletenessStatement,
): string | null {
  const from = findReviewedSubStatus(facts);
  const allowed = ACTION_TRANSITIONS.some(
    (move) => move.action === action && move.to === to && from !== null && move.from.includes(from),
  );
  if (!allowed) return 'This decision is not possible in the current status.';
  const isApproval = to === 'AGENT_APPROVED';
  if (isApproval && callComplete === false)
    return 'You stated that the call was not complete, so it cannot be approved.';
  if (from !== 'USER_ENDED_CALL' || callComplete !== null) return null;
  if (isApproval)
    return 'The customer ended the call: it can be approved only with your statement that it was complete (`callComplete: true`).';
  return mayState ? 'The customer ended the call: state whether it was complete (`callComplete`).' : null;
}

/** Columns of rows related to a session that its action rules need. */
export interface RelatedRows {
  readonly meeting: { readonly startsAt: Date; readonly source: TransitionSource } | null;
  readonly reviews: readonly {
    stage: ReviewStage;
    decision: ReviewDecision;
    reviewer: string | null;
    sequence: number;
  }[];
  readonly annotations: readonly {
    kind: AnnotationKind;
    code: string | null;
    author: string;
    sequence: number;
  }[];
  /** End of the newest call if no agent has reviewed it; null if there is no such call, or `mightHaveUnreviewedCall` is false. */
  readonly unreviewedCall: EndedCallSubStatus | null;
  readonly hadCall: boolean;
  readonly hasReplacement: boolean;
  /**
   * Recorded name of the person who replaced the session; null if the name is unknown, or `needsReplacerName` is
   * false.
   */
  readonly replacer: string | null;
}

/**
 * Whether the rules need the name of the person who replaced the session, who may not resolve the dispute. Only then
 * must the log be searched for the name.
 */
export const needsReplacerName = ({
  replaced,
  disputed,
}: Pick<ActionFacts, 'replaced' | 'disputed'>): boolean => replaced && disputed;

/** Sub-statuses in which the last release let another session replace a session, without a flag on it. */
const REPLACED_WITHOUT_FLAG: readonly SubStatus[] = [
  'VKYC_EXPIRED',
  'INSUFFICIENT_BALANCE',
  'TECHNICAL_ERROR',
  'AGENT_REJECTED',
  'AUDITOR_REJECTED',
];

/** Whether another session may replace this one although the flag `replaced` is not set. Only then must it be searched. */
export const mightHaveUnflaggedReplacement = ({
  replaced,
  subStatus,
}: StatusPair & Pick<ActionFacts, 'replaced'>): boolean =>
  !replaced && REPLACED_WITHOUT_FLAG.includes(subStatus);

/**
 * Whether a call may have taken place although the status does not tell: the session was closed or replaced, has
 * expired, or is disputed. Whoever audits its end must be able to watch the call. Only then must the log be searched.
 */
export const mightHaveUnreportedCall = (session: StatusPair & Pick<ActionFacts, 'disputed'>): boolean =>
  !SUB_STATUSES_AFTER_A_CALL.includes(session.subStatus) &&
  (session.disputed || getStatusInfo(session).terminal);

/** Combines a session with its related rows into what the rules need to decide whether an action is allowed. */
export function toActionFacts<
  Session extends Omit<
    ActionFacts,
    | 'polled'
    | 'meetingAt'
    | 'meetingBookedHere'
    | 'unreviewedCall'
    | 'hadCall'
    | 'hasReplacement'
    | 'agents'
    | 'unableAgent'
    | 'agentUnknown'
    | 'approvalAcceptedBy'
    | 'deciders'
  > & { readonly version: number; readonly nextPollAt: Date | null },
>(
  session: Session,
  { meeting, reviews, annotations, unreviewedCall, hadCall, hasReplacement, replacer }: RelatedRows,
): ActionFacts {
  const ofAgents = reviews.filter((review) => review.stage === 'AGENT');
  // The resolution of a dispute raises the version, so the review that stands is older than the version.
  const resolution = annotations.find(
    ({ kind, sequence }) => kind === 'DISPUTE_RESOLUTION' && sequence === session.version,
  );
  const standing = ofAgents.findLast(({ sequence, decision }) =>
    resolution
      ? sequence < session.version && toReviewSubStatus('AGENT', decision) === session.subStatus
      : sequence === session.version,
  );
  const newest = ofAgents.at(-1);
  const acceptances = annotations.filter(
    ({ kind, code }) => kind === 'DISPUTE_RESOLUTION' && code === 'ACCEPT_PROVIDER',
  );
  const closers = annotations.filter(({ kind }) => kind === 'CLOSURE').map(({ author }) => author);
  return {
    ...session,
    polled: session.nextPollAt !== null,
    meetingAt: meeting?.startsAt ?? null,
    meetingBookedHere: meeting?.source === 'MUTATION',
    unreviewedCall,
    hadCall,
    hasReplacement,
    agents: ofAgents.flatMap((review) => review.reviewer ?? []),
    unableAgent: newest?.decision === 'UNABLE_TO_VALIDATE' ? newest.reviewer : null,
    agentUnknown: !standing || standing.reviewer === null,
    approvalAcceptedBy: findAcceptorOfApproval(reviews, acceptances.at(-1)),
    deciders: [
      ...reviews.flatMap((review) => review.reviewer ?? []),
      ...closers,
      ...acceptances.map(({ author }) => author),
      ...(replacer ? [replacer] : []),
    ],
  };
}

/** Status of a meeting that has ended. */
export type MeetingOutcome = 'MISSED' | 'COMPLETED' | 'CANCELLED';

/**
 * Status that the booked meeting gets when the provider moves the session to one of these sub-statuses. Besides, the
 * end of the session and an agent's decision may cancel it.
 * Returns who accepted an approval of the provider by resolving a dispute; null if the newest acceptance accepted
 * another decision, or an agent has reviewed the session through this API since. The version of the session does not
 * tell: the provider may repeat the approval, or contradict it and have another person keep it.
 */
function findAcceptorOfApproval(
  reviews: RelatedRows['reviews'],
  acceptance: RelatedRows['annotations'][number] | undefined,
): string | null {
  if (!acceptance) return null;
  const { author, sequence } = acceptance;
  const accepted = reviews.findLast((review) => review.reviewer === null && review.sequence < sequence);
  const isReplaced = reviews.some(
    (review) => review.stage === 'AGENT' && review.reviewer !== null && review.sequence > sequence,
  );
  return (accepted?.decision ?? 'APPROVED') === 'APPROVED' && !isReplaced ? author : null;
}

/**
 * Status that the booked meeting gets when the provider moves the session to one of these sub-statuses. Any
 * other sub-status leaves the meeting unchanged.
 */
export const MEETING_OUTCOME_BY_SUB_STATUS: Partial<Record<SubStatus, MeetingOutcome>> = Object.fromEntries(
  Object.entries(SUB_STATUS_RULES).flatMap(([subStatus, { meetingBecomes }]) =>
    meetingBecomes ? [[subStatus, meetingBecomes]] : [],
  ),
);

export const REVIEW_STAGES = {
  AGENT: 'The first decision, by the agent who held the call.',
  AUDITOR: 'The final decision, by an auditor.',
} as const;
export type ReviewStage = keyof typeof REVIEW_STAGES;

export const REVIEW_DECISIONS = {
  APPROVED: "The customer's identity is confirmed.",
  REJECTED: 'The customer is rejected.',
  UNABLE_TO_VALIDATE: 'The agent could neither approve nor reject; another call is needed.',
} as const;
export type ReviewDecision = keyof typeof REVIEW_DECISIONS;

/**
 * Stage and decision of the review that each sub-status reports. Sub-statuses that report no review are not
 * listed.
 */
export const REVIEW_BY_SUB_STATUS: Partial<
  Record<SubStatus, { stage: ReviewStage; decision: ReviewDecision }>
> = {
  AGENT_APPROVED: { stage: 'AGENT', decision: 'APPROVED' },
  AGENT_REJECTED: { stage: 'AGENT', decision: 'REJECTED' },
  AGENT_UNABLE_TO_VALIDATE: { stage: 'AGENT', decision: 'UNABLE_TO_VALIDATE' },
  AUDITOR_APPROVED: { stage: 'AUDITOR', decision: 'APPROVED' },
  AUDITOR_REJECTED: { stage: 'AUDITOR', decision: 'REJECTED' },
};

/** Returns the sub-status that a review leads to. */
export function toReviewSubStatus(stage: ReviewStage, decision: ReviewDecision): KnownSubStatus {
  const found = Object.entries(REVIEW_BY_SUB_STATUS).find(
    ([, review]) => review.stage === stage && review.decision === decision,
  );
  invariant(found, `no sub-status for the ${stage} review ${decision}`);
  return found[0] as KnownSubStatus;
}

export const MEETING_STATUSES = {
  SCHEDULED: 'The meeting is booked.',
  RESCHEDULED: 'The meeting was moved: another meeting replaces it.',
  CANCELLED:
    'The meeting was cancelled, through this API or at the provider; or an agent decided, or the session ended, before it took place.',
  COMPLETED: 'The call took place.',
  MISSED:
    'The customer did not join the call, or declined it; or the time of the meeting passed, and the provider, when asked, knew of no call.',
} as const;
export type MeetingStatus = keyof typeof MEETING_STATUSES;
