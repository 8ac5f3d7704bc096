import {
  Args,
  ArgsType,
  Ctx,
  createUnionType,
  Field,
  FieldResolver,
  ID,
  InputType,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { TransitionRow } from '../db/sessions/transitions.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import type { LogPosition } from '../feed/cursor.ts';
import { PREVIOUS_CURSOR_PLACEHOLDER } from '../feed/frame-json.ts';
import { RESTART_CAUSES, type RestartCause, type UnexecutedFrame } from '../feed/subscription.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { FeedResetCauseEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { hasFragmentOnType } from './selection.ts';
import { VkycSession } from './session-type.ts';
import {
  subscribeToAllTransitions,
  subscribeToFeed,
  subscribeToSession,
  subscribeToSessionTransitions,
  type TransitionCriteria,
} from './subscribe.ts';
import { PREVIOUS_CURSOR_DESCRIPTION, StatusTransition } from './transition.ts';

@InputType({ description: 'Conditions on transitions. Omitted fields do not filter.' })
class TransitionFilter implements TransitionCriteria {
  @Field(() => [StatusEnum], { nullable: true, description: 'Only transitions to one of these phases.' })
  status?: Status[];
  @Field(() => [SubStatusEnum], { nullable: true, description: 'Only transitions to one of these steps.' })
  subStatus?: SubStatus[];
  @Field(() => Boolean, {
    nullable: true,
    description: "If true, only transitions that changed their session's status (`applied`).",
  })
  appliedOnly?: boolean;
}

@ArgsType()
class TransitionsArgs {
  @Field(() => ID, {
    nullable: true,
    description: 'Global `id` of a VkycSession. Without it, all sessions that you may see.',
  })
  sessionId?: string;
  @Field(() => TransitionFilter, {
    nullable: true,
    description: 'Conditions that the transitions must match. If left out, all transitions.',
  })
  filter?: TransitionFilter;
  @Field(() => String, {
    nullable: true,
    description: 'Cursor to resume after. Without it, the stream begins with the next transition.',
  })
  after?: string;
}

@ArgsType()
class SessionLiveArgs {
  @Field(() => ID, { description: 'Global `id` of a VkycSession; not its verificationId.' })
  sessionId: string;
  @Field(() => String, {
    nullable: true,
    description: 'Cursor to resume after. Without it, the stream begins with a snapshot.',
  })
  after?: string;
}

@ArgsType()
class FeedArgs {
  @Field(() => TransitionFilter, {
    nullable: true,
    description: 'Conditions that the transitions must match. If left out, all transitions.',
  })
  filter?: TransitionFilter;
  @Field(() => String, {
    nullable: true,
    description: 'Cursor to resume after. Without it, the stream begins with the next transition.',
  })
  after?: string;
}

@ObjectType({
  description:
    'Current state of a session: the first frame of `sessionLive`, sent again if the stream could not be resumed (`resync`).',
})
class SessionSnapshot {
  @Field(() => VkycSession, { description: 'The session, including all its transitions up to `cursor`.' })
  session: SessionRow;
  @Field(() => String, {
    description: 'Opaque position in the stream. Pass it as `after` to resume from here.',
  })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
  @Field(() => Boolean, {
    description:
      'True if the stream could not be resumed from your cursor: replace the data that you show with this snapshot.',
  })
  resync: boolean;
}

@ObjectType({
  description:
    'Sent when you have received every transition so far, and then every 10 seconds while nothing happens. If neither a heartbeat nor another frame arrives, the connection is dead: reconnect.',
})
class Heartbeat {
  @Field(() => DateTime, { description: "Current time of the gateway's clock." })
  serverTime: Date;
  @Field(() => String, {
    description:
      'Opaque position in the stream. Pass it as `after` to resume from here. It advances even if your filter matches no transition.',
  })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
}

@ObjectType({
  description:
    'The stream could not be resumed from your cursor, or too many transitions would have to be replayed. Query the sessions again; the stream continues after `cursor`.',
})
class FeedReset {
  @Field(() => String, {
    description: 'Opaque position in the stream. Pass it as `after` to resume from here.',
  })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
  @Field(() => FeedResetCauseEnum, { description: 'Machine-readable cause of the reset.' })
  cause: RestartCause;
  @Field(() => String, { nullable: true, description: 'The cause as a sentence to show to users.' })
  reason?: string;
}

@ObjectType({
  description:
    'A session has become overdue: the time that its state may last has passed. Sent to staff who select this type, while they are connected; the frame is no transition and is not replayed. After a reconnect, compare `dueAt` with the clock, or query the sessions with the filter `overdue`.',
})
class DeadlinePassed {
  @Field(() => VkycSession, {
    description: 'The session in its current state, which may have changed since its deadline passed.',
  })
  session: SessionRow;
  @Field(() => DateTime, {
    description: 'Time at which the session became overdue: its `dueAt` when the frame was made.',
  })
  dueAt: Date;
  @Field(() => String, {
    description:
      'Opaque position in the stream. Pass it as `after` to resume from here. The frame has no position of its own.',
  })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
}

const TYPE_OF = {
  SNAPSHOT: 'SessionSnapshot',
  HEARTBEAT: 'Heartbeat',
  RESET: 'FeedReset',
  DEADLINE: 'DeadlinePassed',
} as const;
/**
 * Value that a subscription's root field resolves to: the row of a TRANSITION frame, as the resolvers of
 * StatusTransition expect, or any other frame itself.
 */
type ShownFrame = Exclude<UnexecutedFrame, { kind: 'TRANSITION' }> | TransitionRow;
const shownOf = (frame: UnexecutedFrame): ShownFrame =>
  frame.kind === 'TRANSITION' ? frame.transition : frame;
const byKind = {
  resolveType: (value: object) =>
    'kind' in value ? TYPE_OF[value.kind as keyof typeof TYPE_OF] : 'StatusTransition',
};

const SessionFrame = createUnionType({
  name: 'SessionFrame',
  description: 'One message of the `sessionLive` stream.',
  types: () => [SessionSnapshot, StatusTransition, Heartbeat, DeadlinePassed] as const,
  ...byKind,
});

const FeedFrame = createUnionType({
  name: 'FeedFrame',
  description:
    'One message of the `feed` stream. Unlike `sessionLive`, it has no snapshots: query first, then subscribe.',
  types: () => [StatusTransition, Heartbeat, FeedReset, DeadlinePassed] as const,
  ...byKind,
});

const cursorAt = (position: LogPosition, { cursors }: Context): string => cursors.encode(position);

@Resolver(() => SessionSnapshot)
export class SessionSnapshotResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<UnexecutedFrame, { kind: 'SNAPSHOT' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR_PLACEHOLDER;
  }
}

