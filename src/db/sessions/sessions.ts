import { and, asc, desc, eq, gt, gte, inArray, isNotNull, like, lt, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { computeNextPollAt, type PollPace, UNCONFIRMED_POLL_WEIGHT } from '../../domain/polling.ts';
import { type DoubtfulPollAnswer, isUnconfirmed, type SessionState } from '../../domain/session.ts';
import { ALL_PAIRS, getStatusInfo, type Party, type Status, type SubStatus } from '../../domain/status.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import {
  sessionLabels,
  sessions,
  sessionTerms,
  users,
  whereAwaitingConfirmation,
  whereTerminal,
} from '../schema/tables.ts';
import { equalsAny, prepareColumnarQuery, prepareQuery, queryDynamicRows } from '../statements/prepared.ts';
import {
  type ColumnDetailLevel,
  createRowMapper,
  decodeJsonRows,
  getSelectListSql,
  type RowMapper,
} from '../statements/row-mapper.ts';
import { pickStartColumns, type StartColumns } from './origin.ts';
import { type UserRow, userRowMapper } from './users.ts';

export type SessionRow = typeof sessions.$inferSelect;

/**
 * Returns the context (AAD) that a session's encrypted link is bound to, so that it cannot be moved to
 * another row; see `Sealer`.
 */
export const getLinkSealingContext = (sessionId: string): string => `vkyc_session.link:${sessionId}`;

/** Returns the context (AAD) that the remarks of the provider's agent are bound to; see `Sealer`. */
export const getAgentRemarksSealingContext = (sessionId: string): string =>
  `vkyc_session.remarks_at_provider:${sessionId}`;

/** Converts a session row to the state from which the rules in `domain/session.ts` decide. */
export const toSessionState = (
  row: Omit<SessionRow, 'nextPollAt'>,
  doubt: DoubtfulPollAnswer | null = null,
): SessionState => ({
  status: row.status,
  subStatus: row.subStatus,
  version: row.version,
  lastSequence: row.lastSequence,
  disputed: row.disputed,
  escalated: row.escalated,
  closed: row.closed,
  replaced: row.replaced,
  assigned: row.assignedAgent !== null,
  decidedHere: row.decidedHere,
  provider: {
    rawStatus: row.providerStatus,
    rawSubStatus: row.providerSubStatus,
    eventTime: row.providerEventTime,
    polledAt: row.providerFoundAt,
    webhooks: row.providerWebhooks,
    doubt,
  },
});

/**
 * Returns the session row with the time of its next poll recomputed; every write of a session calls this
 * function. For `pace` and `secondLookAt` see `computeNextPollAt`.
 */
export const withNextPollAt = (
  row: Omit<SessionRow, 'nextPollAt'>,
  pace: PollPace,
  secondLookAt: Date | null = null,
): SessionRow => ({
  ...row,
  unsettled: row.unsettled && !getStatusInfo(row).terminal,
  nextPollAt: computeNextPollAt(
    {
      status: row.status,
      subStatus: row.subStatus,
      // After the end of a session, notes of staff must not prolong its polls.
      changedAt: getStatusInfo(row).terminal ? row.statusSince : row.updatedAt,
      heardAt: row.providerHeardAt,
      unsettled: row.unsettled,
      unconfirmed: isUnconfirmed(toSessionState(row)),
      secondLookAt,
      meetingAt: row.meetingAt,
      linkExpiresAt: row.linkExpiresAt,
      createdAt: row.createdAt,
    },
    pace,
  ),
});

/**
 * Sets the columns that are known only from the start request, because the provider does not return them.
 * Needed if the session was recorded without its start, for example by the adopt command.
 */
export const setStartColumns = (tx: Transaction, id: string, origin: StartColumns) =>
  tx.update(sessions).set(pickStartColumns(origin)).where(eq(sessions.id, id));

/**
 * Sets the time of the next poll after a poll that got no answer, unless the session was changed since `row`
 * was read (optimistic locking).
 */
