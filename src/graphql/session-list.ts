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
  countSessionsUpTo,
  type SessionFilter as Filter,
  type SessionOrder as Order,
  type PageCursor,
  readSessionPage,
  type SessionListItem,
  type SessionSummary,
} from '../db/sessions/sessions.ts';
import type { UserRow } from '../db/sessions/users.ts';
import { getVisibleVerificationIds, isStaff, type Viewer } from '../domain/access.ts';
import { invariant } from '../domain/invariant.ts';
import { MAX_LABEL_LENGTH, MAX_METADATA_PAIRS, MAX_TAGS } from '../domain/labels.ts';
import type { Party, Status, SubStatus } from '../domain/status.ts';
import { isStorableText, UNSTORABLE_TEXT_MESSAGE } from '../domain/storable.ts';
import {
  createBadInputError,
  createConnectionTypes,
  ForwardArgs,
  MAX_TOTAL_COUNT,
  Page,
  PageArgs,
  parsePageArgs,
} from './connection.ts';
import type { Context } from './context.ts';
import { DateTime } from './date-time.ts';
import { PartyEnum, SessionOrderFieldEnum, SortDirectionEnum, StatusEnum, SubStatusEnum } from './enums.ts';
import { MetadataEntryInput } from './labels.ts';
import { CONNECTION_NODE_PATHS, findSelectedFields } from './selection.ts';
import { getSessionProjection, VkycSession } from './session-type.ts';
import { assertPossibleStatusFilter } from './status.ts';
import { decodeTimeCursor, encodeTimeCursor } from './time-cursor.ts';
import { VkycUser } from './user.ts';

const Sessions = createConnectionTypes('VkycSession', () => VkycSession, true);
const MAX_ID_LENGTH = 50;
/** A shorter text has no trigrams (groups of three characters), by which the index finds it. */
const MIN_SEARCH_LENGTH = 3;
/** Filters that are texts, with the maximum length of each. */
const TEXTS = {
  userId: MAX_ID_LENGTH,
  verificationIdPrefix: MAX_ID_LENGTH,
  search: MAX_ID_LENGTH,
  assignedTo: 200,
} as const;
const FOR_STAFF = [
  'escalated',
  'assignedTo',
  'assigned',
  'overdue',
  'tags',
  'metadata',
] as const satisfies (keyof Filter)[];

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
  @Field(() => String, {
    nullable: true,
    description:
      'Only sessions whose verificationId or referenceId contains this text, in upper or lower case. 3 to 50 characters.',
  })
  search?: string;
  @Field(() => [String], {
    nullable: true,
    description: 'Only sessions that have all of these tags. For staff; refused for customers.',
  })
  tags?: string[];
  @Field(() => [MetadataEntryInput], {
    nullable: true,
    description: 'Only sessions whose metadata has all of these pairs. For staff; refused for customers.',
  })
  metadata?: MetadataEntryInput[];
  @Field(() => DateTime, { nullable: true, description: 'Only sessions with `createdAt` after this time.' })
  createdAfter?: Date;
  @Field(() => DateTime, { nullable: true, description: 'Only sessions with `createdAt` before this time.' })
  createdBefore?: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only sessions with `updatedAt` after this time.',
  })
  updatedAfter?: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only sessions that have not ended, and whose `linkExpiresAt` is before this time.',
  })
  linkExpiresBefore?: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only sessions with a booked meeting that starts at or after this time.',
  })
  meetingFrom?: Date;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only sessions with a booked meeting that starts before this time.',
  })
  meetingTo?: Date;
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
  @Field(() => String, {
    nullable: true,
    description:
      'Only sessions whose `assignedAgent` is this token subject. For staff; refused for customers.',
  })
  assignedTo?: string;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only sessions that are assigned to anybody. False: only all other sessions, such as those whose lease has ended. For staff; refused for customers.',
  })
  assigned?: boolean;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only sessions whose deadline (`dueAt`) has passed. False: only all other sessions. For staff; refused for customers.',
  })
  overdue?: boolean;
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
    description: 'Conditions that the sessions must match. If left out, all sessions that you may see.',
  })
  filter?: SessionFilter;
  @Field(() => SessionOrder, {
    nullable: true,
    description: 'Sort order. If left out, the sessions created last come first.',
  })
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
    const page = parsePageArgs(args);
    const order = args.orderBy ?? NEWEST_FIRST;
    if (order.field === 'DUE_AT' && !isStaff(viewer))
      throw createBadInputError('The order `DUE_AT` is only for staff: choose another one.');
    const filter = toSessionFilter(args.filter, viewer, services.clock.now());
    const [after, before] = [decodeCursor(args.after, order), decodeCursor(args.before, order)];
    const rows = await readSessionPage(services.db, filter, {
      order,
      ...page,
      limit: page.limit + 1,
      after,
      before,
      shape: getSessionProjection(findSelectedFields(fieldNodes, fragments, CONNECTION_NODE_PATHS)),
    });
    return new Page(
      rows,
      page,
      (row) => encodeCursor(row, order),
      () => countWithin(services.db, filter, order),
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
    const page = parsePageArgs(args);
    const after = decodeCursor(args.after, NEWEST_FIRST);
    const { viewer } = context;
    const verificationIds = getVisibleVerificationIds(viewer);
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
      () => {
        const { db, clock } = context.services;
        return countWithin(db, toSessionFilter({ userId: user.userId }, viewer, clock.now()), NEWEST_FIRST);
      },
    );
  }
}

