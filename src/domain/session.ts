import { invariant } from './invariant.ts';
import {
  ALL_PAIRS,
  getStatusInfo,
  type KnownSubStatus,
  parseRawStatus,
  type Status,
  type StatusInfo,
  type StatusPair,
  type SubStatus,
} from './status.ts';
import { getSubStatusRules } from './sub-status-rules.ts';

/** Cause of a transition: a webhook, a poll, a mutation of this API, or the clock. */
export const TRANSITION_SOURCES = {
  WEBHOOK: 'The provider reported the change by webhook.',
  POLL: 'The gateway found the change by asking the provider.',
  MUTATION: 'A user performed a mutation of this API.',
  CLOCK:
    'A time passed, and the provider, when asked, reported nothing newer. Example: the grace period of a booked meeting ended without a call. Or a meeting is about to begin, and the gateway reminds the customer.',
} as const;
export type TransitionSource = keyof typeof TRANSITION_SOURCES;

/**
 * Verdicts on a transition, each with the reason why the transition did not change the status; null if it was
 * applied.
 */
export const VERDICTS = {
  MOVED: null,
  /** A person resolved the dispute: the session gets the pair of the transition, which may be the one it had. */
  RESOLVED: null,
  LATE: 'The provider had already reported a newer status.',
  REVIEWED: 'It concerns a call that has already been reviewed.',
  ENDED: 'The session had already ended.',
  DISPUTED: "It contradicts the session's decision: a person must check the session.",
  DISPUTED_LATE:
    "It contradicts the session's decision, but the provider had already reported a newer status: a person must check the session.",
  DETAILS: 'It records a change of a meeting or of the remarks of a review; the status did not change.',
  NOTED: 'It records a note of staff; the status did not change.',
  ESCALATED: 'It records that staff escalated the session; the status did not change.',
  ESCALATION_RESOLVED: 'It records that staff resolved the escalation; the status did not change.',
  ASSIGNED: 'It records who works on the session; the status did not change.',
  UNASSIGNED: 'It records that nobody works on the session any more; the status did not change.',
  LABELLED: 'It records that staff changed the metadata or the tags; the status did not change.',
  NOTIFIED: 'It records that a notification of the customer was requested; the status did not change.',
} as const;
export type Verdict = keyof typeof VERDICTS;

/** Verdicts of transitions that are applied: they set the status pair and the version of the session. */
export const APPLIED_VERDICTS: readonly Verdict[] = ['MOVED', 'RESOLVED'];

/** Whether a transition with this verdict is applied: it sets the status pair and the version of the session. */
export const isAppliedVerdict = (verdict: Verdict): boolean => APPLIED_VERDICTS.includes(verdict);

/** Verdicts on records that only staff may know of. */
const STAFF_VERDICTS: readonly Verdict[] = [
  'NOTED',
  'ESCALATED',
  'ESCALATION_RESOLVED',
  'ASSIGNED',
  'UNASSIGNED',
  'LABELLED',
  'NOTIFIED',
];

/** Whether a transition records a note, an escalation, an assignment, labels or a notification, which only staff may know of. */
export const isStaffRecordVerdict = (verdict: Verdict): boolean => STAFF_VERDICTS.includes(verdict);

/**
 * Returns why a transition with this verdict did not change the status; null if it did. Customers do not learn of
 * the notes, escalations, assignments, labels and notifications of staff.
 */
export const explainUnchangedStatus = (verdict: Verdict, staff: boolean): string | null =>
  !staff && isStaffRecordVerdict(verdict) ? 'It changed nothing that you can see.' : VERDICTS[verdict];

/**
 * State of a session that the rules need to decide about an update: the result of applying all transitions of its log in
 * order, and what the provider last reported.
 */