export const reschedulePollIfUnchanged = (
  db: Queryable,
  { id, nextPollAt, version, lastSequence }: SessionRow,
  to: Date | null,
) =>
  db
    .update(sessions)
    .set({ nextPollAt: to })
    .where(
      and(
        eq(sessions.id, id),
        eq(sessions.version, version),
        eq(sessions.lastSequence, lastSequence),
        sql`${sessions.nextPollAt} is not distinct from ${nextPollAt?.toISOString() ?? null}::timestamptz`,
      ),
    );

/**
 * Plans polls of all open sessions, and of ended sessions that are polled until the provider confirms a
 * decision made here. The most recently changed session is polled at `from`, each next one `everyMs` later. A
 * poll that is already planned for an earlier time keeps that time. Returns the number of sessions.
 */
export async function schedulePollsOfOpenSessions(
  db: Queryable,
  from: Date,
  everyMs: number,
): Promise<number> {
  // Locks rows in verification-id order: transactions that record transitions lock in the same order, so a
  // deadlock is impossible.
  const { rows } = await db.write<{ count: number }>(sql`
    with locked as (
      select id, updated_at from ${sessions}
      where not ${whereTerminal(sessions.subStatus)} or ${whereAwaitingConfirmation(sessions)}
      order by verification_id for update
    ), planned as (
      select id, ${from.toISOString()}::timestamptz
        + (row_number() over (order by updated_at desc, id) - 1) * ${everyMs}::float8 * interval '1 ms' as poll_at
      from locked
    ), moved as (
      update ${sessions} set next_poll_at = poll_at from planned
      where ${sessions.id} = planned.id and (next_poll_at is null or next_poll_at > poll_at)
    )
    select count(*)::int as count from planned`);
  return rows[0]?.count ?? 0;
}

/**
 * Counts the sessions for which a poll is planned. A session that ended by a decision made here counts only
 * as `UNCONFIRMED_POLL_WEIGHT` of a session.
 */
export async function computePollLoad(db: Queryable): Promise<number> {
  const [polled, confirming] = await Promise.all([
    countWhere(db, isNotNull(sessions.nextPollAt)),
    countWhere(db, whereAwaitingConfirmation(sessions)),
  ]);
  return polled - confirming * (1 - UNCONFIRMED_POLL_WEIGHT);
}

async function countWhere(db: Queryable, condition: SQL): Promise<number> {
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(sessions).where(condition);
  return row?.count ?? 0;
}

/**
 * Session whose row is locked, with the provider's user id, so that updates about another user can be
 * refused.
 */
export interface LockedSession extends SessionRow {
  /** The provider's user id; null after the user's personal data was erased. */
  readonly providerUserId: string | null;
}

/**
 * Locks session rows until the transaction ends, and returns them. Under the lock, only one transaction at a
 * time assigns a session's sequences.
 */
export const lockSessions = (tx: Transaction, verificationIds: readonly string[]): Promise<LockedSession[]> =>
  lockedByVerificationId(tx, verificationIds);

/**
 * Locks session rows like `lockSessions`, but fails immediately if another transaction holds one of the locks
 * (NOWAIT). For transactions that hold locks of other sessions already, and therefore cannot keep the lock
 * order.
 */
export const lockSessionsNoWait = (
  tx: Transaction,
  verificationIds: readonly string[],
): Promise<LockedSession[]> => lockedNow(tx, verificationIds);

export async function lockSessionByVerificationId(
  tx: Transaction,
  verificationId: string,
): Promise<LockedSession | null> {
  const [row] = await lockSessions(tx, [verificationId]);
  return row ?? null;
}

/**
 * Locks a session by id, only if its verification id is among `verificationIds` (null: any). A caller who may
 * not see the session must not wait for its row lock, which would reveal that the session exists, and must
 * not make others wait.
 */
export async function lockVisibleSessionById(
  tx: Transaction,
  id: string,
  verificationIds: readonly string[] | null,
): Promise<SessionRow | null> {
  const [row] = await lockedById(tx, id, verificationIds);
  return row ?? null;
}

/**
 * Inserts a session. If a concurrent transaction creates the same session, waits for the end of that
 * transaction, and returns false if it commits. `onConflictDoNothing` names no conflict target, because the
 * other row has the same id and the same verification id, and either unique index may report the conflict.
 */
