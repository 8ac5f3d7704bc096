/**
 * GraphQL enums of the schema. Each is built from the table that the domain rules use, so that the enum and
 * the rules cannot differ.
 */
import { registerEnumType } from 'type-graphql';
import type { MerchantDeliveryState } from '../db/schema/tables.ts';
import type { SessionOrderField } from '../db/sessions/sessions.ts';
import { ROLES, type Role } from '../domain/access.ts';
import {
  MEETING_STATUSES,
  type MeetingStatus,
  type Queue,
  REVIEW_DECISIONS,
  REVIEW_STAGES,
  type ReviewDecision,
  type ReviewStage,
  WORK_QUEUES,
} from '../domain/actions.ts';
import {
  CLOSURE_REASONS,
  type ClosureOutcome,
  type ClosureReason,
  DISPUTE_RESOLUTIONS,
  type DisputeResolutionChoice,
  ESCALATION_REASONS,
  type EscalationReason,
} from '../domain/annotations.ts';
import { BOOKING_TIME_PROBLEMS, type BookingTimeProblem } from '../domain/calendar.ts';
import { SESSION_CHANGES, type SessionChange } from '../domain/changes.ts';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { LOCALES, type Locale } from '../domain/locales.ts';
import {
  NOTIFICATION_CHANNELS,
  NOTIFICATION_KINDS,
  NOTIFICATION_STATES,
  type NotificationChannel,
  type NotificationKind,
  type NotificationState,
} from '../domain/notifications.ts';
import { REVIEW_REASONS, type ReviewReason } from '../domain/review-reasons.ts';
import {
  SESSION_ACTIONS,
  type SessionAction,
  TRANSITION_SOURCES,
  type TransitionSource,
} from '../domain/session.ts';
import {
  KNOWN_PAIRS,
  PARTIES,
  type Party,
  type Reporter,
  STATUS_REPORTERS,
  STATUS_TABLE,
  type Status,
  type SubStatus,
  UNRECOGNIZED,
} from '../domain/status.ts';
import { RESTART_CAUSES, type RestartCause } from '../feed/subscription.ts';
import { ENDPOINT_STATES, type EndpointState } from '../services/outgoing/list-endpoints.ts';

type Descriptions<Value extends string> = Record<Value, string>;

/**
 * Registers a GraphQL enum whose values are equal to their names. Returns the object that `@Field` takes as
 * its type.
 */
function enumOf<Value extends string>(
  name: string,
  description: string,
  values: Descriptions<Value>,
): Record<Value, Value> {
  const names = Object.keys(values) as Value[];
  const object = Object.fromEntries(names.map((value) => [value, value])) as Record<Value, Value>;
  const valuesConfig = Object.fromEntries(names.map((value) => [value, { description: values[value] }]));
  registerEnumType(object, {
    name,
    description,
    valuesConfig: valuesConfig as Record<Value, { description: string }>,
  });
  return object;
}

const described = <Key extends string>(table: Record<Key, { description: string }>): Descriptions<Key> =>
  Object.fromEntries(
    Object.entries<{ description: string }>(table).map(([key, { description }]) => [key, description]),
  ) as Descriptions<Key>;

const UNRECOGNIZED_STATUS =
  'The provider sent a value that this release does not know; rawStatus contains it. Do not treat it as an error.';
const UNRECOGNIZED_SUB_STATUS =
  'The provider sent a value that this release does not know; rawSubStatus contains it. Do not treat it as an error.';

export const StatusEnum = enumOf<Status>(
  'Status',
  'Phase of a session. More values may be added: treat unknown ones as UNRECOGNIZED.',
  {
    ...described(STATUS_TABLE),
    [UNRECOGNIZED]: UNRECOGNIZED_STATUS,
  },
);

const nameMutations = (mutations: readonly string[]): string =>
  mutations.length === 0 ? '' : ` Mutations: ${mutations.join('; ')}.`;

export const SubStatusEnum = enumOf<SubStatus>(
  'SubStatus',
  'Step within a status. Each value belongs to exactly one status. More values may be added: treat unknown ones as UNRECOGNIZED.',
  {
    ...(Object.fromEntries(
      KNOWN_PAIRS.map((info) => [
        info.subStatus,
        `${info.explanation} ${info.recommendedAction}${nameMutations(info.mutations)} (Status ${info.status}.)`,
      ]),
    ) as Descriptions<Exclude<SubStatus, typeof UNRECOGNIZED>>),
    [UNRECOGNIZED]: UNRECOGNIZED_SUB_STATUS,
  },
);

export const PartyEnum = enumOf<Party>('Party', 'The party that has to act next.', PARTIES);
export const ReporterEnum = enumOf<Reporter>('Reporter', 'Who sets a status.', STATUS_REPORTERS);
export const RoleEnum = enumOf<Role>('Role', 'Role of a viewer: what the viewer may do and see.', ROLES);
export const TransitionSourceEnum = enumOf<TransitionSource>(
  'TransitionSource',
  'How the gateway learned of a transition, meeting or review.',
  TRANSITION_SOURCES,
);
export const FeedResetCauseEnum = enumOf<RestartCause>(
  'FeedResetCause',
  'Cause of a FeedReset. More values may be added: treat unknown ones as TOO_FAR_BEHIND.',
  RESTART_CAUSES,
);
export const QueueEnum = enumOf<Queue>(
  'Queue',
  'Queue of work from which `claimNext` gives sessions.',
  WORK_QUEUES,
);

