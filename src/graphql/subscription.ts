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
import { PREVIOUS_CURSOR } from '../feed/frame-json.ts';
import { type Frame, RESTART_CAUSES, type RestartCause } from '../feed/subscription.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { FeedResetCauseEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { VkycSession } from './session-type.ts';
import {
  subscribeToAllTransitions,
  subscribeToFeed,
  subscribeToSession,
  subscribeToSessionTransitions,
  type TransitionCriteria,
} from './subscribe.ts';
import { PREVIOUS_CURSOR_DESCRIPTION, StatusTransition } from './transition.ts';

@InputType({ description: 'Which transitions to stream. What is left out does not filter.' })
class TransitionFilter implements TransitionCriteria {
  @Field(() => [StatusEnum], { nullable: true, description: 'Only these phases.' })
  status?: Status[];
  @Field(() => [SubStatusEnum], { nullable: true, description: 'Only these steps.' })
  subStatus?: SubStatus[];
  @Field(() => Boolean, { nullable: true, description: 'Only transitions that moved their session.' })
  appliedOnly?: boolean;
}

@ArgsType()
class TransitionsArgs {
  @Field(() => ID, { nullable: true, description: 'One session; left out: all that the viewer may see.' })
  sessionId?: string;
  @Field(() => TransitionFilter, { nullable: true, description: 'Which transitions; left out: all of them.' })
  filter?: TransitionFilter;
  @Field(() => String, { nullable: true, description: 'Start after this cursor; left out: from now on.' })
  after?: string;
}

@ArgsType()
class SessionLiveArgs {
  @Field(() => ID, { description: 'The `id` of a VkycSession, which is not its verificationId.' })
  sessionId: string;
  @Field(() => String, {
    nullable: true,
    description: 'Go on after this cursor; left out: begin with a snapshot.',
  })
  after?: string;
}

@ArgsType()
class FeedArgs {
  @Field(() => TransitionFilter, { nullable: true, description: 'Which transitions; left out: all of them.' })
  filter?: TransitionFilter;
  @Field(() => String, { nullable: true, description: 'Go on after this cursor; left out: from now on.' })
  after?: string;
}

@ObjectType({ description: 'A session as it is, to begin a screen with.' })
class SessionSnapshot {
  @Field(() => VkycSession, { description: 'The session. Its transitions up to `cursor` are part of it.' })
  session: SessionRow;
  @Field(() => String, { description: 'Resume after it.' })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
  @Field(() => Boolean, {
    description: 'True when the stream could not go on from where the client was: replace what you show.',
  })
  resync: boolean;
}

@ObjectType({
  description:
    'Sent when everything so far has been sent, and then every 10 seconds while nothing happens: silence means that the connection is dead.',
})
class Heartbeat {
  @Field(() => DateTime, { description: "The gateway's clock." })
  serverTime: Date;
  @Field(() => String, { description: 'Resume after it, even where filters let nothing through.' })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
}

@ObjectType({
  description:
    'The stream could not go on from where the client was, or only after more than is worth streaming. Query again, then go on after `cursor`.',
})
class FeedReset {
  @Field(() => String, { description: 'Resume after it.' })
  cursor: string;
  @Field(() => String, { nullable: true, description: PREVIOUS_CURSOR_DESCRIPTION })
  previousCursor?: string;
  @Field(() => FeedResetCauseEnum, { description: 'Why the feed was reset.' })
  cause: RestartCause;
  @Field(() => String, { nullable: true, description: 'The cause as a sentence, for people.' })
  reason?: string;
}

const TYPE_OF = { SNAPSHOT: 'SessionSnapshot', HEARTBEAT: 'Heartbeat', RESET: 'FeedReset' } as const;
/**
 * A transition is resolved as its row, which the field resolvers of StatusTransition expect; any other frame
 * as itself.
 */
type ShownFrame = Exclude<Frame, { kind: 'TRANSITION' }> | TransitionRow;
const shownOf = (frame: Frame): ShownFrame => (frame.kind === 'TRANSITION' ? frame.transition : frame);
const byKind = {
  resolveType: (value: object) =>
    'kind' in value ? TYPE_OF[value.kind as keyof typeof TYPE_OF] : 'StatusTransition',
};