export interface SessionState extends StatusPair {
  /** Sequence of the newest transition that was applied (`isAppliedVerdict`). */
  readonly version: number;
  /** Sequence of the newest transition of all, whatever its verdict. */
  readonly lastSequence: number;
  readonly disputed: boolean;
  /** True if staff escalated the session, and the escalation is not resolved. */
  readonly escalated: boolean;
  /** True if staff closed the session, even if it had ended before. A closed session waits for no party (NOBODY). */
  readonly closed: boolean;
  /** True if another session replaces this one. */
  readonly replaced: boolean;
  /**
   * True if the log assigns the session to a person. Whether a lease has ended by the clock is not part of this state.
   */
  readonly assigned: boolean;
  /** True if the current status pair was decided through this API or by the clock, not reported by the provider. */
  readonly decidedHere: boolean;
  readonly provider: LastProviderState;
}

/**
 * Newest raw status that the provider reported, and its time. Decisions made through this API do not change
 * this state.
 */
export interface LastProviderState {
  readonly rawStatus: string;
  readonly rawSubStatus: string;
  /** Event time of the newest webhook, by the provider's clock; null until one was received. */
  readonly eventTime: Date | null;
  /**
   * Time by our clock at which a poll, or a webhook whose event time is unusable, reported this raw status;
   * null if a webhook with a usable event time reported the status.
   */
  readonly polledAt: Date | null;
  /**
   * Number of recorded webhooks of this session. If the number grew while a poll was waiting for its answer, a
   * webhook overtook the answer (race).
   */
  readonly webhooks: number;
  /**
   * Answer of the provider that is not applied until a later poll confirms it; null if no answer is in doubt.
   */
  readonly doubt: DoubtfulPollAnswer | null;
}

/**
 * Answer to a poll that repeats an older raw status of the session. Either the session went back to that
 * status, or the provider answered from a replica that lags behind its own webhooks; a second poll some seconds
 * later tells which.
 */
export interface DoubtfulPollAnswer extends RawPair {
  /** When the answer was recorded, by our clock. */
  readonly since: Date;
  /**
   * Value of `LastProviderState.webhooks` when this doubtful answer was recorded. If a webhook was recorded since, the
   * answer is ignored.
   */
  readonly webhooks: number;
}

interface RawPair {
  readonly rawStatus: string;
  readonly rawSubStatus: string;
}

/**
 * Earlier report of the same raw status in this session: the event time of the webhook by the provider's clock,
 * or null if only a poll reported the status.
 */
export type ObservedEventTime = Date | null;

/**
 * Provider update: a WEBHOOK, or the provider's ANSWER to a poll. `seen` lists the earlier reports of the same
 * raw status in this session.
 */
export type ProviderStatusUpdate = RawPair & { readonly seen: readonly ObservedEventTime[] } & (
    | {
        readonly kind: 'WEBHOOK';
        readonly eventTime: Date;
        /** Time by the gateway's clock at which the webhook arrived. */
        readonly receivedAt: Date;
      }
    | {
        readonly kind: 'ANSWER';
        readonly webhooksWhenAsked: number;
        /** Time by the gateway's clock at which the provider was asked. */
        readonly askedAt: Date;
        /** Start of the meeting in the answer; null if there is none, or the provider reported it before. */
        readonly newMeetingAt: Date | null;
      }
  );

/**
 * Maximum assumed difference between the provider's clock and ours. If a webhook and a poll are closer in time
 * than this, their order is uncertain, and another poll is needed. Updates are never ordered by comparing the
 * two clocks.
 */
const CLOCK_DOUBT_MS = 5_000;

/**
 * How far the event time of a webhook may be ahead of our clock. Clocks differ by seconds; a time minutes ahead
 * is an error. If such a time were used for ordering, every correct webhook before that time would count as
 * late.
 */
export const MAX_EVENT_TIME_LEAD_MS = 5 * 60_000;

/** Whether an event time is so far ahead of our clock that it must not be used for ordering. */
export const isEventTimeTooFarAhead = (time: Date, now: Date): boolean =>
  time.getTime() > now.getTime() + MAX_EVENT_TIME_LEAD_MS;

/**
 * Delay of the second poll, which confirms an answer that repeats an older status. Longer than the usual
 * replication lag of the provider.
 */
export const SECOND_POLL_DELAY_MS = 5_000;