export const SessionActionEnum = enumOf<SessionAction>(
  'SessionAction',
  'Action that a user may perform on a session.',
  SESSION_ACTIONS,
);
export const MeetingStatusEnum = enumOf<MeetingStatus>(
  'MeetingStatus',
  'Whether a meeting is booked, moved, cancelled, held or missed.',
  MEETING_STATUSES,
);
export const ReviewStageEnum = enumOf<ReviewStage>(
  'ReviewStage',
  'Whether the agent or the auditor made a review.',
  REVIEW_STAGES,
);
export const ReviewDecisionEnum = enumOf<ReviewDecision>(
  'ReviewDecision',
  "Outcome of an agent's or auditor's review.",
  REVIEW_DECISIONS,
);
export const AgentDecisionEnum = enumOf<ReviewDecision>(
  'AgentDecision',
  'Decision that an agent may record.',
  REVIEW_DECISIONS,
);
const { UNABLE_TO_VALIDATE: _agentOnly, ...auditorDecisions } = REVIEW_DECISIONS;
export const AuditorDecisionEnum = enumOf<Exclude<ReviewDecision, 'UNABLE_TO_VALIDATE'>>(
  'AuditorDecision',
  'Decision that an auditor may record.',
  auditorDecisions,
);
export const ErrorCodeEnum = enumOf<ErrorCode>(
  'ErrorCode',
  'Reason why a mutation was refused.',
  described(ERROR_CODES),
);
export const TimeProblemEnum = enumOf<BookingTimeProblem>(
  'MeetingTimeProblem',
  'Reason why no meeting can be booked at a time. More values may be added: show `message`.',
  described(BOOKING_TIME_PROBLEMS),
);
export const SessionChangeEnum = enumOf<SessionChange>(
  'SessionChange',
  'Part of a session that a transition may have changed: the fields to query again. More values may be added: treat unknown ones as STATUS.',
  SESSION_CHANGES,
);
export const ClosureOutcomeEnum = enumOf<ClosureOutcome>('ClosureOutcome', 'Outcome of closing a session.', {
  REJECTED:
    'The customer is rejected. The session becomes REJECTED / REJECTED_BY_MERCHANT, unless it has already ended.',
  FAILED:
    'The session ends without a decision about the customer. It becomes FAILED / FAILED_BY_MERCHANT, unless it has already ended.',
});
const MORE_REASONS = 'More values may be added: treat unknown ones as OTHER.';
export const ClosureReasonEnum = enumOf<ClosureReason>(
  'ClosureReason',
  `Reason for closing a session. ${MORE_REASONS}`,
  CLOSURE_REASONS,
);
export const ReviewReasonEnum = enumOf<ReviewReason>(
  'ReviewReason',
  `Reason for the decision of a review. ${MORE_REASONS}`,
  described(REVIEW_REASONS),
);
export const EscalationReasonEnum = enumOf<EscalationReason>(
  'EscalationReason',
  `Reason for escalating a session. ${MORE_REASONS}`,
  ESCALATION_REASONS,
);
export const DisputeResolutionChoiceEnum = enumOf<DisputeResolutionChoice>(
  'DisputeResolutionChoice',
  'Decision that stands after a dispute.',
  DISPUTE_RESOLUTIONS,
);
export const LocaleEnum = enumOf<Locale>('Locale', 'Language of a text for customers.', LOCALES);
export const NotificationTypeEnum = enumOf<'SMS' | 'WHATSAPP' | 'EMAIL'>(
  'NotificationType',
  'Channel on which the provider sends the customer the link.',
  {
    SMS: "Text message to the user's phone.",
    WHATSAPP: "WhatsApp message to the user's phone.",
    EMAIL: "Email to the user's address.",
  },
);

export const NotificationKindEnum = enumOf<NotificationKind>(
  'NotificationKind',
  'What a notification tells the customer. More values may be added: show `text`.',
  NOTIFICATION_KINDS,
);
export const NotificationStateEnum = enumOf<NotificationState>(
  'NotificationState',
  'Whether a notification was sent.',
  NOTIFICATION_STATES,
);
export const NotificationChannelEnum = enumOf<NotificationChannel>(
  'NotificationChannel',
  'Way on which a notification leaves the gateway. More values may be added.',
  NOTIFICATION_CHANNELS,
);
export const MerchantEndpointStateEnum = enumOf<EndpointState>(
  'MerchantEndpointState',
  'Whether an endpoint of merchant webhooks accepts its events.',
  ENDPOINT_STATES,
);
export const WebhookDeliveryStateEnum = enumOf<MerchantDeliveryState>(
  'WebhookDeliveryState',
  'Whether an endpoint has accepted an event.',
  {
    PENDING: 'The event is to be sent, or sent again.',
    DONE: 'The endpoint accepted the event.',
    PARKED: 'Dead letter: the endpoint did not accept the event within three days. It is sent no more.',
  },
);

export const SessionOrderFieldEnum = enumOf<SessionOrderField>(
  'SessionOrderField',
  'Time that sessions are sorted by.',
  {
    CREATED_AT: 'Time at which the gateway recorded the session.',
    UPDATED_AT: 'Time at which the gateway last recorded something about the session.',
    DUE_AT:
      'Deadline of the session. The list has only sessions that have one. For staff; refused for customers.',
    STATUS_SINCE:
      'Time since which the session has its status: ascending lists first what has waited longest. Lists only sessions that have not ended.',
    MEETING_AT: 'Start of the booked meeting. Lists only sessions with a booked meeting.',
  },
);
export const SortDirectionEnum = enumOf<'ASC' | 'DESC'>(
  'SortDirection',
  'Whether the oldest or the newest entries come first.',
  {
    ASC: 'Oldest first.',
    DESC: 'Newest first.',
  },
);
