import DataLoader from 'dataloader';
import type { Database } from '../db/connection/client.ts';
import { readDeliveriesOfSessions } from '../db/outgoing/delivery-pages.ts';
import {
  countNotesOfSessions,
  findAnnotationsById,
  findAssignmentsOfSessions,
  findClosuresAndDisputeResolutionsOfSessions,
  findEscalationsOfSessions,
  findMeetingReasonsOfSessions,
  type NotesPageRequest,
  readNotePages,
} from '../db/sessions/annotations.ts';
import { findSessionsWithCall } from '../db/sessions/calls.ts';
import { findPositionedTransitions } from '../db/sessions/feed.ts';
import { findLabelsOfSessions } from '../db/sessions/labels.ts';
import { findMeetingsById, findMeetingsOfSessions } from '../db/sessions/meetings.ts';
import {
  countNotificationsOfSessions,
  findNotificationsById,
  type NotificationsPageRequest,
  readNotificationPages,
} from '../db/sessions/notifications.ts';
import { findCallersOfReplacements } from '../db/sessions/replacers.ts';
import { findReviewsById, findReviewsOfSessions } from '../db/sessions/reviews.ts';
import {
  findReplacementSessions,
  findSessionsById,
  findSessionsByVerificationId,
  findSessionsProjected,
  readSessionsOfUsers,
  type SessionProjection,
  type UserSessionsRequest,
} from '../db/sessions/sessions.ts';
import {
  findNewestDisputingTransitions,
  readTransitionRanges,
  type TransitionRange,
  type TransitionRangeOptions,
} from '../db/sessions/transitions.ts';
import { findUnreviewedCalls } from '../db/sessions/unreviewed-calls.ts';
import { findUsersById, findUsersByProviderUserId } from '../db/sessions/users.ts';

/**
 * One session's page of transitions. `TransitionRangeOptions` (size, end, columns) is the same for all sessions of a
 * list, so that one statement reads the pages of all of them.
 */
export type TransitionPageRequest = TransitionRange & TransitionRangeOptions;

/**
 * Maximum number of transitions that one statement reads for the pages of several sessions. Most clients ask
 * for fewer transitions, so that one statement is enough.
 */
const MAX_ROWS_A_STATEMENT = 1_000;

interface WantedSession extends SessionProjection {
  readonly id: string;
}

/**
 * Page of one user's sessions. `verificationIds` limits the page to the sessions that the viewer may see;
 * null means all.
 */
export interface UserSessionsPageRequest extends UserSessionsRequest {
  readonly limit: number;
  readonly verificationIds: readonly string[] | null;
}

/**
 * Functions that create the DataLoaders. A loader batches what the resolvers of one answer ask for, so that
 * the number of statements does not grow with the page (no N+1 queries).
 */