/**
 * Decision on a provider update. `orderUncertain` is true if timestamps do not tell the order of the updates,
 * so that the provider must be polled soon.
 */
export type ProviderUpdateDecision =
  /** The update repeats what is already recorded. */
  | { readonly kind: 'NOTHING' }
  /** A webhook was recorded after the poll was sent, so the answer may be older than the webhook. */
  | { readonly kind: 'OVERTAKEN'; readonly orderUncertain: boolean }
  /** The answer repeats an older raw status: it is applied only if a later poll gets the same answer. */
  | { readonly kind: 'DOUBTED'; readonly doubt: DoubtfulPollAnswer }
  /**
   * The webhook reports a raw status that a poll had already found: it becomes no new transition, but its event
   * time is added to the stored observation of the poll.
   */
  | { readonly kind: 'CONFIRMS'; readonly orderUncertain: boolean }
  | {
      readonly kind: 'TRANSITION';
      readonly pair: StatusPair;
      readonly verdict: Verdict;
      readonly orderUncertain: boolean;
    };

/**
 * Decides whether a provider update becomes a transition, and whether that transition changes the status. An
 * update is never refused: one that contradicts the session is recorded with a verdict that says so.
 */
export function evaluateProviderUpdate(
  session: SessionState | null,
  update: ProviderStatusUpdate,
  now: Date,
): ProviderUpdateDecision {
  const pair = parseRawStatus(update.rawStatus, update.rawSubStatus);
  if (!session) return { kind: 'TRANSITION', pair, verdict: 'MOVED', orderUncertain: !hasOrder(update) };
  return update.kind === 'WEBHOOK'
    ? evaluateWebhook(session, pair, update, now)
    : evaluateAnswer(session, pair, update, now);
}

/**
 * Whether an update can be ordered among the others. A webhook can if its event time is usable. An answer
 * always can, because it is the provider's present state.
 */
const hasOrder = (update: ProviderStatusUpdate): boolean =>
  update.kind === 'ANSWER' || !isEventTimeTooFarAhead(update.eventTime, update.receivedAt);

function evaluateWebhook(
  session: SessionState,
  pair: StatusPair,
  news: Extract<ProviderStatusUpdate, { kind: 'WEBHOOK' }>,
  now: Date,
): ProviderUpdateDecision {
  const time = news.eventTime.getTime();
  if (news.seen.some((observation) => observation?.getTime() === time)) return { kind: 'NOTHING' };

  const isCurrent =
    session.provider.rawStatus === news.rawStatus && session.provider.rawSubStatus === news.rawSubStatus;
  // A poll found this raw status earlier. That answer may have been about this webhook's event or about an
  // earlier one; unless the status is still current, only another poll can tell.
  if (news.seen.includes(null)) return { kind: 'CONFIRMS', orderUncertain: !isCurrent || !hasOrder(news) };

  const { eventTime: known } = session.provider;
  // An earlier release did not check event times, so the stored event time of a session may be too far ahead of
  // our clock.
  const isKnownFalse = known !== null && isEventTimeTooFarAhead(known, now);
  if (isKnownFalse || !hasOrder(news))
    return { kind: 'TRANSITION', pair, verdict: decideVerdict(session, pair), orderUncertain: true };

  const newest = known?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (time < newest)
    return { kind: 'TRANSITION', pair, verdict: decideLateVerdict(session, pair), orderUncertain: false };
  const { polledAt: foundAt } = session.provider;
  const mayBeOlder = foundAt !== null && time <= foundAt.getTime() + CLOCK_DOUBT_MS;
  return {
    kind: 'TRANSITION',
    pair,
    verdict: decideVerdict(session, pair),
    orderUncertain: time === newest || mayBeOlder,
  };
}

/**
 * Evaluates the provider's answer to a poll, which has no event time. An answer is new only if no webhook was
 * recorded while the poll was running and the answer differs from the last raw status. If the answer repeats an
 * older raw status, a second poll must confirm it.
 */