export async function tryInsertSession(tx: Transaction, row: SessionRow): Promise<boolean> {
  const inserted = await tx.insert(sessions).values(row).onConflictDoNothing().returning({ id: sessions.id });
  return inserted.length > 0;
}

const sessionFields = createRowMapper(sessions, 'vkyc_session');
/**
 * Fields of `LockedSession`. The user's row is read without a lock, because only an erasure changes the
 * provider's user id.
 */
export const lockedSessionMapper = createRowMapper<typeof sessions, { providerUserId: string | null }>(
  sessions,
  'vkyc_session',
  {
    providerUserId: `(select u.user_id from vkyc_user u where u.id = vkyc_session.user_id and u.erased_at is null)`,
  },
);
const sessionsBy = <Row>(column: string, type: string, fields: RowMapper<Row>, shape = '') =>
  prepareQuery(
    `sessions by ${column}${shape}`,
    fields,
    `select ${fields.list} from vkyc_session where ${equalsAny(column, '$1', type)}`,
  );
const lockedByVerificationId = prepareQuery(
  'sessions locked',
  lockedSessionMapper,
  // Rows are locked in verification-id order whatever the plan, so that all transactions which record transitions
  // have one lock order and cannot deadlock.
  `select ${lockedSessionMapper.list} from vkyc_session
   where ${equalsAny('verification_id', '$1', 'text')} order by verification_id for update`,
);
const lockedNow = prepareQuery(
  'sessions locked now',
  lockedSessionMapper,
  `select ${lockedSessionMapper.list} from vkyc_session
   where ${equalsAny('verification_id', '$1', 'text')} order by verification_id for update nowait`,
);
const lockedById = prepareQuery(
  'session locked',
  sessionFields,
  `select ${sessionFields.list} from vkyc_session
   where id = $1::uuid and ($2::text[] is null or verification_id = any($2::text[])) for update`,
);
const byId = sessionsBy('id', 'uuid', sessionFields);
const byVerificationId = sessionsBy('verification_id', 'text', sessionFields);
const byReplacedId = sessionsBy('replaces_id', 'uuid', sessionFields);

export const findSessionsById = (db: Queryable, ids: readonly string[]): Promise<SessionRow[]> =>
  byId(db, ids);

export const findSessionsByVerificationId = (db: Queryable, ids: readonly string[]): Promise<SessionRow[]> =>
  byVerificationId(db, ids);

/** Columns of a session that lists show (`SUMMARY` of `ColumnDetailLevel`). */
const SUMMARY_COLUMNS = [
  'id',
  'verificationId',
  'referenceId',
  'userId',
  'status',
  'subStatus',
  'statusSince',
  'version',
  'disputed',
  'escalated',
  'closed',
  'replaced',
  'waitingOn',
  'assignedAgent',
  'assignedAt',
  'assignedUntil',
  'dueAt',
  'meetingAt',
  'linkExpiresAt',
  'languages',
  'createdAt',
  'updatedAt',
] as const satisfies (keyof SessionRow)[];
export type SessionSummary = Pick<SessionRow, (typeof SUMMARY_COLUMNS)[number]>;

/** Session in a list: at least the columns that lists show, and its user if `withUser` was true. */
export type SessionListItem = SessionSummary & { readonly user?: UserRow };

/** Columns that a query reads of each session, and whether it also reads the session's user. */
export interface SessionProjection {
  readonly detail: ColumnDetailLevel;
  readonly withUser: boolean;
}

const USER = {
  user: `(select row_to_json(u) from (select ${userRowMapper.list} from vkyc_user u where u.id = vkyc_session.user_id) u)`,
};
function projectionMapper(name: string, more: object, only?: typeof SUMMARY_COLUMNS) {
  const fields: RowMapper<SessionListItem> = createRowMapper(
    sessions,
    'vkyc_session',
    more as never,
    only,
  ) as never;
  return { fields, byId: sessionsBy('id', 'uuid', fields, name) };
}
const PROJECTIONS = {
  ALL: { alone: projectionMapper(' in full', {}), withUser: projectionMapper(' in full with user', USER) },
  SUMMARY: {
    alone: projectionMapper(' in brief', {}, SUMMARY_COLUMNS),
    withUser: projectionMapper(' in brief with user', USER, SUMMARY_COLUMNS),
  },
};
const selectProjection = ({ detail, withUser }: SessionProjection) =>
  PROJECTIONS[detail][withUser ? 'withUser' : 'alone'];

