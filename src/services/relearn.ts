import type { Database } from '../db/client.ts';
import { suspectSends } from '../db/intents.ts';
import { releaseJobs } from '../db/jobs.ts';
import { planLookupsOfOpenStarts } from '../db/lookups.ts';
import { planPollsOfOpenSessions } from '../db/sessions.ts';
import { GIVE_UP_MS } from './reconcile.ts';

const MINUTE_MS = 60_000;

/** How much the provider is asked about. */
export interface Relearning {
  /** Sessions that are not terminal. */
  readonly sessions: number;
  /** Starts that are open and have no session. */
  readonly starts: number;
}

/**
 * Plans to ask the provider about everything that the database may have forgotten: all sessions that are not terminal,
 * the most recently changed first, and all open starts, the newest first. Call it after a failover or a restore that
 * lost transactions. One of each is due per share of the budget, so that regular polls keep their turns. Idempotent:
 * what is planned earlier stays.
 *
 * @param pollsPerMinute the part of the call budget that polls may use
 */
export async function planRelearning(db: Database, now: Date, pollsPerMinute: number): Promise<Relearning> {
  const everyMs = MINUTE_MS / pollsPerMinute;
  // Whoever held one may have finished it, which the database has forgotten: it would wait until it counts as abandoned.
  await releaseJobs(db);
  const sessions = await planPollsOfOpenSessions(db, now, everyMs);
  const starts = await db.transaction(async (tx) => {
    // The provider is asked once about a start that is older than the reconciler looks for any.
    const oldestSince = new Date(now.getTime() - GIVE_UP_MS);
    // The look-ups before the intents: a start locks them in this order too.
    const planned = await planLookupsOfOpenStarts(tx, now, everyMs, oldestSince);
    await suspectSends(tx);
    return planned;
  });
  return { sessions, starts };
}
