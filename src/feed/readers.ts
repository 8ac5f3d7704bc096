import DataLoader from 'dataloader';
import { findArchived } from '../db/archiving.ts';
import type { Database } from '../db/client.ts';
import { feedFrom, findPlaced, newestInFeed, type PlacedTransition } from '../db/feed.ts';
import type { SessionRow } from '../db/sessions.ts';
import { type LogRange, logRanges, type RangeShape } from '../db/transitions.ts';
import type { CursorExpiry } from './cursor.ts';
import type { Entry, NumberedLog } from './tail.ts';

const BEYOND_ANY_SEQUENCE = 2_147_483_647;

type WatchedSession = Pick<SessionRow, 'id' | 'verificationId'>;

/** Queries for the followed logs. Reads requested in the same tick share one statement. */
export interface LogReaders {
  /** Feed: all transitions, ordered by position. */
  readonly feed: NumberedLog;
  /** Returns one session's log: its transitions, ordered by sequence. */
  session(session: WatchedSession): NumberedLog;
  /** Returns why a session's log lacks a transition that it had. */
  explainLoss(sessionId: string): Promise<CursorExpiry>;
  /** Finds a transition and its feed position; null if the log does not have it. */
  findPlaced(transition: { sessionId: string; sequence: number }): Promise<PlacedTransition | null>;
}

/** Creates the queries. DataLoaders batch them but cache nothing: each read sees the current state of the database. */
export function createLogReaders(db: Database): LogReaders {
  const options = { cache: false, maxBatchSize: 500 };
  const pages = (end: RangeShape['end']) =>
    new DataLoader(async (wanted: readonly (LogRange & { limit: number })[]) => {
      const limit = Math.max(...wanted.map((each) => each.limit));
      return logRanges(db, wanted, { limit, end, extent: 'ALL' });
    }, options);
  const [first, last] = [pages('FIRST'), pages('LAST')];
  const placed = new DataLoader(
    (places: readonly { sessionId: string; sequence: number }[]) => findPlaced(db, places),
    options,
  );

  const explainLoss = async (sessionId: string): Promise<CursorExpiry> =>
    (await findArchived(db, sessionId)) ? 'ARCHIVED' : 'LOG_REWOUND';

  return {
    feed: {
      readFrom: (position, limit) => feedFrom(db, position, limit),
      readNewest: (limit) => newestInFeed(db, limit),
      // Retention never archives the newest feed entry, so a feed that lacks it was rewound.
      explainLoss: async () => 'LOG_REWOUND',
    },
    session: ({ id, verificationId }) => {
      const range = { sessionId: id, before: BEYOND_ANY_SEQUENCE };
      const entriesOf = (rows: Awaited<ReturnType<typeof first.load>>): Entry[] =>
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
