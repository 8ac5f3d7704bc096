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

/** Reads the logs that are followed. Reads that are asked for in the same tick share a statement. */
export interface LogReaders {
  /** The feed: every transition in the order of positions. */
  readonly feed: NumberedLog;
  /** One session's log: its transitions in the order of sequences. */
  session(session: WatchedSession): NumberedLog;
  /** Finds out why a session's log does not have a transition that it had. */
  explainLoss(sessionId: string): Promise<CursorExpiry>;
  /** Finds a transition and its position in the feed; null if the log does not have it. */
  findPlaced(transition: { sessionId: string; sequence: number }): Promise<PlacedTransition | null>;
}

/** Creates readers that cache nothing: each read sees the database at that moment. */
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
      // Retention leaves the newest transition in the feed.
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