function evaluateAnswer(
  session: SessionState,
  pair: StatusPair,
  news: Extract<ProviderStatusUpdate, { kind: 'ANSWER' }>,
  now: Date,
): ProviderUpdateDecision {
  const { provider } = session;
  const overtaken = provider.webhooks !== news.webhooksWhenAsked;
  const known = provider.rawStatus === news.rawStatus && provider.rawSubStatus === news.rawSubStatus;
  // A webhook was recorded while the poll was running. The answer may be older or newer than that webhook; only
  // another poll can tell.
  if (overtaken) return { kind: 'OVERTAKEN', orderUncertain: !known };
  const isBooked = known && isBookedAgain(session, pair, news);
  if (isBooked) return { kind: 'TRANSITION', pair, verdict: 'MOVED', orderUncertain: false };
  if (known) return { kind: 'NOTHING' };
  if (news.seen.length > 0) {
    const { rawStatus, rawSubStatus } = news;
    const first = findOpenDoubt(session, news) ?? {
      rawStatus,
      rawSubStatus,
      since: now,
      webhooks: provider.webhooks,
    };
    if (news.askedAt.getTime() < first.since.getTime() + SECOND_POLL_DELAY_MS)
      return { kind: 'DOUBTED', doubt: first };
  }
  return { kind: 'TRANSITION', pair, verdict: decideVerdict(session, pair), orderUncertain: false };
}

/**
 * Whether an answer repeats the provider's last status, a booked meeting, because the customer booked again after
 * that meeting was missed or cancelled here. Only the later time of the meeting shows that.
 */
const isBookedAgain = (
  session: SessionState,
  pair: StatusPair,
  { newMeetingAt, askedAt }: Extract<ProviderStatusUpdate, { kind: 'ANSWER' }>,
): boolean =>
  pair.subStatus === 'USER_MEETING_SCHEDULED' &&
  session.subStatus !== pair.subStatus &&
  newMeetingAt !== null &&
  newMeetingAt > askedAt &&
  decideVerdict(session, pair) === 'MOVED';

/**
 * Returns the stored doubt about an earlier answer with the same raw status; null if there is none, or a
 * webhook was recorded since.
 */
function findOpenDoubt({ provider }: SessionState, raw: RawPair): DoubtfulPollAnswer | null {
  const { doubt, webhooks } = provider;
  const isSame =
    doubt !== null &&
    doubt.webhooks === webhooks &&
    doubt.rawStatus === raw.rawStatus &&
    doubt.rawSubStatus === raw.rawSubStatus;
  return isSame ? doubt : null;
}

/**
 * For each decision that the provider may report, the current sub-statuses that the decision contradicts. Used
 * only if the session is terminal or its current status was decided through this API.
 */
const CONTRADICTIONS: Partial<Record<SubStatus, readonly SubStatus[]>> = {
  AGENT_APPROVED: ['AGENT_REJECTED', 'AGENT_UNABLE_TO_VALIDATE'],
  AGENT_REJECTED: ['AGENT_APPROVED', 'AGENT_UNABLE_TO_VALIDATE', 'AUDITOR_APPROVED'],
  AGENT_UNABLE_TO_VALIDATE: ['AGENT_APPROVED', 'AGENT_REJECTED', 'AUDITOR_APPROVED'],
  AUDITOR_APPROVED: [
    'AGENT_REJECTED',
    'AGENT_UNABLE_TO_VALIDATE',
    'AUDITOR_REJECTED',
    'VKYC_EXPIRED',
    'INSUFFICIENT_BALANCE',
    'REJECTED_BY_MERCHANT',
    'FAILED_BY_MERCHANT',
    'REPLACED',
  ],
  AUDITOR_REJECTED: ['AUDITOR_APPROVED'],
};

/** Sub-statuses in which the customer is approved, by an agent or finally. */
export const APPROVED_SUB_STATUSES: readonly SubStatus[] = ['AGENT_APPROVED', 'AUDITOR_APPROVED'];

