/** GraphQL enums of the contract, each built from the table that the domain rules use. */
import { registerEnumType } from 'type-graphql';
import { ROLES, type Role } from '../domain/access.ts';
import {
  MEETING_STATUSES,
  type MeetingStatus,
  REVIEW_DECISIONS,
  REVIEW_STAGES,
  type ReviewDecision,
  type ReviewStage,
} from '../domain/actions.ts';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
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
  STATUS_TABLE,
  type Status,
  type SubStatus,
  UNRECOGNIZED,
} from '../domain/status.ts';
import { RESTART_CAUSES, type RestartCause } from '../feed/subscription.ts';

type Descriptions<Value extends string> = Record<Value, string>;

/** Registers an enum whose values equal their names. Returns the object that `@Field` takes. */
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
  'The provider sent a value this release does not know; rawStatus holds it. Never a reason for an error.';
const UNRECOGNIZED_SUB_STATUS =
  'The provider sent a value this release does not know; rawSubStatus holds it. Never a reason for an error.';

export const StatusEnum = enumOf<Status>(
  'Status',
  'The phase a session is in. More values may be added: treat unknown ones as UNRECOGNIZED.',
  {
    ...described(STATUS_TABLE),
    [UNRECOGNIZED]: UNRECOGNIZED_STATUS,
  },
);

export const SubStatusEnum = enumOf<SubStatus>(
  'SubStatus',
  'The exact step within a status. Each value belongs to exactly one status. More values may be added: treat unknown ones as UNRECOGNIZED.',
  {
    ...(Object.fromEntries(
      KNOWN_PAIRS.map((info) => [
        info.subStatus,
        `${info.explanation} ${info.recommendedAction} (Status ${info.status}.)`,
      ]),
    ) as Descriptions<Exclude<SubStatus, typeof UNRECOGNIZED>>),
    [UNRECOGNIZED]: UNRECOGNIZED_SUB_STATUS,
  },
);

export const PartyEnum = enumOf<Party>('Party', 'Who has to act next.', PARTIES);
export const RoleEnum = enumOf<Role>('Role', 'What a viewer may do.', ROLES);
export const TransitionSourceEnum = enumOf<TransitionSource>(
  'TransitionSource',
  'How the gateway came to know.',
  TRANSITION_SOURCES,
);
export const FeedResetCauseEnum = enumOf<RestartCause>(
  'FeedResetCause',
  'Why a feed was reset. More values may be added: treat unknown ones as TOO_FAR_BEHIND.',
  RESTART_CAUSES,
);
export const SessionActionEnum = enumOf<SessionAction>(
  'SessionAction',
  'What can be done with a session.',
  SESSION_ACTIONS,
);
export const MeetingStatusEnum = enumOf<MeetingStatus>(
  'MeetingStatus',
  'What became of a meeting.',
  MEETING_STATUSES,
);
export const ReviewStageEnum = enumOf<ReviewStage>(
  'ReviewStage',
  'Whose decision a review is.',
  REVIEW_STAGES,
);
export const ReviewDecisionEnum = enumOf<ReviewDecision>(
  'ReviewDecision',
  'What a review decided.',
  REVIEW_DECISIONS,
);
export const AgentDecisionEnum = enumOf<ReviewDecision>(
  'AgentDecision',
  'What an agent may decide.',
  REVIEW_DECISIONS,
);
const { UNABLE_TO_VALIDATE: _agentOnly, ...auditorDecisions } = REVIEW_DECISIONS;
export const AuditorDecisionEnum = enumOf<Exclude<ReviewDecision, 'UNABLE_TO_VALIDATE'>>(
  'AuditorDecision',
  'What an auditor may decide.',
  auditorDecisions,
);
export const ErrorCodeEnum = enumOf<ErrorCode>(
  'ErrorCode',
  'Why a mutation refused.',
  described(ERROR_CODES),
);
export const NotificationTypeEnum = enumOf<'SMS' | 'WHATSAPP' | 'EMAIL'>(
  'NotificationType',
  'How the provider sends the customer the link.',
  {
    SMS: 'A text message, to the phone of the user.',
    WHATSAPP: 'A WhatsApp message, to the phone of the user.',
    EMAIL: 'An email, to the address of the user.',
  },
);

export const SessionOrderFieldEnum = enumOf<'CREATED_AT' | 'UPDATED_AT'>(
  'SessionOrderField',
  'What sessions are ordered by.',
  {
    CREATED_AT: 'When the session was recorded here.',
    UPDATED_AT: 'When something about the session was last recorded.',
  },
);
export const SortDirectionEnum = enumOf<'ASC' | 'DESC'>('SortDirection', 'Which end of a list comes first.', {
  ASC: 'Oldest first.',
  DESC: 'Newest first.',
});
