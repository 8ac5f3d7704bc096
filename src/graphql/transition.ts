import type { GraphQLResolveInfo } from 'graphql';
import { Ctx, Field, FieldResolver, ID, Info, Int, ObjectType, Resolver, Root } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { TransitionRow, TransitionSummary } from '../db/sessions/transitions.ts';
import { findSessionChanges, type SessionChange, STAFF_ONLY_CHANGES } from '../domain/changes.ts';
import { explainUnchangedStatus, isAppliedVerdict, type TransitionSource } from '../domain/session.ts';
import { getStatusInfo, type Status, type StatusPair, type SubStatus } from '../domain/status.ts';
import { getPositionAfter } from '../feed/cursor.ts';
import { PREVIOUS_CURSOR_PLACEHOLDER } from '../feed/frame-json.ts';
import type { UnexecutedFrame } from '../feed/subscription.ts';
import { createConnectionTypes } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { SessionChangeEnum, StatusEnum, SubStatusEnum, TransitionSourceEnum } from './enums.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { CUT_RAW_STATUS_DESCRIPTION, StatusInfo, type StatusInfoRoot, toViewerStatusInfo } from './status.ts';

/**
 * Description of the field `previousCursor`. All types of frames (results of a subscription) use the same
 * text.
 */
export const PREVIOUS_CURSOR_DESCRIPTION =
  '`cursor` of the previous frame of the stream; in the first frame, the `after` that you passed, or null. If it differs from the cursor of the last frame that you received, frames were lost in transit: subscribe again with your last cursor as `after`.';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: "One entry of a session's append-only log of statuses. An entry never changes.",
})
export class StatusTransition extends Node {
  @Field(() => String, {
    description:
      'Opaque position of this transition. Pass it as `after` to resume any subscription after this transition.',
  })
  cursor: string;
  @Field(() => String, {
    nullable: true,
    description: `${PREVIOUS_CURSOR_DESCRIPTION} Always null in queries.`,
  })
  previousCursor?: string;
  @Field(() => Int, { description: 'Number of the transition within its session: 1, 2, 3 … without gaps.' })
  sequence: number;
  @Field(() => VkycSession, {
    description: 'The session in its current state, which may be newer than this transition.',
  })
  session: VkycSession;
  @Field(() => StatusInfo, {
    nullable: true,
    description: "Status before this transition. Null for a session's first transition.",
  })
  from?: StatusInfo;
  @Field(() => StatusEnum, {
    description:
      'Phase that the provider reported, or that a mutation or the clock set. A transition that only records something, such as a note, repeats the phase of the session.',
  })
  status: Status;
  @Field(() => SubStatusEnum, {
    description:
      'Step that the provider reported, or that a mutation or the clock set. A transition that only records something, such as a note, repeats the step of the session.',
  })
  subStatus: SubStatus;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own string for the phase. Null if a mutation of this API or the clock caused the transition. ${CUT_RAW_STATUS_DESCRIPTION}`,
  })
  rawStatus?: string;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own string for the step. Null if a mutation of this API or the clock caused the transition. ${CUT_RAW_STATUS_DESCRIPTION}`,
  })
  rawSubStatus?: string;
  @Field(() => StatusInfo, {
    description: "Meaning of this transition's status and sub-status, with the recommended action.",
  })
  statusInfo: StatusInfo;
  @Field(() => Boolean, {
    description:
      "True if this transition changed the session's status. False if it is only kept as history; `reason` says why.",
  })
  applied: boolean;
  @Field(() => [SessionChangeEnum], {
    description:
      'Parts of the session that this transition may have changed. If you show them, query them again. An empty list means that nothing that you can see changed. Notes and escalations are left out for customers.',
  })
  changes: SessionChange[];
  @Field(() => TransitionSourceEnum, {
    description: 'How the gateway learned of this transition.',
  })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Token subject of the person or system whose mutation caused this transition. Null if the provider reported it, or the clock caused it. Customers see only their own subject, otherwise null.',
  })
  actor?: string;
  @Field(() => String, {
    nullable: true,
    description: "Why the transition did not change the session's status. Null if `applied` is true.",
  })
  reason?: string;
  @Field(() => DateTime, {
    nullable: true,
    description:
      "Time of the event by the provider's clock. Null if no webhook reported the transition: polls, mutations and the clock have no such time.",
  })
  occurredAt?: Date;
  @Field(() => DateTime, { description: 'Time at which the gateway recorded the transition.' })
  recordedAt: Date;
}

/**
 * Fields that can be answered from `SUMMARY_COLUMNS` of transitions. A query that selects any other field
 * reads the whole row of the transition.
 */
export const TRANSITION_SUMMARY_FIELDS = new Set([
  '__typename',
  'id',
  'cursor',
  'previousCursor',
  'sequence',
  'session',
  'status',
  'subStatus',
  'statusInfo',
  'applied',
  'changes',
  'source',
  'reason',
  'occurredAt',
  'recordedAt',
]);

export const TransitionConnectionTypes = createConnectionTypes('StatusTransition', () => StatusTransition);

@Resolver(() => StatusTransition)
export class TransitionResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { sessionId, sequence }: TransitionSummary): string {
    return toGlobalId('StatusTransition', `${sessionId}:${sequence}`);
  }

  @FieldResolver(() => String)
  cursor(
    @Root() transition: TransitionSummary & { position?: number | null },
    @Ctx() { cursors }: Context,
  ): string {
    return cursors.encode(getPositionAfter(transition));
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(
    @Root() transition: TransitionSummary,
    @Info() { rootValue }: GraphQLResolveInfo,
  ): string | null {
    const frame = rootValue as UnexecutedFrame | undefined;
    const isFrame = frame?.kind === 'TRANSITION' && frame.transition === transition;
    return isFrame ? PREVIOUS_CURSOR_PLACEHOLDER : null;
  }

  @FieldResolver(() => VkycSession)
  async session(
    @Root() { sessionId }: TransitionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<SessionRow | null> {
    return loaders.session.load(sessionId);
  }

  @FieldResolver(() => StatusInfo, { nullable: true })
  from(
    @Root() { fromStatus, fromSubStatus }: TransitionRow,
    @Ctx() { staff }: Context,
  ): StatusInfoRoot | null {
    return fromStatus && fromSubStatus
      ? toViewerStatusInfo(getStatusInfo({ status: fromStatus, subStatus: fromSubStatus }), staff)
      : null;
  }

  @FieldResolver(() => StatusInfo)
  statusInfo(@Root() pair: StatusPair, @Ctx() { staff }: Context): StatusInfoRoot {
    return toViewerStatusInfo(getStatusInfo(pair), staff);
  }

  @FieldResolver(() => String, { nullable: true })
  reason(@Root() { verdict }: TransitionSummary, @Ctx() { staff }: Context): string | null {
    return explainUnchangedStatus(verdict, staff);
  }

  @FieldResolver(() => [SessionChangeEnum])
  changes(@Root() transition: TransitionSummary, @Ctx() { staff }: Context): SessionChange[] {
    const changes = findSessionChanges(transition);
    return staff ? changes : changes.filter((change) => !STAFF_ONLY_CHANGES.includes(change));
  }

  @FieldResolver(() => Boolean)
  applied(@Root() { verdict }: TransitionSummary): boolean {
    return isAppliedVerdict(verdict);
  }
}
