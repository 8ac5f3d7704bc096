/**
 * Starts subscriptions. For each, it chooses the log to follow (one session's or all sessions'), the position
 * to begin at, and the snapshot or reset to send if the client's cursor cannot be resumed.
 */

import { findArchivedSessionRow } from '../db/retention/archive.ts';
import type { OverdueSession } from '../db/sessions/deadlines.ts';
import { findSessionsById, type SessionRow } from '../db/sessions/sessions.ts';
import type { TransitionWithVerificationId } from '../db/sessions/transitions.ts';
import { isStaff, maySeeSession, type Viewer } from '../domain/access.ts';
import { isStatusVerdict } from '../domain/changes.ts';
import { invariant } from '../domain/invariant.ts';
import { isAppliedVerdict } from '../domain/session.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import {
  CursorError,
  type CursorExpiryReason,
  createExpiredCursorError,
  getPositionAfter,
  getSessionStartPosition,
  type LogPosition,
} from '../feed/cursor.ts';
import type { SubscriptionEndIterator } from '../feed/ending-iterator.ts';
import { encodeCursorOnce } from '../feed/frame-json.ts';
import type { LogSubscription, RestartCause, ResyncPoint } from '../feed/subscription.ts';
import { createBadInputError } from './connection.ts';
import type { Context } from './context.ts';
import { decodeIdOfType } from './node.ts';
import { assertPossibleStatusFilter } from './status.ts';

/**
 * Maximum number of missed transitions that are replayed to a dashboard. If more are missing, the dashboard
 * gets a reset, because querying its data again is faster.
 */
const MAX_REPLAYED = 10_000;

export interface TransitionCriteria {
  readonly status?: readonly Status[] | null | undefined;
  readonly subStatus?: readonly SubStatus[] | null | undefined;
  readonly appliedOnly?: boolean | null | undefined;
}

type Cursor = string | null | undefined;

/**
 * Subscribes to every transition of all sessions, after a cursor or from now on. Missed transitions are
 * always replayed, never skipped by a snapshot or reset; if the cursor cannot be resumed, the subscription
 * ends with an error.
 */
export async function subscribeToAllTransitions(
  after: Cursor,
  filter: TransitionCriteria | null | undefined,
  context: Context,
) {
  const { hub, cursors } = context.services;
  const subscriber = {
    ...createSubscription(context, after, filter),
    heartbeats: false,
    wantsDeadline: null,
    findResyncPoint: null,
  };
  const from = after == null ? await hub.newest() : await hub.positionOf(cursors.decode(after));
  return hub.followAll(from, subscriber);
}

/**
 * Subscribes to every transition of one session, after a cursor or from now on. Missed transitions are always
 * replayed; if the cursor cannot be resumed, the subscription ends with an error.
 */
export async function subscribeToSessionTransitions(
  sessionId: string,
  after: Cursor,
  filter: TransitionCriteria | null | undefined,
  context: Context,
): Promise<SubscriptionEndIterator> {
  const session = await visibleSession(sessionId, context, after);
  const from =
    after == null ? await findLogEnd(session, context) : decodeSessionCursor(session, after, context);
  const subscriber = {
    ...createSubscription(context, after, filter),
    heartbeats: false,
    wantsDeadline: null,
    findResyncPoint: null,
  };
  return context.services.hub.followSession(session, from, subscriber);
}

/**
 * Subscribes a screen to one session. The stream begins with a snapshot if the client passes no cursor, or a
 * cursor that cannot be resumed.
 */
export async function subscribeToSession(
  sessionId: string,
  after: Cursor,
  deadlines: boolean,
  context: Context,
): Promise<SubscriptionEndIterator> {
  const session = await visibleSession(sessionId, context, after);
  const subscriber = {
    ...createSubscription(context, after, null),
    heartbeats: true,
    wantsDeadline: deadlines ? deadlinesFor(context.viewer, null) : null,
    findResyncPoint: async () => createSnapshot(await readSession(session.id, context), true, context),
  };
  const { hub } = context.services;
  if (after == null) {
    const first = await createSnapshot(session, false, context);
    return hub.followSession(session, first.at, subscriber, first);
  }
  const from = await orExpiredError(async () => decodeSessionCursor(session, after, context));
  if ('sessionId' in from) return hub.followSession(session, from, subscriber);
  const first = await createSnapshot(session, true, context);
  return hub.followSession(session, first.at, subscriber, first);
}

/**
 * Subscribes a dashboard to all sessions. The stream begins with a reset if the client's cursor cannot be
 * resumed, or is more than MAX_REPLAYED transitions behind.
 */
export async function subscribeToFeed(
  after: Cursor,
  filter: TransitionCriteria | null | undefined,
  deadlines: boolean,
  context: Context,
) {
  const { hub, cursors } = context.services;
  const reset = async (cause: RestartCause): Promise<ResyncPoint> => {
    const newest = await hub.newest();
    return { ...newest, frame: { kind: 'RESET', at: newest.at, cause } };
  };
  const subscriber = {
    ...createSubscription(context, after, filter),
    heartbeats: true,
    wantsDeadline: deadlines ? deadlinesFor(context.viewer, filter) : null,
    findResyncPoint: reset,
  };
  const newest = await hub.newest();
  if (after == null) return hub.followAll(newest, subscriber);
  const from = await orExpiredError(async () => hub.positionOf(cursors.decode(after)));
  const isFar = 'number' in from && newest.number - from.number > MAX_REPLAYED;
  if ('number' in from && !isFar) return hub.followAll(from, subscriber);
  return hub.followAll(newest, subscriber, await reset('number' in from ? 'TOO_FAR_BEHIND' : from.expiry));
}