/**
 * Returns the pair that the provider decided: its newest status if that contradicts the session. If the newest status
 * agrees, it is the older decision of the provider that arrived late and contradicted it. Null if the provider has
 * reported something else since the decision that made the session disputed, such as a rejection after an approval:
 * the older decision must not be accepted then. `disputing` is the newest transition that contradicted the session.
 */
export function findAcceptableProviderDecision(
  session: StatusPair & Pick<ProjectedSessionState, 'provider'>,
  disputing: StatusPair & Pick<SessionLogEntry, 'verdict'>,
): StatusPair | null {
  const newest = getProviderStatusPair(session);
  const { status, subStatus } = session;
  if (CONTRADICTIONS[newest.subStatus]?.includes(subStatus)) return newest;
  // The provider approved finally while the session was being replaced: the session already has that approval.
  if (disputing.subStatus === 'REPLACED') return { status, subStatus };
  if (newest.subStatus !== subStatus) return null;
  return disputing.verdict === 'DISPUTED_LATE'
    ? { status: disputing.status, subStatus: disputing.subStatus }
    : newest;
}

/**
 * Agent reviews that stand: after such a review, updates about the call or its link no longer change the
 * status.
 */
const STANDING_REVIEWS: readonly SubStatus[] = ['AGENT_APPROVED', 'AGENT_REJECTED'];

/** Statuses that the provider may still move a session to after an agent approved or rejected. */
const STATUSES_AFTER_REVIEW: readonly string[] = ['AGENT_REVIEWED', 'AUDITOR_REVIEWED', 'FAILED', 'REJECTED'];

function decideVerdict(session: SessionState, incoming: StatusPair): Verdict {
  const { terminal } = getStatusInfo(session);
  const contradicts = CONTRADICTIONS[incoming.subStatus]?.includes(session.subStatus) ?? false;
  if (contradicts && (terminal || session.decidedHere)) return 'DISPUTED';
  if (terminal) return 'ENDED';
  const reviewStands = STANDING_REVIEWS.includes(session.subStatus);
  if (reviewStands && !STATUSES_AFTER_REVIEW.includes(incoming.status)) return 'REVIEWED';
  return 'MOVED';
}

/**
 * Returns the verdict on a webhook that is older than the newest one. If both report auditor decisions that
 * contradict each other, the newer decision does not simply win: the session becomes disputed.
 */
function decideLateVerdict(session: SessionState, incoming: StatusPair): Verdict {
  const isFinal = incoming.status === 'AUDITOR_REVIEWED' && session.status === 'AUDITOR_REVIEWED';
  return isFinal && decideVerdict(session, incoming) === 'DISPUTED' ? 'DISPUTED_LATE' : 'LATE';
}

/**
 * Whether the verdict says that the update was older than the newest one. Such an update is only recorded and
 * does not change the raw status.
 */
export const isLateVerdict = (verdict: Verdict): boolean => verdict === 'LATE' || verdict === 'DISPUTED_LATE';

/**
 * Returns the verdict on the replacement of a session by another session of the same person. A session that has
 * ended keeps its outcome. A session with a final approval cannot be replaced, but the approval may arrive while the
 * start of the other session is under way: the verdict is then DISPUTED, as for an approval that arrives after the
 * replacement.
 */
export function getReplacementVerdict(session: StatusPair): Verdict {
  if (session.subStatus === 'AUDITOR_APPROVED') return 'DISPUTED';
  return getStatusInfo(session).terminal ? 'ENDED' : 'MOVED';
}

/** Returns the status pair of the provider's newest raw status. */
export const getProviderStatusPair = ({ provider }: Pick<ProjectedSessionState, 'provider'>): StatusPair =>
  parseRawStatus(provider.rawStatus, provider.rawSubStatus);

/**
 * Whether the provider agrees with the session's status: it reported the status, or its newest status is the same
 * pair. False while a decision made here is not confirmed.
 */
export function providerAgrees(
  session: StatusPair & Pick<ProjectedSessionState, 'decidedHere' | 'provider'>,
): boolean {
  const pair = getProviderStatusPair(session);
  return !session.decidedHere || (pair.status === session.status && pair.subStatus === session.subStatus);
}

