import DataLoader from 'dataloader';
import type { Database } from '../db/client.ts';
import { positionsOf } from '../db/feed.ts';
import type { SessionRow } from '../db/sessions.ts';
import { type LogRange, logRanges } from '../db/transitions.ts';
import type { LogPlace } from './cursor.ts';
import type { Entry } from './tail.ts';

const BEYOND_ANY_SEQUENCE = 2_147_483_647;

type WatchedSession = Pick<SessionRow, 'id' | 'verificationId'>;

/** Reads that many make at the same time, in one statement for all of them. */
export interface LogReaders {
  /** One session's log after a sequence. */
  session(session: WatchedSession, after: number, limit: number): Promise<Entry[]>;
  /** Where a transition stands in the feed: UNNUMBERED before it gets its position, UNKNOWN where there is none. */
  position(transition: LogPlace): Promise<number | 'UNNUMBERED' | 'UNKNOWN'>;
}

/** Nothing is kept: each read is of the moment. */
export function createLogReaders(db: Database): LogReaders {
  const options = { cache: false, maxBatchSize: 500 };
  const pages = new DataLoader(async (wanted: readonly (LogRange & { limit: number })[]) => {
    const limit = Math.max(...wanted.map((each) => each.limit));
    return logRanges(db, wanted, { limit, end: 'FIRST', extent: 'ALL' });
  }, options);
  const positions = new DataLoader((places: readonly LogPlace[]) => positionsOf(db, places), options);

  return {
    async session({ id, verificationId }, after, limit) {
      const rows = await pages.load({ sessionId: id, after, before: BEYOND_ANY_SEQUENCE, limit });
      return rows.slice(0, limit).map((row) => ({ ...row, verificationId, number: row.sequence }));
    },
    position: (transition) => positions.load(transition),
  };
}
