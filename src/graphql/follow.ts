/** What each subscription follows, from where, and what becomes of one that cannot go on from there. */
import { findArchived } from '../db/archiving.ts';
import { findSessions, type SessionRow } from '../db/sessions.ts';
import type { LogRow } from '../db/transitions.ts';
import { maySee } from '../domain/access.ts';
import type { Status, SubStatus } from '../domain/status.ts';
import { CursorError, type LogPlace } from '../feed/cursor.ts';
import { encodeOnce } from '../feed/frame-json.ts';
import type { Lifetime } from '../feed/lifetime.ts';
import type { Anew, Subscriber } from '../feed/stream.ts';
import { badInput } from './connection.ts';
import type { Context } from './context.ts';
import { keyOf } from './node.ts';
import { refuseStrayPairs } from './status.ts';

/** Beyond this, to query again is quicker than to be told everything. */
const LARGEST_GAP = 10_000;

export interface Wanted {
  readonly status?: readonly Status[] | null | undefined;
  readonly subStatus?: readonly SubStatus[] | null | undefined;
  readonly appliedOnly?: boolean | null | undefined;
}

type Cursor = string | null | undefined;

/** Every transition of all sessions, whatever it takes: after a cursor, or from now on. */
export async function followAll(after: Cursor, filter: Wanted | null | undefined, context: Context) {
  const { hub, cursors } = context.services;
  const subscriber = { ...subscriberOf(context, after, filter), heartbeats: false, startAnew: null };
  const from = after == null ? await hub.newest() : await hub.positionOf(cursors.decode(after));
  return hub.followAll(from, subscriber);
}

/** Every transition of one session, whatever it takes: after a cursor, or from now on. */
export async function followSession(
  sessionId: string,
  after: Cursor,
  filter: Wanted | null | undefined,
  context: Context,
): Promise<Lifetime> {
  const session = await visibleSession(sessionId, context, after);
  const from = after == null ? session.lastSequence : sequenceOf(after, session, context);
  const subscriber = { ...subscriberOf(context, after, filter), heartbeats: false, startAnew: null };
  return context.services.hub.followSession(session, from, subscriber);
}

/** One session for a live screen, which is given a snapshot where it has none, or what it has is too old. */
export async function followSessionLive(
  sessionId: string,
  after: Cursor,
  context: Context,
): Promise<Lifetime> {
  const session = await visibleSession(sessionId, context, after);
  const subscriber = {
    ...subscriberOf(context, after, null),
    heartbeats: true,
    startAnew: async () => snapshotOf(await readSession(session.id, context), true),
  };
  const from = after == null ? null : unlessExpired(() => sequenceOf(after, session, context));
  const { hub } = context.services;
  if (typeof from === 'number') return hub.followSession(session, from, subscriber);
  return hub.followSession(
    session,
    session.lastSequence,
    subscriber,
    snapshotOf(session, from === 'EXPIRED'),
  );
}

/** All sessions for a live floor, which is reset where it cannot go on, or only after very much. */
export async function followFeed(after: Cursor, filter: Wanted | null | undefined, context: Context) {
  const { hub, cursors } = context.services;
  const reset = async (): Promise<Anew> => {
    const newest = await hub.newest();
    return { ...newest, frame: { kind: 'RESET', at: newest.at } };
  };
  const subscriber = { ...subscriberOf(context, after, filter), heartbeats: true, startAnew: reset };
  const newest = await hub.newest();
  if (after == null) return hub.followAll(newest, subscriber);
  const from = await unlessExpired(async () => hub.positionOf(cursors.decode(after)));
  if (from !== 'EXPIRED' && newest.number - from.number <= LARGEST_GAP)
    return hub.followAll(from, subscriber);
  return hub.followAll(newest, subscriber, await reset());
}

/** Rights are those of the moment; which of its transitions somebody may see is looked at with each. */
function subscriberOf(
  { connection, viewer, cursors }: Context,
  after: Cursor,
  filter: Wanted | null | undefined,
): Pick<Subscriber, 'sink' | 'selection' | 'viewer' | 'after' | 'cursorOf' | 'wants'> {
  refuseStrayPairs(filter?.status, filter?.subStatus);
  if (!connection) throw new Error('A subscription was begun without a connection for its frames');
  return {
    ...connection,
    viewer,
    after: after ?? null,
    cursorOf: (place) => encodeOnce(cursors, place),
    wants: (transition) => maySee(viewer, transition.verificationId) && passes(transition, filter),
  };
}

function passes(row: LogRow, filter: Wanted | null | undefined): boolean {
  if (filter?.status && !filter.status.includes(row.status)) return false;
  if (filter?.subStatus && !filter.subStatus.includes(row.subStatus)) return false;
  return !filter?.appliedOnly || row.verdict === 'MOVED';
}

/** Who comes back to a session that was archived is told so, if it was theirs to see. */
async function visibleSession(id: string, context: Context, after: Cursor): Promise<SessionRow> {
  const { loaders, viewer, services } = context;
  const key = keyOf('VkycSession', id);
  const session = await loaders.session.load(key);
  if (session && maySee(viewer, session.verificationId)) return session;
  // Looked for in either case: else it took longer to find nothing than to find somebody else's.
  const archived = after == null ? null : await findArchived(services.db, key);
  const named = after != null && archived !== null && maySee(viewer, archived.verificationId);
  if (named && services.cursors.decode(after).sessionId === key)
    throw new CursorError(
      'EXPIRED',
      'The session ended long ago and was archived: its log is no longer here.',
    );
  throw badInput('There is no such session, or it is not yours to see.');
}

async function readSession(id: string, { services }: Context): Promise<SessionRow> {
  const [session] = await findSessions(services.db, [id]);
  if (!session) throw new Error('A session that was followed is gone');
  return session;
}

function snapshotOf(session: SessionRow, resync: boolean): Anew {
  const at: LogPlace = { sessionId: session.id, sequence: session.lastSequence };
  return { frame: { kind: 'SNAPSHOT', session, resync }, at, number: at.sequence };
}

/** The sequence that a cursor names. Throws where it is of another session, or of a log that is no more. */
function sequenceOf(cursor: string, session: SessionRow, { services }: Context): number {
  const place = services.cursors.decode(cursor);
  if (place.sessionId !== session.id)
    throw badInput('`after` is a cursor of another session; give one of this session, or its startCursor.');
  if (place.sequence <= session.lastSequence) return place.sequence;
  throw new CursorError(
    'EXPIRED',
    'The log is shorter than this cursor says: query again and go on from there.',
  );
}

const isExpired = (error: unknown): boolean => error instanceof CursorError && error.kind === 'EXPIRED';

function unlessExpired<T>(find: () => Promise<T>): Promise<T | 'EXPIRED'>;
function unlessExpired<T>(find: () => T): T | 'EXPIRED';
function unlessExpired<T>(find: () => T | Promise<T>): T | 'EXPIRED' | Promise<T | 'EXPIRED'> {
  const orElse = (error: unknown): 'EXPIRED' => {
    if (isExpired(error)) return 'EXPIRED';
    throw error;
  };
  try {
    const found = find();
    return found instanceof Promise ? found.catch(orElse) : found;
  } catch (error) {
    return orElse(error);
  }
}
