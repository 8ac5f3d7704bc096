import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  countSessions,
  type SessionFilter as Filter,
  pageOfSessions,
  type SessionRow,
} from '../db/sessions.ts';
import type { TransitionRow } from '../db/transitions.ts';
import type { UserRow } from '../db/users.ts';
import { limitOf, maySee } from '../domain/access.ts';
import { belongsTogether, type StatusInfo as Info, type Status, type SubStatus } from '../domain/status.ts';
import { placeOfLink } from '../services/record-transition.ts';
import {
  badInput,
  type Connection,
  connectionOf,
  connectionTypes,
  ForwardArgs,
  LARGEST_COUNT,
  PageArgs,
  pageSize,
} from './connection.ts';
import type { Context } from './context.ts';
import { StatusEnum, SubStatusEnum } from './enums.ts';
import { ID_DESCRIPTION, keyOf, toGlobalId } from './node.ts';
import { VkycSession } from './session-type.ts';
import { StatusInfo, statusInfoOf } from './status.ts';
import { StatusTransitions } from './transition.ts';
import { refuseInSubscriptions, seesPersonalData, VkycUser } from './user.ts';

const LARGEST_SEQUENCE = 2_147_483_647;

const Sessions = connectionTypes('VkycSession', () => VkycSession, true);

@InputType({ description: 'Which sessions. What is left out does not filter; everything given must hold.' })
class SessionFilter {
  @Field(() => [StatusEnum], { nullable: true, description: 'Only these phases.' })
  status?: Status[];
  @Field(() => [SubStatusEnum], { nullable: true, description: 'Only these steps.' })
  subStatus?: SubStatus[];
}

@ArgsType()
class SessionsArgs extends ForwardArgs {
  @Field(() => SessionFilter, {
    nullable: true,
    description: 'Which sessions; left out: all that the viewer may see.',
  })
  filter?: SessionFilter;
}

@Resolver(() => VkycSession)
export class SessionResolver {
  @Query(() => VkycSession, {
    nullable: true,
    description: 'A session by its id; null where there is none, or it is not yours to see.',
  })
  async session(
    @Arg('id', () => ID, { description: "The session's `id`." }) id: string,
    @Ctx() { loaders, viewer }: Context,
  ): Promise<SessionRow | null> {
    const session = await loaders.session.load(keyOf('VkycSession', id));
    return session && maySee(viewer, session.verificationId) ? session : null;
  }

  @Query(() => VkycSession, {
    nullable: true,
    description: 'A session by your own id; null where there is none, or it is not yours to see.',
  })
  async sessionByVerificationId(
    @Arg('verificationId', () => String, { description: 'As it was given to startSession.' })
    verificationId: string,
    @Ctx() { loaders, viewer }: Context,
  ): Promise<SessionRow | null> {
    if (!maySee(viewer, verificationId) || verificationId.includes('\0')) return null;
    return loaders.sessionByVerificationId.load(verificationId);
  }

  @Query(() => Sessions.Connection, { description: 'Sessions, newest first. `first` is required, 1 to 100.' })
  async sessions(
    @Args(() => SessionsArgs) args: SessionsArgs,
    @Ctx() { services, viewer, loaders }: Context,
  ): Promise<Connection<SessionRow> & { totalCount: () => Promise<number | null> }> {
    const page = pageSize(args);
    const filter = filterOf(args.filter, limitOf(viewer));
    const after = args.after == null ? null : readPlace(args.after);
    const rows = await pageOfSessions(services.db, filter, page.limit + 1, after);
    for (const row of rows) loaders.session.prime(row.id, row);
    return {
      ...connectionOf(rows, page, placeOf),
      async totalCount() {
        const count = await countSessions(services.db, filter, LARGEST_COUNT + 1);
        return count > LARGEST_COUNT ? null : count;
      },
    };
  }

  @FieldResolver(() => ID, { description: ID_DESCRIPTION })
  id(@Root() session: SessionRow): string {
    return toGlobalId('VkycSession', session.id);
  }

  @FieldResolver(() => VkycUser)
  user(@Root() session: SessionRow, @Ctx() { loaders }: Context): Promise<UserRow | null> {
    return loaders.user.load(session.userId);
  }

  @FieldResolver(() => StatusInfo)
  statusInfo(@Root() session: SessionRow): Info {
    return statusInfoOf(session, session.disputed);
  }

  @FieldResolver(() => String, { nullable: true })
  link(@Root() session: SessionRow, @Ctx() context: Context): string | null {
    refuseInSubscriptions(context);
    if (!session.link || !seesPersonalData(context)) return null;
    return context.services.sealer.open(session.link, placeOfLink(session.id)).toString('utf8');
  }

  @FieldResolver(() => String)
  startCursor(@Root() session: SessionRow, @Ctx() { services }: Context): string {
    return services.cursors.encode({ sessionId: session.id, sequence: 0 });
  }

  @FieldResolver(() => StatusTransitions.Connection, {
    description: "The session's log, oldest first. `first` or `last` is required, 1 to 100.",
  })
  async transitions(
    @Root() session: SessionRow,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { loaders, services }: Context,
  ): Promise<Connection<TransitionRow>> {
    const page = pageSize(args);
    const sequenceOf = (cursor: string): number => {
      const place = services.cursors.decode(cursor);
      if (place.sessionId !== session.id)
        throw badInput('This is a cursor of another session; give one of this session.');
      return place.sequence;
    };
    const rows = await loaders.transitionPage.load({
      sessionId: session.id,
      after: args.after == null ? 0 : sequenceOf(args.after),
      before: args.before == null ? LARGEST_SEQUENCE : sequenceOf(args.before),
      limit: page.limit + 1,
      end: page.end,
    });
    return connectionOf(rows, page, services.cursors.encode);
  }
}

/** What the database is asked for. A step of none of the wanted phases could match nothing: that is a mistake. */
function filterOf(
  filter: SessionFilter | null | undefined,
  verificationIds: readonly string[] | null,
): Filter {
  const { status, subStatus } = filter ?? {};
  const stray =
    status &&
    subStatus?.find((sub) => !status.some((phase) => belongsTogether({ status: phase, subStatus: sub })));
  if (stray)
    throw badInput(
      `${stray} is not a sub-status of ${status.join(' or ')}: see statusCatalog for the pairs.`,
    );
  return {
    status: status ?? undefined,
    subStatus: subStatus ?? undefined,
    verificationIds: verificationIds ?? undefined,
  };
}

/** Cursor of a list by creation: its milliseconds and the id. */
const placeOf = ({ createdAt, id }: SessionRow): string =>
  Buffer.from(`${createdAt.getTime()}:${id}`).toString('base64url');

function readPlace(cursor: string): { createdAt: Date; id: string } {
  const [, milliseconds, id] =
    Buffer.from(cursor, 'base64url')
      .toString('utf8')
      .match(/^(\d{1,15}):([0-9a-f-]{36})$/) ?? [];
  const createdAt = new Date(Number(milliseconds));
  if (!id || Number.isNaN(createdAt.getTime()))
    throw badInput('This is not a cursor of this list: give back one exactly as you got it.');
  return { createdAt, id };
}