/**
 * Whether the session ended by a decision made here that the provider may still contradict: the provider's newest
 * status is not final, the session is not disputed, and no other session replaces it.
 */
export const isUnconfirmed = (
  session: Omit<ProjectedSessionState, 'version' | 'lastSequence' | 'escalated' | 'assigned'>,
): boolean =>
  session.decidedHere &&
  !session.disputed &&
  !session.replaced &&
  getStatusInfo(session).terminal &&
  !getStatusInfo(getProviderStatusPair(session)).terminal;

/** Flags of a new session. */
const NO_FLAGS = {
  disputed: false,
  escalated: false,
  closed: false,
  replaced: false,
  assigned: false,
  decidedHere: false,
};

/** Actions on a session, with their GraphQL descriptions. */
export const SESSION_ACTIONS = {
  SCHEDULE_MEETING: 'Book a meeting, or move the booked meeting to another time.',
  CANCEL_MEETING: 'Cancel the booked meeting before it begins.',
  RECORD_AGENT_REVIEW: "Record the agent's decision after a call has ended.",
  RECORD_AUDITOR_REVIEW: "Record the auditor's decision on an agent's approval.",
  REFRESH: 'Ask the provider for the current status.',
  REQUEST_RECORDING: 'Get a link to the recording of the call.',
  CREATE_SDK_TOKEN: "Get a token for the provider's SDK in the customer's app.",
  CLOSE: 'Close the session: reject the customer, or end the session as failed.',
  REPLACE: 'Start a new session for the same person, which replaces this one.',
  RESOLVE_DISPUTE: "Decide a dispute: keep the session's decision, or accept the provider's.",
  ADD_NOTE: 'Add a note for other staff.',
  ESCALATE: 'Escalate the session, so that staff investigate it.',
  RESOLVE_ESCALATION: 'Record the result of the investigation, and end the escalation.',
  ASSIGN: 'Assign the session to an agent or auditor, who then works on it.',
  UNASSIGN: 'End the assignment, so that another person may take the session.',
  LABEL: 'Change the metadata and the tags.',
  NOTIFY: 'Notify the customer by email, or through the systems of the merchant.',
} as const;
export type SessionAction = keyof typeof SESSION_ACTIONS;

/** Sub-statuses of sessions that have not ended. */
const OPEN: readonly SubStatus[] = [
  ...new Set(ALL_PAIRS.filter(({ terminal }) => !terminal).map(({ subStatus }) => subStatus)),
];
const MEETINGS_POSSIBLE = OPEN.filter((subStatus) => getSubStatusRules(subStatus).noMeeting === null);

/**
 * Sub-statuses of a session whose meeting is booked, or was cancelled, declined or missed. If a booking took the
 * session out of review, the review of the call stays possible in these sub-statuses.
 */
export const MEETING_SUB_STATUSES = [
  'USER_MEETING_SCHEDULED',
  'USER_MEETING_CANCELLED',
  'USER_REJECTED_MEETING',
  'USER_MISSED_MEETING',
] as const satisfies readonly KnownSubStatus[];

/** Transitions caused by the passing of time (source CLOCK), if the provider, when asked, reports nothing newer. */
export const CLOCK_TRANSITIONS = [
  { from: 'USER_MEETING_SCHEDULED', to: 'USER_MISSED_MEETING' },
] as const satisfies readonly { from: KnownSubStatus; to: KnownSubStatus }[];

