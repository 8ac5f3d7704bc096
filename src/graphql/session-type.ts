import { Field, Int, ObjectType } from 'type-graphql';
import type { SessionProjection } from '../db/sessions/sessions.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import { DateTime } from './date-time.ts';
import { StatusEnum, SubStatusEnum } from './enums.ts';
import { Node } from './node.ts';
import { detailLevelFor } from './selection.ts';
import { SHORTENED, StatusInfo } from './status.ts';
import { VkycUser } from './user.ts';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: "One customer's verification, from the link to the auditor's decision.",
})
export class VkycSession extends Node {
  @Field(() => String, { description: "The caller's own id: 1-50 of A-Z a-z 0-9 . _ -" })
  verificationId: string;
  @Field(() => String, {
    nullable: true,
    description:
      "The provider's id, to quote to its support; a string, since it may exceed 2^53. Null until the provider gave one.",
  })
  referenceId?: string;
  @Field(() => VkycUser, { description: 'Who is being verified.' })
  user: VkycUser;
  @Field(() => String, {
    nullable: true,
    description: "The provider's template of the customer's steps; null: its default.",
  })
  userTemplate?: string;
  @Field(() => String, {
    nullable: true,
    description: "The provider's template of the agent's steps; null: its default.",
  })
  agentTemplate?: string;
  @Field(() => StatusEnum, { description: 'The phase that the session is in.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'The exact step within the phase.' })
  subStatus: SubStatus;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own word for the phase; null if the phase was decided here. ${SHORTENED}`,
  })
  rawStatus?: string;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own word for the step; null if the step was decided here. ${SHORTENED}`,
  })
  rawSubStatus?: string;
  @Field(() => StatusInfo, { description: 'What the present state means, what to do, and who has to.' })
  statusInfo: StatusInfo;
  @Field(() => DateTime, {
    description:
      'Since when it is in its present state: when the newest transition that moved it was recorded.',
  })
  statusSince: Date;
  @Field(() => Int, {
    description:
      'Sequence of the newest transition that moved the session, from 1 on; give it back as expectedVersion, and show nothing older than what you have.',
  })
  version: number;
  @Field(() => Boolean, {
    description:
      'The provider decided otherwise than was decided here: do not onboard before someone has looked.',
  })
  disputed: boolean;
  @Field(() => String, {
    nullable: true,
    description:
      "The customer's link. Null unless the viewer's role may see it, and until the provider made it. Not offered in subscriptions, as all personal data.",
  })
  link?: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'When the link ends; null where the provider has not said.',
  })
  linkExpiresAt?: Date;
  @Field(() => String, {
    description: 'Where a feed of this session begins: subscribe after it to see every transition.',
  })
  startCursor: string;
  @Field(() => DateTime, { description: 'When the session was recorded here.' })
  createdAt: Date;
  @Field(() => DateTime, { description: 'When something about the session was last recorded.' })
  updatedAt: Date;
}

/** Fields that need only the brief row of a session. */
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
  'startCursor',
  'createdAt',
  'updatedAt',
  'replacedBy',
  'meeting',
  'meetings',
  'reviews',
  'transitions',
]);

/** Returns how much to read of sessions for these fields. */
export const projectionFor = (asked: ReadonlySet<string>): SessionProjection => ({
  detail: detailLevelFor(asked, SUMMARY_FIELDS),
  withUser: asked.has('user'),
});