@Resolver(() => Heartbeat)
export class HeartbeatResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<UnexecutedFrame, { kind: 'HEARTBEAT' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR_PLACEHOLDER;
  }
}

@Resolver(() => DeadlinePassed)
export class DeadlinePassedResolver {
  @FieldResolver(() => VkycSession)
  session(
    @Root() { due }: Extract<UnexecutedFrame, { kind: 'DEADLINE' }>,
    @Ctx() { loaders }: Context,
  ): Promise<SessionRow | null> {
    return loaders.session.load(due.id);
  }

  @FieldResolver(() => DateTime)
  dueAt(@Root() { due }: Extract<UnexecutedFrame, { kind: 'DEADLINE' }>): Date {
    return due.dueAt;
  }

  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<UnexecutedFrame, { kind: 'DEADLINE' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR_PLACEHOLDER;
  }
}

@Resolver(() => FeedReset)
export class FeedResetResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<UnexecutedFrame, { kind: 'RESET' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR_PLACEHOLDER;
  }

  @FieldResolver(() => String, { nullable: true })
  reason(@Root() { cause }: Extract<UnexecutedFrame, { kind: 'RESET' }>): string {
    return RESTART_CAUSES[cause];
  }
}

/**
 * Returns the cursor in an `after` argument, without the mark (`~…`) that a client may append. GraphQL
 * routers serve subscriptions with equal variables from one shared upstream connection. A mark makes the
 * variables differ, so that the client gets an upstream connection of its own.
 */
const cursorIn = (after: string | null | undefined): string | null =>
  after == null || after.startsWith('~') ? null : (after.split('~', 1)[0] as string);

const MARKED =
  'If a GraphQL router would share one upstream stream between clients, append `~` and any text to `after` to get a stream of your own; `~` and text without a cursor counts as no cursor.';
const REPLAYED =
  'Replayed frames carry `extensions.replay: true` in their result, except the last one: after it the stream is live.';

@Resolver()
export class SubscriptionResolver {
  @Query(() => String, {
    description:
      'Current end of the feed over all sessions, read before the other fields of this operation. Pass it as `after` to `feed` or `statusTransitions`, so that no transition is missed between the query and the subscription.',
  })
  async feedCursor(@Ctx() context: Context): Promise<string> {
    return cursorAt(await context.feedHead(), context);
  }

  @Subscription(() => StatusTransition, {
    description: `Status transitions as they are recorded, of one session or of all sessions that you may see.
With \`after\`, streams first every transition since that cursor and then live ones, each exactly once and in order.
If the stream cannot be resumed from the cursor, it ends with the error code CURSOR_EXPIRED.
${REPLAYED}
${MARKED}`,
    subscribe: ({ args, context }) => {
      const { sessionId, filter, after } = args as TransitionsArgs;
      return sessionId == null
        ? subscribeToAllTransitions(cursorIn(after), filter, context as Context)
        : subscribeToSessionTransitions(sessionId, cursorIn(after), filter, context as Context);
    },
  })
  statusTransitions(
    @Root() frame: Extract<UnexecutedFrame, { kind: 'TRANSITION' }>,
    @Args(() => TransitionsArgs) _args: TransitionsArgs,
  ): TransitionRow {
    return frame.transition;
  }

  @Subscription(() => SessionFrame, {
    description: `Live data of one session: a snapshot, then its transitions, and heartbeats while nothing happens.
With \`after\`, streams the transitions since that cursor instead of the snapshot. If the stream cannot be resumed, sends a new snapshot with \`resync: true\`.
${REPLAYED}
${MARKED}`,
    subscribe: ({ args, context, info }) => {
      const { sessionId, after } = args as SessionLiveArgs;
      return subscribeToSession(
        sessionId,
        cursorIn(after),
        hasFragmentOnType(info, 'DeadlinePassed'),
        context as Context,
      );
    },
  })
  sessionLive(
    @Root() frame: UnexecutedFrame,
    @Args(() => SessionLiveArgs) _args: SessionLiveArgs,
  ): typeof SessionFrame {
    return shownOf(frame) as unknown as typeof SessionFrame;
  }

  @Subscription(() => FeedFrame, {
    description: `All sessions that you may see, for dashboards: transitions, heartbeats that advance the cursor, and a FeedReset if the stream could not be resumed.
${REPLAYED}
${MARKED}`,
    subscribe: ({ args, context, info }) => {
      const { filter, after } = args as FeedArgs;
      return subscribeToFeed(
        cursorIn(after),
        filter,
        hasFragmentOnType(info, 'DeadlinePassed'),
        context as Context,
      );
    },
  })
  feed(@Root() frame: UnexecutedFrame, @Args(() => FeedArgs) _args: FeedArgs): typeof FeedFrame {
    return shownOf(frame) as unknown as typeof FeedFrame;
  }
}