/** Finds sessions by id. `shape` says which columns are read, and whether the users are read too. */
export const findSessionsProjected = async (
  db: Queryable,
  ids: readonly string[],
  shape: SessionProjection,
): Promise<SessionListItem[]> => readUsers(await selectProjection(shape).byId(db, ids));

function readUsers(rows: SessionListItem[]): SessionListItem[] {
  decodeJsonRows(
    rows.flatMap(({ user }) => user ?? []),
    userRowMapper,
  );
  return rows;
}

/** Finds the sessions that replace the sessions with these ids. */
export const findReplacementSessions = (
  db: Queryable,
  replacedIds: readonly string[],
): Promise<SessionRow[]> => byReplacedId(db, replacedIds);

/**
 * SQL condition for the sessions that a customer may see, by verification id; undefined (no condition) if
 * `verificationIds` is null.
 */
export const whereVerificationIdIn = (
  verificationIds: readonly string[] | null | undefined,
): SQL | undefined => (verificationIds ? inArray(sessions.verificationId, [...verificationIds]) : undefined);

export interface SessionFilter {
  readonly status?: readonly Status[] | undefined;
  readonly subStatus?: readonly SubStatus[] | undefined;
  readonly waitingOn?: readonly Party[] | undefined;
  /** Only sessions of the user with this provider user id. */
  readonly userId?: string | undefined;
  readonly verificationIdPrefix?: string | undefined;
  /** Part of the verification id or of the reference id, in any case. At least 3 characters, which the index needs. */
  readonly search?: string | undefined;
  /** Only sessions that have all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Only sessions whose metadata has all of these pairs. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly updatedAfter?: Date | undefined;
  /** Only sessions that have not ended, and whose link expires before this time. */
  readonly linkExpiresBefore?: Date | undefined;
  /** Only sessions with a booked meeting that starts at or after this time. */
  readonly meetingFrom?: Date | undefined;
  /** Only sessions with a booked meeting that starts before this time. */
  readonly meetingTo?: Date | undefined;
  readonly disputed?: boolean | undefined;
  readonly escalated?: boolean | undefined;
  readonly closed?: boolean | undefined;
  readonly replaced?: boolean | undefined;
  /** Only sessions that are assigned to the person with this token subject, at the time `now`. */
  readonly assignedTo?: string | undefined;
  /** Whether the sessions are assigned to anybody at the time `now`. */
  readonly assigned?: boolean | undefined;
  /** Time for the conditions that depend on the clock; the clock of the database if left out. */
  readonly now?: Date | undefined;
  /** Whether the sessions are overdue at the time `now`. */
  readonly overdue?: boolean | undefined;
  /** If set, only sessions with these verification ids: those that the asking customer may see. */
  readonly verificationIds?: readonly string[] | undefined;
}

/**
 * Times by which lists of sessions are sorted. STATUS_SINCE lists only sessions that have not ended, and MEETING_AT only
 * sessions with a booked meeting.
 */
export type SessionOrderField = 'CREATED_AT' | 'UPDATED_AT' | 'STATUS_SINCE' | 'DUE_AT' | 'MEETING_AT';