const SessionFrame = createUnionType({
  name: 'SessionFrame',
  description: 'What a live screen of one session is sent.',
  types: () => [SessionSnapshot, StatusTransition, Heartbeat] as const,
  ...byKind,
});

const FeedFrame = createUnionType({
  name: 'FeedFrame',
  description: 'What a live floor is sent.',
  types: () => [StatusTransition, Heartbeat, FeedReset] as const,
  ...byKind,
});

const cursorAt = (position: LogPosition, { cursors }: Context): string => cursors.encode(position);

@Resolver(() => SessionSnapshot)
export class SessionSnapshotResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<Frame, { kind: 'SNAPSHOT' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR;
  }
}

@Resolver(() => Heartbeat)
export class HeartbeatResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<Frame, { kind: 'HEARTBEAT' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR;
  }
}

@Resolver(() => FeedReset)
export class FeedResetResolver {
  @FieldResolver(() => String)
  cursor(@Root() { at }: Extract<Frame, { kind: 'RESET' }>, @Ctx() context: Context): string {
    return cursorAt(at, context);
  }

  @FieldResolver(() => String, { nullable: true })
  previousCursor(): string {
    return PREVIOUS_CURSOR;
  }

  @FieldResolver(() => String, { nullable: true })
  reason(@Root() { cause }: Extract<Frame, { kind: 'RESET' }>): string {
    return RESTART_CAUSES[cause];
  }
}

/**
 * Returns the cursor of an `after` argument, without the mark that a client may append to it. GraphQL routers
 * share one upstream connection between subscriptions with equal variables (de-duplication); a mark makes the
 * variables differ, so that the subscription gets an upstream of its own.
 */
const cursorIn = (after: string | null | undefined): string | null =>
  after == null || after.startsWith('~') ? null : (after.split('~', 1)[0] as string);

const MARKED =
  'To keep routers from sharing this stream with other clients, append `~` and any text to `after`; `~` and a text alone is no cursor.';
const REPLAYED =
  'Frames of the past, after which more of the past follows, carry `extensions.replay: true` in their result.';

@Resolver()
export class SubscriptionResolver {
  @Query(() => String, {
    description:
      'The newest cursor of the feed over all sessions, read before anything else in this operation: query, then subscribe after it.',
  })
  async feedCursor(@Ctx() context: Context): Promise<string> {
    return cursorAt(await context.feedHead(), context);
  }

  @Subscription(() => StatusTransition, {
    description: `Status transitions as they are recorded, of one session or of all that the viewer may see.
With \`after\`, first everything since that cursor, then live: none missing, none twice.
A cursor that cannot be resumed from ends it with the error code CURSOR_EXPIRED.
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
    @Root() frame: Extract<Frame, { kind: 'TRANSITION' }>,
    @Args(() => TransitionsArgs) _args: TransitionsArgs,
  ): TransitionRow {
    return frame.transition;
  }

  @Subscription(() => SessionFrame, {
    description: `One session for a live screen: a snapshot first, then its transitions, and a heartbeat while nothing happens.
With \`after\`, what happened since in place of the snapshot; where that is not possible, a snapshot with \`resync\`.
${REPLAYED}
${MARKED}`,
    subscribe: ({ args, context }) => {
      const { sessionId, after } = args as SessionLiveArgs;
      return subscribeToSession(sessionId, cursorIn(after), context as Context);
    },
  })
  sessionLive(
    @Root() frame: Frame,
    @Args(() => SessionLiveArgs) _args: SessionLiveArgs,
  ): typeof SessionFrame {
    return shownOf(frame) as unknown as typeof SessionFrame;
  }

  @Subscription(() => FeedFrame, {
    description: `All sessions for a live floor: transitions, heartbeats that move the cursor on, and a reset where it could not go on.
${REPLAYED}
${MARKED}`,
    subscribe: ({ args, context }) => {
      const { filter, after } = args as FeedArgs;
      return subscribeToFeed(cursorIn(after), filter, context as Context);
    },
  })
  feed(@Root() frame: Frame, @Args(() => FeedArgs) _args: FeedArgs): typeof FeedFrame {
    return shownOf(frame) as unknown as typeof FeedFrame;
  }
}
