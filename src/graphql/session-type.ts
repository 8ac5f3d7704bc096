import { Field, Int, ObjectType } from 'type-graphql';
import type { SessionProjection } from '../db/sessions/sessions.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import { DateTime } from './date-time.ts';
import { StatusEnum, SubStatusEnum } from './enums.ts';
import { Node } from './node.ts';
import { getDetailLevel } from './selection.ts';
import { CUT_RAW_STATUS_DESCRIPTION, StatusInfo } from './status.ts';
import { VkycUser } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: "One customer's verification, from creating the link to the auditor's decision.",
})
export class VkycSession extends Node {
  @Field(() => String, {
    description:
      'Your own id of the verification, as passed to startSession: 1 to 50 characters of A-Z a-z 0-9 . _ -',
  })
  verificationId: string;
  @Field(() => String, {
    nullable: true,
    description:
      "The provider's reference number: quote it to the provider's support. A string, because it may exceed 2^53. Null until the provider has assigned one.",
  })
  referenceId?: string;
  @Field(() => VkycUser, { description: 'The person who is being verified.' })
  user: VkycUser;
  @Field(() => String, {
    nullable: true,
    description:
      "Name of the provider's template for the customer's steps. Null if the provider's default is used.",
  })
  userTemplate?: string;
  @Field(() => String, {
    nullable: true,
    description:
      "Name of the provider's template for the agent's steps. Null if the provider's default is used.",
  })
  agentTemplate?: string;
  @Field(() => [String], {
    description:
      "Languages that the customer speaks, as BCP 47 tags such as hi or en-IN. Empty if the start stated none, or the customer's personal data was erased.",
  })
  languages: string[];
  @Field(() => StatusEnum, { description: 'Current phase of the session.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'Current step within the phase.' })
  subStatus: SubStatus;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own string for the phase. Null if a mutation of this API or the clock set the current phase. ${CUT_RAW_STATUS_DESCRIPTION}`,
  })
  rawStatus?: string;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own string for the step. Null if a mutation of this API or the clock set the current step. ${CUT_RAW_STATUS_DESCRIPTION}`,
  })
  rawSubStatus?: string;
  @Field(() => StatusInfo, {
    description: 'Meaning of the current status, the recommended action, and the party that has to act.',
  })
  statusInfo: StatusInfo;
  @Field(() => DateTime, {
    description:
      'Time at which the session reached its current status: `recordedAt` of its newest applied transition.',
  })
  statusSince: Date;
  @Field(() => Int, {
    description:
      '`sequence` of the newest applied transition, starting at 1. Pass it as `expectedVersion` to mutations, and ignore a result with a lower version than the one you show.',
  })
  version: number;
  @Field(() => Boolean, {
    description:
      "True if a decision of the provider contradicts the session's decision. Do not onboard the customer until a person has checked the session.",
  })
  disputed: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True if staff escalated the session and the escalation is not resolved yet. Null for customers.',
  })
  escalated?: boolean;
  @Field(() => Boolean, {
    description:
      'True if staff closed the session. It stays true if the session is at another status since, by the decision of a dispute.',
  })
  closed: boolean;
  @Field(() => Boolean, {
    description:
      'True if another session replaces this session, also if you may not see that session (`replacedBy`).',
  })
  replaced: boolean;
  @Field(() => String, {
    nullable: true,
    description:
      'URL that the customer opens to be verified. Null if your role may not see it, or until the provider has created it. Cannot be selected in subscriptions, like all personal data.',
  })
  link?: string;
  @Field(() => String, {
    nullable: true,
    description:
      "Remarks of the agent who held the call, as the provider reports them. Read them before you record the agent's review. Null if the provider has reported none, and for customers. Cannot be selected in subscriptions.",
  })
  agentRemarks?: string;
  @Field(() => DateTime, {
    nullable: true,
    description: "Time at which the customer's link expires. Null if the provider has not reported it.",
  })
  linkExpiresAt?: Date;
  @Field(() => String, {
    description:
      "Cursor before the session's first transition. Pass it as `after` to `sessionLive` or `statusTransitions` to receive every transition of the session.",
  })
  startCursor: string;
  @Field(() => DateTime, { description: 'Time at which the gateway recorded the session.' })
  createdAt: Date;
  @Field(() => DateTime, {
    description: 'Time at which the gateway last recorded something about the session.',
  })
  updatedAt: Date;
}

/**
 * Fields that can be answered from the summary columns of a session. A query that selects any other field
 * reads the whole row.
 */
const SUMMARY_FIELDS = new Set([
  '__typename',
  'id',
  'verificationId',
  'referenceId',
  'user',
  'status',
  'subStatus',
  'statusInfo',
  'statusSince',
  'version',
  'disputed',
  'assignedAgent',
  'assignedAt',
  'assignedUntil',
  'assignments',
  'dueAt',
  'linkExpiresAt',
  'languages',
  'overdue',
  'escalated',
  'closed',
  'replaced',
  'startCursor',
  'createdAt',
  'updatedAt',
  'replacedBy',
  'meeting',
  'meetings',
  'reviews',
  'transitions',
  'metadata',
  'tags',
  'webhookDeliveries',
]);

/**
 * Returns which columns of sessions to read for the selected fields, and whether to read the sessions' users.
 */
export const getSessionProjection = (asked: ReadonlySet<string>): SessionProjection => ({
  detail: getDetailLevel(asked, SUMMARY_FIELDS),
  withUser: asked.has('user'),
});
