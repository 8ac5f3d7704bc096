import type { Database } from '../../db/connection/client.ts';
import { unlockAllJobs } from '../../db/polling/jobs.ts';
import { scheduleLookupsOfOpenStarts } from '../../db/polling/lookups.ts';
import { markUnsentStartsAsSent } from '../../db/sessions/intents.ts';
import { schedulePollsOfOpenSessions } from '../../db/sessions/sessions.ts';
import { LOOKUP_GIVE_UP_MS } from './reconciler.ts';

const MINUTE_MS = 60_000;

/** Numbers of sessions and starts for which polls of the provider were planned. */
export interface PlannedPollCounts {
  /** Number of sessions that have not ended. */
  readonly sessions: number;
  /** Number of open starts without a session. */
  readonly starts: number;
}

/**
 * Plans polls for everything that the database may have lost: all sessions that have not ended, the most
 * recently changed first, and all open starts, the newest first. Must be called after a failover or a restore
 * that lost transactions. Spreads the polls over time at the rate of the call budget, so that regular polls
 * still get their share. Idempotent: a poll that is already planned is kept.
 *
 * @param pollsPerMinute polls' share of the call budget
 */
export async function planPollsAfterDataLoss(
  db: Database,
  now: Date,
  pollsPerMinute: number,
): Promise<PlannedPollCounts> {
  const everyMs = MINUTE_MS / pollsPerMinute;
  // A worker may have finished a job whose completion the database lost. Such a job would otherwise stay locked
  // until the job queue counts it as abandoned.
  await unlockAllJobs(db);
  const sessions = await schedulePollsOfOpenSessions(db, now, everyMs);
  const starts = await db.transaction(async (tx) => {
    // The reconciler gives up a look-up after LOOKUP_GIVE_UP_MS. For an older start, the look-up counts as begun
    // exactly that long ago, so that the provider is asked about the start once.
    const oldestSince = new Date(now.getTime() - LOOKUP_GIVE_UP_MS);
    // Locks look-ups before intents, in the lock order of `startSession` (no deadlock).
    const planned = await scheduleLookupsOfOpenStarts(tx, now, everyMs, oldestSince);
    await markUnsentStartsAsSent(tx);
    return planned;
  });
  return { sessions, starts };
}
