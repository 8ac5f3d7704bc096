import type { GraphQLResolveInfo } from 'graphql';
import { Ctx, Field, FieldResolver, ID, Info, Int, ObjectType, Resolver, Root } from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { TransitionRow, TransitionSummary } from '../db/sessions/transitions.ts';
import { type TransitionSource, VERDICTS } from '../domain/session.ts';
import {
  getStatusInfo,
  type StatusInfo as Meaning,
  type Status,
  type StatusPair,
  type SubStatus,
} from '../domain/status.ts';
import { positionAfter } from '../feed/cursor.ts';
import { PREVIOUS_CURSOR } from '../feed/frame-json.ts';
import type { Frame } from '../feed/subscription.ts';
import { connectionTypes } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { StatusEnum, SubStatusEnum, TransitionSourceEnum } from './enums.ts';
import { ID_DESCRIPTION, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { SHORTENED, StatusInfo } from './status.ts';

/** Description of `previousCursor` in every type of frame. */
export const PREVIOUS_CURSOR_DESCRIPTION =
  'The `cursor` of the frame before this one in the stream. In the first frame: the `after` that was asked for, or null. If it is not the cursor of the last frame that you got, something was lost on the way: subscribe again after your own.';

@ObjectType({
  implements: Node,
  simpleResolvers: true,
  description: "One entry of a session's log. Never changes.",
})
export class StatusTransition extends Node {
  @Field(() => String, { description: 'Opaque; resume any feed after it.' })
  cursor: string;
  @Field(() => String, {
    nullable: true,
    description: `${PREVIOUS_CURSOR_DESCRIPTION} Null in queries.`,
  })
  previousCursor?: string;
  @Field(() => Int, { description: '1, 2, 3 … within the session, without gaps.' })
  sequence: number;
  @Field(() => VkycSession, { description: 'The session, as it is when this is read.' })
  session: VkycSession;
  @Field(() => StatusInfo, {
    nullable: true,
    description: "Where the session was; null for a session's first transition.",
  })
  from?: StatusInfo;
  @Field(() => StatusEnum, { description: 'The phase that was reported or decided.' })
  status: Status;
  @Field(() => SubStatusEnum, { description: 'The step that was reported or decided.' })
  subStatus: SubStatus;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own word; null if the transition was made here. ${SHORTENED}`,
  })
  rawStatus?: string;
  @Field(() => String, {
    nullable: true,
    description: `The provider's own word; null if the transition was made here. ${SHORTENED}`,
  })
  rawSubStatus?: string;
  @Field(() => StatusInfo, { description: 'What the pair means and what to do.' })
  statusInfo: StatusInfo;
  @Field(() => Boolean, {
    description: 'False for news that came too late to move the session: kept as history.',
  })
  applied: boolean;
  @Field(() => TransitionSourceEnum, { description: 'How the gateway came to know.' })
  source: TransitionSource;
  @Field(() => String, {
    nullable: true,
    description:
      'Who caused it, where a person or system of ours did. Customers are told only of themselves.',
  })
  actor?: string;
  @Field(() => String, { nullable: true, description: 'Why it did not move the session; null where it did.' })
  reason?: string;
  @Field(() => DateTime, {
    nullable: true,
    description: "By the provider's clock; null where the provider gave no time (polling).",
  })
  occurredAt?: Date;
  @Field(() => DateTime, { description: 'When the gateway recorded it.' })
  recordedAt: Date;
}

/** Fields that need only the brief row of a transition. */
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
  'source',
  'reason',
  'occurredAt',
  'recordedAt',
]);

export const StatusTransitions = connectionTypes('StatusTransition', () => StatusTransition);

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
    return cursors.encode(positionAfter(transition));
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(
    @Root() transition: TransitionSummary,
    @Info() { rootValue }: GraphQLResolveInfo,
  ): string | null {
    const frame = rootValue as Frame | undefined;
    const isFrame = frame?.kind === 'TRANSITION' && frame.transition === transition;
    return isFrame ? PREVIOUS_CURSOR : null;
  }

  @FieldResolver(() => VkycSession)
  async session(
    @Root() { sessionId }: TransitionSummary,
    @Ctx() { loaders }: Context,
  ): Promise<SessionRow | null> {
    return loaders.session.load(sessionId);
  }

  @FieldResolver(() => StatusInfo, { nullable: true })
  from(@Root() { fromStatus, fromSubStatus }: TransitionRow): Meaning | null {
    return fromStatus && fromSubStatus
      ? getStatusInfo({ status: fromStatus, subStatus: fromSubStatus })
      : null;
  }

  @FieldResolver(() => StatusInfo)
  statusInfo(@Root() pair: StatusPair): Meaning {
    return getStatusInfo(pair);
  }

  @FieldResolver(() => String, { nullable: true })
  reason(@Root() { verdict }: TransitionSummary): string | null {
    return VERDICTS[verdict];
  }

  @FieldResolver(() => Boolean)
  applied(@Root() { verdict }: TransitionSummary): boolean {
    return verdict === 'MOVED';
  }
}