/** Counts the sessions of a filter; null if there are more than MAX_COUNT. */
async function countWithin(db: Database, filter: Filter, order: Order): Promise<number | null> {
  const count = await countSessionsUpTo(db, filter, order, MAX_TOTAL_COUNT + 1);
  return count > MAX_TOTAL_COUNT ? null : count;
}

/**
 * Checks a filter, and restricts it to the sessions that the viewer may see.
 * @throws GraphQLError if a value of the filter is invalid
 */
function toSessionFilter(given: SessionFilter | null | undefined, viewer: Viewer, now: Date): Filter {
  const { metadata, ...others } = given ?? {};
  const filter: Filter = {
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value != null)),
    ...(metadata == null ? {} : { metadata: toMetadata(metadata) }),
  };
  // Otherwise customers could find out what staff recorded about their own session.
  const forStaff = FOR_STAFF.find((name) => filter[name] !== undefined);
  if (forStaff && !isStaff(viewer))
    throw createBadInputError(`The filter \`${forStaff}\` is only for staff: leave it out.`);
  checkTags(filter.tags ?? []);
  assertPossibleStatusFilter(filter.status, filter.subStatus);
  for (const [name, longest] of Object.entries(TEXTS) as [keyof typeof TEXTS, number][]) {
    const text = filter[name] ?? '';
    if (text.length > longest)
      throw createBadInputError(`\`${name}\` must have at most ${longest} characters.`);
    if (!isStorableText(text)) throw createBadInputError(`\`${name}\` ${UNSTORABLE_TEXT_MESSAGE}.`);
  }
  if (filter.search !== undefined && [...filter.search].length < MIN_SEARCH_LENGTH)
    throw createBadInputError(
      `\`search\` must have at least ${MIN_SEARCH_LENGTH} characters: type more, or filter by \`verificationIdPrefix\`.`,
    );
  return { ...filter, now, verificationIds: getVisibleVerificationIds(viewer) ?? undefined };
}

/**
 * Converts the pairs of a filter to the metadata that a session must have.
 * @throws GraphQLError if there are too many pairs, or a key or a value is invalid
 */
function toMetadata(entries: readonly MetadataEntryInput[]): Record<string, string> {
  if (entries.length > MAX_METADATA_PAIRS)
    throw createBadInputError(`\`metadata\` must have at most ${MAX_METADATA_PAIRS} entries.`);
  for (const { key, value } of entries) {
    checkLabel('metadata', key, MAX_LABEL_LENGTH.key);
    checkLabel('metadata', value, MAX_LABEL_LENGTH.value);
  }
  if (new Set(entries.map(({ key }) => key)).size < entries.length)
    throw createBadInputError('`metadata` must have each key only once.');
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

function checkTags(tags: readonly string[]): void {
  if (tags.length > MAX_TAGS) throw createBadInputError(`\`tags\` must have at most ${MAX_TAGS} entries.`);
  for (const tag of tags) checkLabel('tags', tag, MAX_LABEL_LENGTH.tag);
}

function checkLabel(name: string, text: string, longest: number): void {
  if (text.length > longest)
    throw createBadInputError(`\`${name}\` must have texts of at most ${longest} characters.`);
  if (!isStorableText(text)) throw createBadInputError(`\`${name}\` ${UNSTORABLE_TEXT_MESSAGE}.`);
}

/** Column of the time by which each order sorts. */
const TIMES = {
  CREATED_AT: 'createdAt',
  UPDATED_AT: 'updatedAt',
  STATUS_SINCE: 'statusSince',
  DUE_AT: 'dueAt',
  MEETING_AT: 'meetingAt',
} as const satisfies Record<Order['field'], keyof SessionSummary>;

function encodeCursor(session: SessionSummary, { field }: Order): string {
  const at = session[TIMES[field]];
  invariant(at !== null, 'a session without the time by which a list is sorted is in that list');
  return encodeTimeCursor(field, { at, id: session.id });
}

const decodeCursor = (cursor: string | null | undefined, { field }: Order): PageCursor | null =>
  decodeTimeCursor(field, cursor);
