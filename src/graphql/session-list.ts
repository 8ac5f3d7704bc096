import type { GraphQLResolveInfo } from 'graphql';
import {
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Info,
  InputType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import type { Database } from '../db/connection/client.ts';
import {
  countSessions,
  type SessionFilter as Filter,
  type SessionOrder as Order,
  type PageCursor,
  readSessionPage,
  type SessionListItem,
  type SessionSummary,
} from '../db/sessions/sessions.ts';
import type { UserRow } from '../db/sessions/users.ts';
import { isStaff, type Viewer, visibleVerificationIds } from '../domain/access.ts';
import type { Party, Status, SubStatus } from '../domain/status.ts';
import { isStorable, UNSTORABLE } from '../domain/storable.ts';
import { badInput, connectionTypes, ForwardArgs, MAX_COUNT, Page, PageArgs, pageSize } from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { PartyEnum, SessionOrderFieldEnum, SortDirectionEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { findSelectedFields, NODE_PATHS } from './selection.ts';
import { projectionFor, VkycSession } from './session-type.ts';
import { assertKnownPairs } from './status.ts';
import { decodeTimeCursor, encodeTimeCursor } from './time-cursor.ts';
import { VkycUser } from './user.ts';

const Sessions = connectionTypes('VkycSession', () => VkycSession, true);
const MAX_ID_LENGTH = 50;

@InputType({
  description:
    'Conditions on sessions. A session must match every condition given; omitted fields do not filter.',
})
class SessionFilter {
  @Field(() => [StatusEnum], { nullable: true, description: 'Only sessions in one of these phases.' })
  status?: Status[];
  @Field(() => [SubStatusEnum], { nullable: true, description: 'Only sessions in one of these steps.' })
  subStatus?: SubStatus[];
  @Field(() => [PartyEnum], {
    nullable: true,
    description: 'Only sessions that wait for one of these parties.',
  })
  waitingOn?: Party[];
  @Field(() => String, { nullable: true, description: 'Only sessions of the person with this `userId`.' })
  userId?: string;
  @Field(() => String, {
    nullable: true,
    description: 'Only sessions whose verificationId starts with this text. Case-sensitive.',
  })
  verificationIdPrefix?: string;
  @Field(() => DateTime, { nullable: true, description: 'Only sessions with `createdAt` after this time.' })
  createdAfter?: Date;
  @Field(() => DateTime, { nullable: true, description: 'Only sessions with `createdAt` before this time.' })
  createdBefore?: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only sessions with `updatedAt` after this time.',
  })
  updatedAfter?: Date;
  @Field(() => Boolean, {
    nullable: true,
    description: 'True: only disputed sessions. False: only sessions that are not disputed.',
  })
  disputed?: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only sessions with an unresolved escalation. False: only all other sessions. For staff; refused for customers.',
  })
  escalated?: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description: 'True: only sessions that staff closed. False: only all other sessions.',
  })
  closed?: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description: 'True: only sessions that another session replaces. False: only all other sessions.',
  })
  replaced?: boolean;
}

@InputType({ description: 'Sort order of sessions. Sessions with equal times are sorted by age.' })
class SessionOrder {
  @Field(() => SessionOrderFieldEnum, { description: 'Time to sort by.' })
  field: Order['field'];
  @Field(() => SortDirectionEnum, { description: 'Sort direction: oldest or newest first.' })
  direction: Order['direction'];
}

@ArgsType()
class SessionsArgs extends PageArgs {
  @Field(() => SessionFilter, {
    nullable: true,
    description: 'Conditions that the sessions must match. Without it, all sessions that you may see.',
  })
  filter?: SessionFilter;
  @Field(() => SessionOrder, { nullable: true, description: 'Sort order. Without it, newest first.' })
  orderBy?: SessionOrder;
}

const NEWEST_FIRST: Order = { field: 'CREATED_AT', direction: 'DESC' };

@Resolver(() => VkycUser)
export class SessionListResolver {
  @Query(() => Sessions.Connection, {
    description: 'Sessions that you may see, one page at a time. `first` or `last` is required: 1 to 100.',
  })
  async sessions(
    @Args(() => SessionsArgs) args: SessionsArgs,
    @Ctx() { services, viewer }: Context,
    @Info() { fieldNodes, fragments }: GraphQLResolveInfo,
  ): Promise<Page<SessionListItem>> {
    const page = pageSize(args);
    const order = args.orderBy ?? NEWEST_FIRST;
    const filter = toSessionFilter(args.filter, viewer);
    const [after, before] = [decodeCursor(args.after, order), decodeCursor(args.before, order)];
    const rows = await readSessionPage(services.db, filter, {
      order,
      ...page,
      limit: page.limit + 1,
      after,
      before,
      shape: projectionFor(findSelectedFields(fieldNodes, fragments, NODE_PATHS)),
    });
    return new Page(
      rows,
      page,
      (row) => encodeCursor(row, order),
      () => countWithin(services.db, filter),
    );
  }

  @FieldResolver(() => Sessions.Connection, {
    name: 'sessions',
    description: "The person's sessions, newest first. `first` is required: 1 to 100.",
  })
  async sessionsOf(
    @Root() user: UserRow,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ) {
    const page = pageSize(args);
    const after = decodeCursor(args.after, NEWEST_FIRST);
    const { viewer } = context;
    const verificationIds = visibleVerificationIds(viewer);
    const rows = await context.loaders.userSessions.load({
      userId: user.id,
      after,
      limit: page.limit + 1,
      verificationIds,
    });
    await context.pace.take(rows.length);
    return new Page(
      rows,
      page,
      (row) => encodeCursor(row, NEWEST_FIRST),
      () => countWithin(context.services.db, toSessionFilter({ userId: user.userId }, viewer)),
    );
  }
}

/** Counts the sessions of a filter; null if there are more than MAX_COUNT. */
async function countWithin(db: Database, filter: Filter): Promise<number | null> {
  const count = await countSessions(db, filter, MAX_COUNT + 1);
  return count > MAX_COUNT ? null : count;
}

/**
 * Checks a filter, and restricts it to the sessions that the viewer may see.
 * @throws GraphQLError if a value of the filter is invalid
 */
function toSessionFilter(given: SessionFilter | null | undefined, viewer: Viewer): Filter {
  const filter: Filter = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value != null));
  // Otherwise customers could find out whether their own session is escalated.
  if (filter.escalated !== undefined && !isStaff(viewer))
    throw badInput('The filter `escalated` is only for staff: leave it out.');
  assertKnownPairs(filter.status, filter.subStatus);
  for (const name of ['userId', 'verificationIdPrefix'] as const) {
    const text = filter[name] ?? '';
    if (text.length > MAX_ID_LENGTH)
      throw badInput(`\`${name}\` must have at most ${MAX_ID_LENGTH} characters.`);
    if (!isStorable(text)) throw badInput(`\`${name}\` ${UNSTORABLE}.`);
  }
  return { ...filter, verificationIds: visibleVerificationIds(viewer) ?? undefined };
}

const encodeCursor = ({ createdAt, updatedAt, id }: SessionSummary, { field }: Order): string =>
  encodeTimeCursor(field, { at: field === 'CREATED_AT' ? createdAt : updatedAt, id });

const decodeCursor = (cursor: string | null | undefined, { field }: Order): PageCursor | null =>
  decodeTimeCursor(field, cursor);
