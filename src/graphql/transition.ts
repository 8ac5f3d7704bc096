import {
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import type { SessionRow } from '../db/sessions.ts';
import type { LogRow, TransitionRow } from '../db/transitions.ts';
import { maySee } from '../domain/access.ts';
import { type TransitionSource, VERDICTS } from '../domain/session.ts';
import { type StatusInfo as Info, infoOf, type Pair, type Status, type SubStatus } from '../domain/status.ts';
import { badInput, connectionTypes } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { StatusEnum, SubStatusEnum, TransitionSourceEnum } from './enums.ts';
import { ID_DESCRIPTION, keyOf, Node, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { refuseStrayPairs, StatusInfo } from './status.ts';

@ObjectType({ implements: Node, description: "One entry of a session's log. Never changes." })
export class StatusTransition extends Node {
  @Field(() => String, { description: 'Opaque; resume any feed after it.' })
  cursor: string;
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
    description: "The provider's own word; null where the transition was made here.",
  })
  rawStatus?: string;
  @Field(() => String, {
    nullable: true,
    description: "The provider's own word; null where the transition was made here.",
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
    description: 'Who caused it, where a person or system of ours did.',
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

export const StatusTransitions = connectionTypes('StatusTransition', () => StatusTransition);

@InputType({ description: 'Which transitions to stream. What is left out does not filter.' })
export class TransitionFilter {
  @Field(() => [StatusEnum], { nullable: true, description: 'Only these phases.' })
  status?: Status[];
  @Field(() => [SubStatusEnum], { nullable: true, description: 'Only these steps.' })
  subStatus?: SubStatus[];
  @Field(() => Boolean, { nullable: true, description: 'Only transitions that moved their session.' })
  appliedOnly?: boolean;
}

@ArgsType()
class TransitionFeedArgs {
  @Field(() => ID, { nullable: true, description: 'One session; left out: all that the viewer may see.' })
  sessionId?: string;
  @Field(() => TransitionFilter, { nullable: true, description: 'Which of its transitions.' })
  filter?: TransitionFilter;
  @Field(() => String, { nullable: true, description: 'Start after this cursor; left out: from now on.' })
  after?: string;
}

@Resolver(() => StatusTransition)
export class TransitionResolver {
  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() { sessionId, sequence }: TransitionRow): string {
    return toGlobalId('StatusTransition', `${sessionId}:${sequence}`);
  }

  @FieldResolver(() => String)
  cursor(@Root() transition: TransitionRow, @Ctx() { services }: Context): string {
    return services.cursors.encode(transition);
  }

  @FieldResolver(() => VkycSession)
  async session(
    @Root() { sessionId }: TransitionRow,
    @Ctx() { loaders }: Context,
  ): Promise<SessionRow | null> {
    return loaders.session.load(sessionId);
  }

  @FieldResolver(() => StatusInfo, { nullable: true })
  from(@Root() { fromStatus, fromSubStatus }: TransitionRow): Info | null {
    return fromStatus && fromSubStatus ? infoOf({ status: fromStatus, subStatus: fromSubStatus }) : null;
  }

  @FieldResolver(() => StatusInfo)
  statusInfo(@Root() pair: Pair): Info {
    return infoOf(pair);
  }

  @FieldResolver(() => String, { nullable: true })
  reason(@Root() { verdict }: TransitionRow): string | null {
    return VERDICTS[verdict];
  }

  @FieldResolver(() => Boolean)
  applied(@Root() { verdict }: TransitionRow): boolean {
    return verdict === 'MOVED';
  }

  @Query(() => String, {
    description:
      'The newest cursor of the feed over all sessions, read before anything else in this operation: query, then subscribe after it.',
  })
  async feedCursor(@Ctx() { services }: Context): Promise<string> {
    return services.cursors.encode(await services.hub.newest());
  }

  @Subscription(() => StatusTransition, {
    description: `Status transitions as they are recorded, of one session or of all that the viewer may see.
With \`after\`, first everything since that cursor, then live: none missing, none twice.
A cursor that cannot be resumed from ends it with the error code CURSOR_EXPIRED.`,
    subscribe: ({ args, context }) => followTransitions(args as TransitionFeedArgs, context as Context),
  })
  statusTransitions(
    @Root() transition: LogRow,
    @Args(() => TransitionFeedArgs) _args: TransitionFeedArgs,
  ): TransitionRow {
    return transition;
  }
}

async function followTransitions(
  { sessionId, filter, after }: TransitionFeedArgs,
  { services, viewer, loaders }: Context,
): Promise<AsyncIterableIterator<LogRow>> {
  refuseStrayPairs(filter?.status, filter?.subStatus);
  const place = after == null ? null : services.cursors.decode(after);
  if (sessionId == null) {
    const all = await services.hub.followAll(place);
    return filtered(all, (row) => maySee(viewer, row.verificationId) && passes(row, filter));
  }
  const key = keyOf('VkycSession', sessionId);
  const session = await loaders.session.load(key);
  if (!session || !maySee(viewer, session.verificationId))
    throw badInput('There is no such session, or it is not yours to see.');
  if (place && place.sessionId !== key)
    throw badInput('`after` is a cursor of another session; give one of this session, or its startCursor.');
  return filtered(services.hub.followSession(key, place?.sequence ?? session.lastSequence), (row) =>
    passes(row, filter),
  );
}

function passes(row: LogRow, filter: TransitionFilter | null | undefined): boolean {
  if (filter?.status && !filter.status.includes(row.status)) return false;
  if (filter?.subStatus && !filter.subStatus.includes(row.subStatus)) return false;
  return !filter?.appliedOnly || row.verdict === 'MOVED';
}

function filtered<T>(
  source: AsyncIterableIterator<T>,
  wanted: (value: T) => boolean,
): AsyncIterableIterator<T> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const result = await source.next();
        if (result.done || wanted(result.value)) return result;
      }
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  };
}