/** Transitions that each action may cause. Actions that change no status are not listed. */
export const ACTION_TRANSITIONS: readonly {
  action: SessionAction;
  from: readonly SubStatus[];
  to: KnownSubStatus;
}[] = [
  {
    action: 'SCHEDULE_MEETING',
    from: MEETINGS_POSSIBLE,
    to: 'USER_MEETING_SCHEDULED',
  },
  {
    action: 'CANCEL_MEETING',
    from: MEETINGS_POSSIBLE,
    to: 'USER_MEETING_CANCELLED',
  },
  // `findReviewDecisionDenial` restricts these further: after a call that the customer ended, an approval needs the
  // statement `callComplete`; after a booking, the end of the unreviewed call decides.
  {
    action: 'RECORD_AGENT_REVIEW',
    from: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL', ...MEETING_SUB_STATUSES],
    to: 'AGENT_APPROVED',
  },
  {
    action: 'RECORD_AGENT_REVIEW',
    from: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL', ...MEETING_SUB_STATUSES],
    to: 'AGENT_REJECTED',
  },
  {
    action: 'RECORD_AGENT_REVIEW',
    from: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL', ...MEETING_SUB_STATUSES],
    to: 'AGENT_UNABLE_TO_VALIDATE',
  },
  { action: 'RECORD_AUDITOR_REVIEW', from: ['AGENT_APPROVED'], to: 'AUDITOR_APPROVED' },
  { action: 'RECORD_AUDITOR_REVIEW', from: ['AGENT_APPROVED'], to: 'AUDITOR_REJECTED' },
  { action: 'CLOSE', from: OPEN, to: 'REJECTED_BY_MERCHANT' },
  { action: 'CLOSE', from: OPEN, to: 'FAILED_BY_MERCHANT' },
  // REPLACE is not offered after an agent's approval, but the approval may come while the start is under way.
  { action: 'REPLACE', from: OPEN, to: 'REPLACED' },
  ...(Object.entries(CONTRADICTIONS) as [KnownSubStatus, readonly SubStatus[]][]).map(([to, from]) => ({
    action: 'RESOLVE_DISPUTE' as const,
    from,
    to,
  })),
];

/** One transition that the state machine allows; `from` is null for a new session. */
export interface TransitionRule {
  readonly from: StatusInfo | null;
  readonly to: StatusInfo;
  readonly sources: readonly TransitionSource[];
  readonly action: SessionAction | null;
}

function findTransitionRule(from: StatusInfo, to: StatusInfo): TransitionRule | null {
  const provider = providerMayMove(from, to);
  const action = ACTION_TRANSITIONS.find(
    (move) => move.to === to.subStatus && move.from.includes(from.subStatus),
  )?.action;
  const clock = CLOCK_TRANSITIONS.some((move) => move.from === from.subStatus && move.to === to.subStatus);
  if (!provider && !action && !clock) return null;
  return {
    from,
    to,
    sources: [
      ...(provider ? (['WEBHOOK', 'POLL'] as const) : []),
      ...(action ? (['MUTATION'] as const) : []),
      ...(clock ? (['CLOCK'] as const) : []),
    ],
    action: action ?? null,
  };
}

/**
 * Whether a provider update with the status pair `to` changes the status of a session at `from`, if the
 * provider also reported `from`.
 */
function providerMayMove(from: StatusPair, to: StatusPair): boolean {
  const session = { ...from, ...NO_FLAGS, version: 1, lastSequence: 1 };
  const provider = {
    rawStatus: from.status,
    rawSubStatus: from.subStatus,
    eventTime: null,
    polledAt: null,
    webhooks: 0,
    doubt: null,
  };
  return decideVerdict({ ...session, provider }, to) === 'MOVED';
}

/** All transitions that the state machine allows, by provider updates, by mutations or by the clock. */
export const TRANSITION_RULES: readonly TransitionRule[] = [
  ...ALL_PAIRS.filter(({ reportedBy }) => reportedBy === 'PROVIDER').map((to) => ({
    from: null,
    to,
    sources: ['WEBHOOK', 'POLL', 'MUTATION'] as const,
    action: null,
  })),
  ...ALL_PAIRS.flatMap((from) => ALL_PAIRS.flatMap((to) => findTransitionRule(from, to) ?? [])),
];

/** Fields of a transition that the session's state depends on. */
export interface SessionLogEntry extends StatusPair {
  readonly sequence: number;
  readonly source: TransitionSource;
  readonly verdict: Verdict;
  /** The provider's raw status; null if the transition was made through this API, or by the clock. */
  readonly rawStatus: string | null;
  readonly rawSubStatus: string | null;
}

