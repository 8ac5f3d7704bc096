import DataLoader from 'dataloader';
import type { Database } from '../db/connection/client.ts';
import { findArchivedSessionRow } from '../db/retention/archive.ts';
import {
  findPositionedTransitions,
  type PositionedTransition,
  readFeedFrom,
  readNewestFeedEntries,
} from '../db/sessions/feed.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import {
  readTransitionRanges,
  type TransitionRange,
  type TransitionRangeOptions,
} from '../db/sessions/transitions.ts';
import type { CursorExpiryReason } from './cursor.ts';
import type { FollowableLog, LogTailEntry } from './log-tail.ts';

const BEYOND_ANY_SEQUENCE = 2_147_483_647;

type WatchedSession = Pick<SessionRow, 'id' | 'verificationId'>;

/**
 * Queries for the followed logs (the feed, and sessions' logs). Reads of different sessions' logs in the same
 * tick are batched into one statement.
 */
export interface LogQueries {
  /** Feed: all transitions, ordered by position. */
  readonly feed: FollowableLog;
  /** Returns one session's log: its transitions, ordered by sequence. */
  session(session: WatchedSession): FollowableLog;
  /** Returns why a session's log has lost a transition: archived by retention, or rewound by a failover. */
  explainLoss(sessionId: string): Promise<CursorExpiryReason>;
  /** Finds a transition and its feed position; null if the log does not have the transition. */
  findPlaced(transition: { sessionId: string; sequence: number }): Promise<PositionedTransition | null>;
}

/**
 * Creates the queries. DataLoaders batch the reads but do not cache, so that each read sees the current state
 * of the database.
 */
export function createLogQueries(db: Database): LogQueries {
  const options = { cache: false, maxBatchSize: 500 };
  const pages = (end: TransitionRangeOptions['end']) =>
    new DataLoader(async (wanted: readonly (TransitionRange & { limit: number })[]) => {
      const limit = Math.max(...wanted.map((each) => each.limit));
      return readTransitionRanges(db, wanted, { limit, end, detail: 'ALL' });
    }, options);
  const [first, last] = [pages('FIRST'), pages('LAST')];
  const placed = new DataLoader(
    (places: readonly { sessionId: string; sequence: number }[]) => findPositionedTransitions(db, places),
    options,
  );

  const explainLoss = async (sessionId: string): Promise<CursorExpiryReason> =>
    (await findArchivedSessionRow(db, sessionId)) ? 'ARCHIVED' : 'LOG_REWOUND';

  return {
    feed: {
      readFrom: (position, limit) => readFeedFrom(db, position, limit),
      readNewest: (limit) => readNewestFeedEntries(db, limit),
      // Retention never archives the newest feed entry, so if the newest known entry is missing, the feed was
      // rewound by a failover.
      explainLoss: async () => 'LOG_REWOUND',
    },
    session: ({ id, verificationId }) => {
      const range = { sessionId: id, before: BEYOND_ANY_SEQUENCE };
      const entriesOf = (rows: Awaited<ReturnType<typeof first.load>>): LogTailEntry[] =>
        rows.map((row) => ({ ...row, verificationId, number: row.sequence, position: null }));
      return {
        async readFrom(sequence, limit) {
          const rows = await first.load({ ...range, after: sequence - 1, limit });
          return entriesOf(rows.slice(0, limit));
        },
        async readNewest(limit) {
          const rows = await last.load({ ...range, after: 0, limit });
          return entriesOf(rows.slice(-limit));
        },
        explainLoss: () => explainLoss(id),
      };
    },
    explainLoss,
    findPlaced: (transition) => placed.load(transition),
  };
}