/**
 * Returns the options that all kinds of subscriptions have in common. `wants` checks for each transition
 * whether the viewer may see it, with the roles that the token had when the connection signed in.
 */
function createSubscription(
  { connection, viewer, cursors }: Context,
  after: Cursor,
  filter: TransitionCriteria | null | undefined,
): Pick<LogSubscription, 'sink' | 'selection' | 'budget' | 'viewer' | 'after' | 'cursorOf' | 'wants'> {
  assertPossibleStatusFilter(filter?.status, filter?.subStatus);
  invariant(connection, 'subscription was started without a connection for its frames');
  return {
    ...connection,
    viewer,
    after: after ?? null,
    cursorOf: (position) => encodeCursorOnce(cursors, position),
    wants: (transition) => maySeeSession(viewer, transition.verificationId) && passes(transition, filter),
  };
}

/** Returns the condition for the deadlines of which a viewer is told: only staff know of deadlines. */
const deadlinesFor =
  (viewer: Viewer, filter: TransitionCriteria | null | undefined) =>
  ({ status, subStatus }: OverdueSession): boolean =>
    isStaff(viewer) &&
    (filter?.status?.includes(status) ?? true) &&
    (filter?.subStatus?.includes(subStatus) ?? true);

function passes(row: TransitionWithVerificationId, filter: TransitionCriteria | null | undefined): boolean {
  // A transition that records a note, an escalation or a detail repeats the status pair of its session. A filter by
  // status leaves it out, because it is no change to that status.
  if ((filter?.status || filter?.subStatus) && !isStatusVerdict(row.verdict)) return false;
  if (filter?.status && !filter.status.includes(row.status)) return false;
  if (filter?.subStatus && !filter.subStatus.includes(row.subStatus)) return false;
  return !filter?.appliedOnly || isAppliedVerdict(row.verdict);
}

/**
 * Returns a session that the viewer may see. A viewer who passes a cursor of an archived session, and could
 * see that session, gets the error ARCHIVED; for all others, an archived session looks like a session that
 * does not exist.
 * @throws GraphQLError if there is no such session; CursorError if the session of the cursor was archived
 */
async function visibleSession(id: string, context: Context, after: Cursor): Promise<SessionRow> {
  const { loaders, viewer, services } = context;
  const key = decodeIdOfType('VkycSession', id);
  const session = await loaders.session.load(key);
  if (session && maySeeSession(viewer, session.verificationId)) return session;
  // Queries the archive even if the session is hidden from the viewer. Otherwise the response time would show
  // whether a hidden session exists (timing side channel).
  const archived = after == null ? null : await findArchivedSessionRow(services.db, key);
  const named = after != null && archived !== null && maySeeSession(viewer, archived.verificationId);
  if (named && services.cursors.decode(after).sessionId === key) throw createExpiredCursorError('ARCHIVED');
  throw createBadInputError('The session does not exist, or you may not see it.');
}

/**
 * Reads a session again, for the snapshot of a running subscription.
 * @throws CursorError if the session was archived, or a failover lost it; this error ends the subscription
 */
async function readSession(id: string, { services }: Context): Promise<SessionRow> {
  const [session] = await findSessionsById(services.db, [id]);
  if (session) return session;
  throw createExpiredCursorError(
    (await findArchivedSessionRow(services.db, id)) ? 'ARCHIVED' : 'LOG_REWOUND',
  );
}

async function createSnapshot(session: SessionRow, resync: boolean, context: Context): Promise<ResyncPoint> {
  const at = await findLogEnd(session, context);
  return {
    frame: { kind: 'SNAPSHOT', session, resync, at },
    at,
    number: at.sequence,
    fingerprint: at.fingerprint,
  };
}

/** Returns the position after the newest transition that is part of the given session row. */
async function findLogEnd({ id, lastSequence }: SessionRow, { loaders }: Context): Promise<LogPosition> {
  if (lastSequence === 0) return getSessionStartPosition(id);
  const newest = await loaders.transition.load({ sessionId: id, sequence: lastSequence });
  // The row names a transition that the log lacks: a failover lost it after the row was read. A client that
  // subscribes again gets the session as it is now.
  if (!newest)
    throw new Error(`session ${id} has lastSequence ${lastSequence}, but its log lacks that transition`);
  return getPositionAfter(newest);
}

/**
 * Returns the position in a session's log that a cursor names. Whether a failover has rewound the log since
 * then is checked only when the log is read from this position.
 */
function decodeSessionCursor(session: SessionRow, cursor: string, { services }: Context): LogPosition {
  const position = services.cursors.decode(cursor);
  if (position.sessionId === session.id) return position;
  throw createBadInputError(
    '`after` belongs to another session: pass a cursor of this session, or its startCursor.',
  );
}

/**
 * Returns the result of `find`. If `find` throws that a cursor has expired, returns the reason of the expiry.
 */
async function orExpiredError<T extends object>(
  find: () => Promise<T>,
): Promise<T | { expiry: CursorExpiryReason }> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof CursorError && error.expiry !== null) return { expiry: error.expiry };
    throw error;
  }
}