/** Transition as the feed delivers it. */
export interface FeedEntry extends SessionLogEntry {
  /**
   * Number of the entry in the log that a subscriber follows (1, 2, 3 …): in the feed the position, in the log
   * of one session the sequence.
   */
  readonly number: number;
  /**
   * Position in the feed (total order over all transitions); null if the transition was read from the log of
   * its session.
   */
  readonly position: number | null;
  /**
   * Start time of the database server that assigned the position, as text. A changed value means a failover or
   * a restart. Set only on entries that come from the transaction that assigned the position, not on entries
   * read from the database.
   */
  readonly server?: string;
  readonly sessionId: string;
  readonly verificationId: string;
  readonly fromStatus: Status | null;
  readonly fromSubStatus: SubStatus | null;
  readonly actor: string | null;
  readonly occurredAt: Date | null;
  readonly recordedAt: Date;
}

/** Part of a session's state that follows from its log. */
export type ProjectedSessionState = Pick<
  SessionState,
  | 'status'
  | 'subStatus'
  | 'version'
  | 'lastSequence'
  | 'disputed'
  | 'escalated'
  | 'closed'
  | 'replaced'
  | 'assigned'
  | 'decidedHere'
> & {
  readonly provider: RawPair;
};

/**
 * Returns the session's state after one more transition. This function is a reducer: reducing the whole log,
 * starting from null, gives the current state.
 */
export function applyTransition(
  state: ProjectedSessionState | null,
  entry: SessionLogEntry,
): ProjectedSessionState {
  const { rawStatus, rawSubStatus, sequence, verdict } = entry;
  const words = rawStatus !== null && rawSubStatus !== null ? { rawStatus, rawSubStatus } : null;
  if (!state) {
    invariant(
      verdict === 'MOVED' && words,
      `log starts with a ${verdict} transition${words ? '' : ' without a raw status'}`,
    );
    return { ...toStartOf(entry), ...NO_FLAGS, provider: words };
  }
  return {
    ...state,
    ...(isAppliedVerdict(verdict) ? { ...toStartOf(entry), decidedHere: words === null } : {}),
    lastSequence: sequence,
    disputed: verdict !== 'RESOLVED' && (state.disputed || DISPUTING_VERDICTS.includes(verdict)),
    escalated: verdict !== 'ESCALATION_RESOLVED' && (state.escalated || verdict === 'ESCALATED'),
    closed: state.closed || CLOSING_SUB_STATUSES.includes(entry.subStatus),
    replaced: state.replaced || entry.subStatus === 'REPLACED',
    assigned: isAssignedAfter(state.assigned, entry),
    provider: words && !isLateVerdict(verdict) ? words : state.provider,
  };
}

/** Phases that begin with a review. The person who was to make the review has done their part then. */
const REVIEWED_STATUSES: readonly Status[] = ['AGENT_REVIEWED', 'AUDITOR_REVIEWED'];

/** Whether a session with this status pair has just been reviewed or has ended: its assignment has ended then. */
export const endsAssignment = (pair: StatusPair): boolean =>
  REVIEWED_STATUSES.includes(pair.status) || getStatusInfo(pair).terminal;

function isAssignedAfter(assigned: boolean, { verdict, status, subStatus }: SessionLogEntry): boolean {
  if (verdict === 'ASSIGNED' || verdict === 'UNASSIGNED') return verdict === 'ASSIGNED';
  return assigned && !(isAppliedVerdict(verdict) && endsAssignment({ status, subStatus }));
}

const DISPUTING_VERDICTS: readonly Verdict[] = ['DISPUTED', 'DISPUTED_LATE'];
/** Sub-statuses that `closeSession` sets. The provider cannot report them: `parseRawStatus` does not know them. */
const CLOSING_SUB_STATUSES: readonly SubStatus[] = ['REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT'];

const toStartOf = ({ status, subStatus, sequence }: SessionLogEntry) => ({
  status,
  subStatus,
  version: sequence,
  lastSequence: sequence,
});