const LOADERS = {
  session: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findSessionsById(db, ids), (row) => row.id),
    ),
  /** Reads only the columns of a session that the selected fields need. */
  listedSession: (db: Database) =>
    new DataLoader(
      async (wanted: readonly WantedSession[]) => {
        const found = await loadByShape(
          wanted,
          ({ detail, withUser }) => `${detail} ${withUser}`,
          async (group, shape) => {
            const ids = group.map(({ id }) => id);
            return grouped(ids, await findSessionsProjected(db, ids, shape), (row) => row.id);
          },
        );
        return found.map(([row]) => row ?? null);
      },
      { cacheKeyFn: ({ id, detail, withUser }) => `${id} ${detail} ${withUser}` },
    ),
  sessionByVerificationId: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findSessionsByVerificationId(db, ids), (row) => row.verificationId),
    ),
  /** Loads the later session that replaces a session, by the id of the replaced session. */
  replacement: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findReplacementSessions(db, ids), (row) => row.replacesId ?? ''),
    ),
  user: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findUsersById(db, ids), (row) => row.id),
    ),
  /** Loads a user by the provider's user id. */
  userByProviderUserId: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findUsersByProviderUserId(db, ids), (row) => row.userId),
    ),
  meeting: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findMeetingsById(db, ids), (row) => row.id),
    ),
  review: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findReviewsById(db, ids), (row) => row.id),
    ),
  meetings: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findMeetingsOfSessions(db, ids), (row) => row.sessionId),
    ),
  reviews: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findReviewsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Finds how the newest call of a session ended if no agent has reviewed it, by the session's id. */
  unreviewedCall: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findUnreviewedCalls(db, ids), (row) => row.sessionId),
    ),
  /** Finds out whether a call took place in a session, by the session's id. */
  call: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findSessionsWithCall(db, ids), (row) => row.sessionId),
    ),
  /** Finds who replaced a session, by the session's id. */
  replacer: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findCallersOfReplacements(db, ids), (row) => row.sessionId),
    ),
  /** Finds the newest transition that contradicted a session's decision, by the session's id. */
  dispute: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findNewestDisputingTransitions(db, ids), (row) => row.sessionId),
    ),
  annotation: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findAnnotationsById(db, ids), (row) => row.id),
    ),
  /** Loads a page of a session's notes, newest first. */
  notes: (db: Database) =>
    new DataLoader(
      (pages: readonly (NotesPageRequest & { readonly limit: number })[]) =>
        loadByShape(
          pages,
          ({ limit }) => `${limit}`,
          (group, { limit }) =>
            loadInParts(group, Math.ceil(MAX_ROWS_A_STATEMENT / limit), (part) =>
              readNotePages(db, part, limit),
            ),
        ),
      { cacheKeyFn: ({ sessionId, before, limit }) => `${sessionId} ${before} ${limit}` },
    ),
  /** Counts the notes of a session. */
  noteCount: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) => {
      const counts = new Map(
        (await countNotesOfSessions(db, ids)).map(({ sessionId, count }) => [sessionId, count]),
      );
      return ids.map((id) => counts.get(id) ?? 0);
    }),
  notification: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findNotificationsById(db, ids), (row) => row.id),
    ),
  /** Loads a page of a session's notifications, newest first. */
  notifications: (db: Database) =>
    new DataLoader(
      (pages: readonly (NotificationsPageRequest & { readonly limit: number })[]) =>
        loadByShape(
          pages,
          ({ limit }) => `${limit}`,
          (group, { limit }) =>
            loadInParts(group, Math.ceil(MAX_ROWS_A_STATEMENT / limit), (part) =>
              readNotificationPages(db, part, limit),
            ),
        ),
      { cacheKeyFn: ({ sessionId, before, limit }) => `${sessionId} ${before} ${limit}` },
    ),
  /** Counts the notifications of a session. */
  notificationCount: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) => {
      const counts = new Map(
        (await countNotificationsOfSessions(db, ids)).map(({ sessionId, count }) => [sessionId, count]),
      );
      return ids.map((id) => counts.get(id) ?? 0);
    }),
  /** Loads the escalations of a session and their resolutions, in the order of their transitions. */
  escalations: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findEscalationsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Loads why the meetings of a session were booked. */
  meetingReasons: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findMeetingReasonsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Loads the closures and the decisions of disputes of a session, without its notes. */
  decisions: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findClosuresAndDisputeResolutionsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Loads the assignments of a session and their ends, without its other annotations. */
  assignments: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      grouped(ids, await findAssignmentsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Loads the metadata and tags of a session, by the session's id. */
  labels: (db: Database) =>
    new DataLoader(async (ids: readonly string[]) =>
      inOrder(ids, await findLabelsOfSessions(db, ids), (row) => row.sessionId),
    ),
  /** Loads a page of the deliveries of merchant webhooks about a session, newest first. */
  webhookDeliveries: (db: Database) =>
    new DataLoader(
      (pages: readonly { readonly sessionId: string; readonly before: bigint; readonly limit: number }[]) =>
        loadByShape(
          pages,
          ({ before, limit }) => `${before} ${limit}`,
          (group, { before, limit }) =>
            loadInParts(group, Math.ceil(MAX_ROWS_A_STATEMENT / limit), async (part) => {
              const ids = part.map(({ sessionId }) => sessionId);
              const rows = await readDeliveriesOfSessions(db, ids, before, limit);
              return grouped(ids, rows, (row) => row.sessionId);
            }),
        ),
      { cacheKeyFn: ({ sessionId, before, limit }) => `${sessionId} ${before} ${limit}` },
    ),
  userSessions: (db: Database) =>
    new DataLoader(
      (pages: readonly UserSessionsPageRequest[]) =>
        loadByShape(
          pages,
          ({ limit, verificationIds }) => `${limit} ${JSON.stringify(verificationIds)}`,
          (group, shape) => readSessionsOfUsers(db, group, shape),
        ),
      {
        cacheKeyFn: ({ userId, limit, verificationIds, after }) =>
          `${userId} ${limit} ${JSON.stringify(verificationIds)} ${after?.at.getTime()} ${after?.id}`,
      },
    ),
  /**
   * Loads the position of a transition by its session and sequence, without the transition's other columns.
   */
  transition: (db: Database) =>
    new DataLoader(
      (places: readonly { sessionId: string; sequence: number }[]) => findPositionedTransitions(db, places),
      {
        cacheKeyFn: ({ sessionId, sequence }) => `${sessionId} ${sequence}`,
      },
    ),
  transitionPage: (db: Database) =>
    new DataLoader(
      (pages: readonly TransitionPageRequest[]) =>
        loadByShape(
          pages,
          (page) => `${page.limit} ${page.end} ${page.detail}`,
          (group, shape) =>
            loadInParts(group, Math.ceil(MAX_ROWS_A_STATEMENT / shape.limit), (part) =>
              readTransitionRanges(db, part, shape),
            ),
        ),
      {
        cacheKeyFn: (page) =>
          `${page.sessionId} ${page.after} ${page.before} ${page.limit} ${page.end} ${page.detail}`,
      },
    ),
};

