import { isAppliedVerdict, type Verdict } from './session.ts';
import type { SubStatus } from './status.ts';

/** Types of the events that merchant webhooks tell of. An endpoint gets those that it names in its settings. */
export const EVENT_TYPES = {
  'session.transitioned':
    'An entry was added to the log of a session: a status, a late update, a note, an assignment.',
  'session.disputed': "The provider contradicts the session's decision: a person must look.",
  'session.dispute_resolved': 'A person resolved the dispute.',
  'meeting.scheduled': 'A meeting was booked, here or at the provider, or moved to another time.',
  'meeting.cancelled': 'The booked meeting was cancelled.',
  'meeting.accepted': 'The customer joined the call.',
  'meeting.rejected': 'The customer declined the call.',
  'meeting.missed': 'The customer did not join the call, or the time of the meeting passed without one.',
  'review.recorded': 'An agent or auditor decided, here or at the provider.',
  'customer.notification_requested':
    'A customer has to be notified, by the means that you choose. Sent when the notification is due.',
} as const;
export type EventType = keyof typeof EVENT_TYPES;

export const ALL_EVENT_TYPES = Object.keys(EVENT_TYPES) as EventType[];

export const isEventType = (name: string): name is EventType => Object.hasOwn(EVENT_TYPES, name);

/** Prefix of the types that are about a meeting. */
const MEETING_PREFIX = 'meeting.';

/** Whether events of this type tell of a meeting. */
export const isMeetingEventType = (type: EventType): boolean => type.startsWith(MEETING_PREFIX);

const MEETING_EVENTS: Partial<Record<SubStatus, EventType>> = {
  USER_MEETING_SCHEDULED: 'meeting.scheduled',
  USER_MEETING_CANCELLED: 'meeting.cancelled',
  USER_ACCEPTED_MEETING: 'meeting.accepted',
  USER_REJECTED_MEETING: 'meeting.rejected',
  USER_MISSED_MEETING: 'meeting.missed',
};

const DISPUTE_EVENTS: Partial<Record<Verdict, EventType>> = {
  DISPUTED: 'session.disputed',
  DISPUTED_LATE: 'session.disputed',
  RESOLVED: 'session.dispute_resolved',
};

/**
 * Returns the types of the events that a transition causes, each once. `hasReview`: a review was recorded together
 * with the transition.
 */
export function findEventTypesOfTransition({
  verdict,
  subStatus,
  hasReview,
}: {
  readonly verdict: Verdict;
  readonly subStatus: SubStatus;
  readonly hasReview: boolean;
}): EventType[] {
  const dispute = DISPUTE_EVENTS[verdict];
  // The resolution of a dispute books no meeting, even if it repeats a sub-status that once did.
  const meeting = verdict !== 'RESOLVED' && isAppliedVerdict(verdict) ? MEETING_EVENTS[subStatus] : undefined;
  return [
    'session.transitioned',
    ...(dispute ? [dispute] : []),
    ...(meeting ? [meeting] : []),
    ...(hasReview ? (['review.recorded'] as const) : []),
  ];
}

/** Receiver of merchant webhooks, from the settings. */
export interface MerchantEndpoint {
  /** Name by which the database, logs, metrics and commands know the endpoint, whatever its URL is. */
  readonly name: string;
  readonly url: string;
  /** Secrets (`whsec_…`) that sign, the newest first. During a rotation there are several. */
  readonly secrets: readonly string[];
  readonly events: readonly EventType[];
  /** Whether `customer.notification_requested` has the customer's name, phone, email and link. */
  readonly personalData: boolean;
}

/** Type of the event that asks for a notification of the customer. Notifications cause it, not transitions. */
export const NOTIFICATION_EVENT_TYPE = 'customer.notification_requested' satisfies EventType;

/** Event of one endpoint, ready to be sent. */
export interface OutgoingMerchantEvent {
  /** The header `webhook-id`: the same for each attempt to deliver the event, and for each replay. */
  readonly id: string;
  readonly type: EventType | 'endpoint.ping';
  readonly body: string;
}