export interface SessionOrder {
  readonly field: SessionOrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** Position in a sorted list of sessions: the time by which the list is sorted, and the id as tie-breaker. */
export interface PageCursor {
  readonly at: Date;
  readonly id: string;
}

export interface SessionPageRequest {
  readonly order: SessionOrder;
  readonly limit: number;
  readonly end: 'FIRST' | 'LAST';
  readonly after: PageCursor | null;
  readonly before: PageCursor | null;
  readonly shape: SessionProjection;
}

const isOpen = sql`not ${whereTerminal(sessions.subStatus)}`;
const hasMeeting = sql`${sessions.meetingAt} is not null`;

/** Column of each sort order, and the condition on the sessions that the order lists. */
const ORDERS: Record<SessionOrderField, { readonly column: AnyPgColumn; readonly lists?: SQL }> = {
  CREATED_AT: { column: sessions.createdAt },
  UPDATED_AT: { column: sessions.updatedAt },
  STATUS_SINCE: { column: sessions.statusSince, lists: isOpen },
  DUE_AT: { column: sessions.dueAt, lists: sql`${sessions.dueAt} is not null` },
  MEETING_AT: { column: sessions.meetingAt, lists: hasMeeting },
};

/**
 * Reads the first (or last) `limit` sessions of a sorted list between the positions `after` and `before`, in
 * the list's order (keyset pagination).
 */
export async function readSessionPage(
  db: Queryable,
  filter: SessionFilter,
  { order, limit, end, after, before, shape }: SessionPageRequest,
): Promise<SessionListItem[]> {
  const { column, lists } = ORDERS[order.field];
  const ascending = order.direction === 'ASC';
  const beyond = (place: PageCursor | null, forward: boolean): SQL | undefined => {
    if (!place) return undefined;
    const operator = forward === ascending ? sql`>` : sql`<`;
    return sql`(${column}, ${sessions.id}) ${operator} (${place.at.toISOString()}::timestamptz, ${place.id}::uuid)`;
  };
  const towards = (end === 'FIRST') === ascending ? asc : desc;
  const key = findsFew(filter, order.field) ? sql`(${column} + interval '0')` : column;
  const conditions = whereClauses(filter, await findByTerm(db, filter, MAX_TERMS));
  const places = and(...conditions, lists, beyond(after, true), beyond(before, false));
  const { fields } = selectProjection(shape);
  const rows = await queryDynamicRows(
    db,
    fields,
    sql`select ${getSelectListSql(fields)} from ${sessions} where ${places ?? sql`true`} order by ${towards(key)}, ${towards(sessions.id)} limit ${limit}`,
    // Whether few or most sessions pass a filter depends on its values.
    { mayPrepare: conditions.length === 0 },
  );
  readUsers(rows);
  return end === 'FIRST' ? rows : rows.reverse();
}

/**
 * Whether the filter has a condition on booked meetings, which are few and young, while the list is sorted by another time.
 * Such a list is sorted by an expression that no index has: in the order of an index of all sessions, the planner expects
 * them evenly spread and may read nearly all sessions before the first.
 */
const findsFew = ({ meetingFrom, meetingTo }: SessionFilter, field: SessionOrderField): boolean =>
  (meetingFrom !== undefined || meetingTo !== undefined) && field !== 'MEETING_AT';

/**
 * Counts the sessions of a list up to `most`, because an exact count of a large table takes too long.
 */
export async function countSessionsUpTo(
  db: Queryable,
  filter: SessionFilter,
  { field }: Pick<SessionOrder, 'field'>,
  most: number,
): Promise<number> {
  const { lists } = ORDERS[field];
  // A session has at most two terms.
  const found = await findByTerm(db, filter, 2 * most);
  const conditions = whereClauses(filter, found);
  if (found === null && conditions.length === 1 && !lists) return most;
  const counted = db
    .select({ one: sql`1` })
    .from(sessions)
    .where(and(...conditions, lists))
    .limit(most)
    .as('counted');
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(counted);
  return row?.count ?? 0;
}

/** Escapes the wildcards of a LIKE pattern: `_` is legal in a verification id. */
const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/**
 * Maximum number of terms whose sessions a list with a search reads. If more terms match, the list reads sessions in its
 * order until a page is full, which needs no more rows then.
 */
const MAX_TERMS = 5_000;

/** Ids of the sessions that a search finds; null if they are too many to list; undefined if the filter has no search. */
type Found = readonly string[] | null | undefined;

/**
 * Finds the sessions whose verification id or reference id contains the text of a search, unless more than `most` terms do.
 * A statement of its own, because the planner cannot tell how many match. Terms are found by trigrams, from the index, and
 * then compared exactly. The text is made lower case as the trigger does it: by the collation "C", because other locales
 * have other rules (the Turkish I). The index has the default collation, and serves only a comparison by the same.
 */
async function findByTerm(db: Queryable, { search }: SessionFilter, most: number): Promise<Found> {
  if (search === undefined) return undefined;
  const found = await db
    .select({ id: sessionTerms.sessionId })
    .from(sessionTerms)
    .where(
      sql`trigrams(${sessionTerms.term}) @> trigrams(lower(${search} collate "C") collate "default")
        and ${sessionTerms.term} like ${toPattern(search)}`,
    )
    .limit(most + 1);
  return found.length > most ? null : found.map(({ id }) => id);
}

const toPattern = (search: string): SQL => sql`lower(${`%${escapeLike(search)}%`} collate "C")`;

function whereFound(search: string, found: Found): SQL | undefined {
  if (found) return sql`${sessions.id} = any(${sql.param(found)}::uuid[])`;
  // CASE hides LIKE from the planner, which expects few matches of it and would sort all sessions of the other conditions.
  return found === null
    ? sql`case when lower(${sessions.verificationId} collate "C") like ${toPattern(search)}
        or lower(${sessions.referenceId} collate "C") like ${toPattern(search)} then true else false end`
    : undefined;
}

/**
 * Finds the sessions with all of the tags and all of the pairs, each from an index. Undefined (no condition) without any,
 * because a session without labels has no row.
 */
function whereLabels({ tags = [], metadata = {} }: SessionFilter): SQL | undefined {
  const wanted = and(
    tags.length > 0 ? sql`${sessionLabels.tags} @> ${sql.param(tags)}::text[]` : undefined,
    Object.keys(metadata).length > 0
      ? sql`metadata_pairs(${sessionLabels.metadata}) @> metadata_pairs(${JSON.stringify(metadata)}::jsonb)`
      : undefined,
  );
  return (
    wanted && sql`${sessions.id} in (select ${sessionLabels.sessionId} from ${sessionLabels} where ${wanted})`
  );
}

const TERMINAL = ALL_PAIRS.filter(({ terminal }) => terminal);

/** Whether a session that has ended may wait on the party. While it is disputed, it waits on the merchant. */
const mayWaitAfterEnd = (party: Party): boolean =>
  party === 'MERCHANT' || TERMINAL.some(({ waitingOn }) => waitingOn === party);

/**
 * Whether all sessions that pass the filter are open. The open ones are few and young: sorted from the oldest on, they come
 * after nearly all others, unless the list is read from an index of open sessions.
 */
const findsOnlyOpen = ({ status, subStatus, waitingOn }: SessionFilter): boolean =>
  (status !== undefined && TERMINAL.every((pair) => !status.includes(pair.status))) ||
  (subStatus !== undefined && TERMINAL.every((pair) => !subStatus.includes(pair.subStatus))) ||
  waitingOn?.some(mayWaitAfterEnd) === false;

const whereClauses = (filter: SessionFilter, found: Found): SQL[] =>
  [whereFound(filter.search ?? '', found), ...whereColumns(filter)].filter(
    (condition) => condition !== undefined,
  );

const whereColumns = (filter: SessionFilter): (SQL | undefined)[] => [
  findsOnlyOpen(filter) ? isOpen : undefined,
  filter.status && inArray(sessions.status, [...filter.status]),
  filter.subStatus && inArray(sessions.subStatus, [...filter.subStatus]),
  filter.waitingOn && inArray(sessions.waitingOn, [...filter.waitingOn]),
  filter.userId === undefined
    ? undefined
    : sql`${sessions.userId} = (select id from ${users} where ${users.userId} = ${filter.userId})`,
  filter.verificationIdPrefix === undefined
    ? undefined
    : like(sessions.verificationId, `${escapeLike(filter.verificationIdPrefix)}%`),
  whereLabels(filter),
  filter.createdAfter && gt(sessions.createdAt, filter.createdAfter),
  filter.createdBefore && lt(sessions.createdAt, filter.createdBefore),
  filter.updatedAfter && gt(sessions.updatedAt, filter.updatedAfter),
  filter.linkExpiresBefore && and(isOpen, lt(sessions.linkExpiresAt, filter.linkExpiresBefore)),
  filter.meetingFrom && gte(sessions.meetingAt, filter.meetingFrom),
  filter.meetingTo && lt(sessions.meetingAt, filter.meetingTo),
  ...FLAGS.map((flag) => whereFlag(sessions[flag], filter[flag])),
  filter.assignedTo === undefined ? undefined : eq(sessions.assignedAgent, filter.assignedTo),
  filter.assignedTo === undefined ? undefined : isLeased(filter.now),
  filter.assigned === undefined ? undefined : whereAssigned(filter.assigned, filter.now),
  filter.overdue === undefined ? undefined : whereOverdue(filter.overdue, filter.now),
  whereVerificationIdIn(filter.verificationIds),
];

/** SQL condition for assignments that have no end, or whose lease has not ended. */
const isLeased = (now: Date | undefined): SQL =>
  sql`(${sessions.assignedUntil} is null or ${sessions.assignedUntil} > ${toSqlTime(now)})`;

const whereAssigned = (wanted: boolean, now: Date | undefined): SQL =>
  wanted
    ? sql`(${sessions.assignedAgent} is not null and ${isLeased(now)})`
    : sql`(${sessions.assignedAgent} is null or ${sessions.assignedUntil} <= ${toSqlTime(now)})`;

const whereOverdue = (wanted: boolean, now: Date | undefined): SQL =>
  wanted
    ? sql`${sessions.dueAt} <= ${toSqlTime(now)}`
    : sql`(${sessions.dueAt} is null or ${sessions.dueAt} > ${toSqlTime(now)})`;

const toSqlTime = (time: Date | undefined): SQL =>
  time ? sql`${time.toISOString()}::timestamptz` : sql`now()`;

const FLAGS = ['disputed', 'escalated', 'closed', 'replaced'] as const;

/** Condition on a flag, without a parameter: only then does the planner use the partial index of set flags. */
const whereFlag = (flag: AnyPgColumn, wanted: boolean | undefined): SQL | undefined =>
  wanted === undefined ? undefined : wanted ? sql`${flag}` : sql`not ${flag}`;

/**
 * Request for a page of one user's sessions, newest first, after a position in that list (null: from the
 * newest on).
 */
export interface UserSessionsRequest {
  readonly userId: string;
  readonly after: PageCursor | null;
}

/**
 * Reads for each user the next `limit` sessions after a position in the user's list, newest first, limited to
 * the verification ids that the viewer may see (null: all). One statement serves all users.
 */
export async function readSessionsOfUsers(
  db: Queryable,
  wanted: readonly UserSessionsRequest[],
  { limit, verificationIds }: { limit: number; verificationIds: readonly string[] | null },
): Promise<SessionRow[][]> {
  const places = wanted.map(({ after }) => after ?? MAX_CURSOR);
  const found = await byUser(
    db,
    wanted.map(({ userId }) => userId),
    places.map(({ at }) => at.toISOString()),
    places.map(({ id }) => id),
    verificationIds,
    limit,
  );
  const pages: SessionRow[][] = wanted.map(() => []);
  for (const row of found) pages[row.page - 1]?.push(row);
  return pages;
}

const pagedFields = createRowMapper<typeof sessions, { page: number }>(sessions, 's', {
  page: 'wanted.page',
});
const byUser = prepareColumnarQuery(
  'sessions by user',
  pagedFields,
  `select ${pagedFields.list}
   from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) with ordinality as wanted(user_id, at, id, page)
   cross join lateral (
     select * from vkyc_session s
     where s.user_id = wanted.user_id and (s.created_at, s.id) < (wanted.at, wanted.id)
       and ($4::text[] is null or s.verification_id = any($4::text[]))
     order by s.created_at desc, s.id desc
     limit $5
   ) s
   order by wanted.page, s.created_at desc, s.id desc`,
);

/** Position before the newest session: the start of a list if no `after` is given. */
const MAX_CURSOR: PageCursor = {
  at: new Date('9999-12-31T00:00:00Z'),
  id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
};
