import DataLoader from 'dataloader';
import type { Database } from '../db/client.ts';
import { meetingsOfSessions } from '../db/meetings.ts';
import { reviewsOfSessions } from '../db/reviews.ts';
import { findReplacements, findSessions, findSessionsByVerificationId } from '../db/sessions.ts';
import { type LogRange, logRanges, type TransitionRow } from '../db/transitions.ts';
import { findUsers } from '../db/users.ts';

/** A page of one session's log; `limit` and `end` are the same for all sessions of a query's page. */
export interface TransitionPage extends LogRange {
  readonly limit: number;
  readonly end: 'FIRST' | 'LAST';
}

/** One statement for all that the resolvers of one answer ask for, whatever the page size. */
export const createLoaders = (db: Database) => ({
  session: new DataLoader(async (ids: readonly string[]) =>
    inOrder(ids, await findSessions(db, ids), (row) => row.id),
  ),
  sessionByVerificationId: new DataLoader(async (ids: readonly string[]) =>
    inOrder(ids, await findSessionsByVerificationId(db, ids), (row) => row.verificationId),
  ),
  /** By the id of the session that was replaced. */
  replacement: new DataLoader(async (ids: readonly string[]) =>
    inOrder(ids, await findReplacements(db, ids), (row) => row.replacesId ?? ''),
  ),
  user: new DataLoader(async (ids: readonly string[]) =>
    inOrder(ids, await findUsers(db, ids), (row) => row.id),
  ),
  meetings: new DataLoader(async (ids: readonly string[]) =>
    grouped(ids, await meetingsOfSessions(db, ids), (row) => row.sessionId),
  ),
  reviews: new DataLoader(async (ids: readonly string[]) =>
    grouped(ids, await reviewsOfSessions(db, ids), (row) => row.sessionId),
  ),
  transitionPage: new DataLoader((pages: readonly TransitionPage[]) => loadPages(db, pages), {
    cacheKeyFn: (page) => `${page.sessionId} ${page.after} ${page.before} ${page.limit} ${page.end}`,
  }),
});

export type Loaders = ReturnType<typeof createLoaders>;

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

/** A document that pages the same field in two ways takes two statements, never one for each session. */
async function loadPages(db: Database, pages: readonly TransitionPage[]): Promise<TransitionRow[][]> {
  const shapes = new Map<string, TransitionPage[]>();
  for (const page of pages) {
    const shape = `${page.limit} ${page.end}`;
    shapes.set(shape, [...(shapes.get(shape) ?? []), page]);
  }
  const found = new Map<TransitionPage, TransitionRow[]>();
  await Promise.all(
    [...shapes.values()].map(async (group) => {
      const [{ limit, end }] = group as [TransitionPage];
      const rows = await logRanges(db, group, limit, end);
      for (const [index, page] of group.entries()) found.set(page, rows[index] ?? []);
    }),
  );
  return pages.map((page) => found.get(page) ?? []);
}