type Makers = typeof LOADERS;
export type Loaders = { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> };

/**
 * Creates the DataLoaders of one answer. Each loader is created when it is first used, because most answers
 * use only one or two of them.
 */
export const createLoaders = (db: Database): Loaders => new LazyLoaders(db) as unknown as Loaders;

const DATABASE = Symbol('database');

class LazyLoaders {
  readonly [DATABASE]: Database;

  constructor(db: Database) {
    this[DATABASE] = db;
  }
}
for (const [name, make] of Object.entries(LOADERS))
  Object.defineProperty(LazyLoaders.prototype, name, {
    get(this: LazyLoaders) {
      const value = make(this[DATABASE]);
      Object.defineProperty(this, name, { value, enumerable: true });
      return value;
    },
  });

function inOrder<Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key) ?? null);
}

function grouped<Row>(keys: readonly string[], rows: readonly Row[], keyOf: (row: Row) => string): Row[][] {
  const groups = new Map<string, Row[]>(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(keyOf(row))?.push(row);
  return keys.map((key) => groups.get(key) ?? []);
}

/**
 * Reads the pages in several statements, one after another: 10,000 rows that arrive at once would block the
 * event loop for 30 ms.
 */
async function loadInParts<Page, Row>(
  pages: readonly Page[],
  size: number,
  load: (part: readonly Page[]) => Promise<Row[][]>,
): Promise<Row[][]> {
  const found: Row[][] = [];
  for (let from = 0; from < pages.length; from += size)
    found.push(...(await load(pages.slice(from, from + size))));
  return found;
}

/**
 * Groups pages by shape (size, end, columns) and reads each group with one statement. A document that asks
 * for one connection in two shapes thus takes two statements, not one for each parent (N+1).
 */
async function loadByShape<Page, Row>(
  pages: readonly Page[],
  shapeOf: (page: Page) => string,
  load: (group: readonly Page[], shape: Page) => Promise<Row[][]>,
): Promise<Row[][]> {
  const shapes = new Map<string, Page[]>();
  for (const page of pages) {
    const group = shapes.get(shapeOf(page));
    if (group) group.push(page);
    else shapes.set(shapeOf(page), [page]);
  }
  const found = new Map<Page, Row[]>();
  await Promise.all(
    [...shapes.values()].map(async (group) => {
      const rows = await load(group, group[0] as Page);
      for (const [index, page] of group.entries()) found.set(page, rows[index] ?? []);
    }),
  );
  return pages.map((page) => found.get(page) ?? []);
}
