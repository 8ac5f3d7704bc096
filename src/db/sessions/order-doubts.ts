import { eq } from 'drizzle-orm';
import type { DoubtfulPollAnswer } from '../../domain/session.ts';
import type { Transaction } from '../connection/client.ts';
import { doubts } from '../schema/tables.ts';

/**
 * Returns the session's doubted answer: a poll answer that may be outdated and counts only if the next poll
 * confirms it. Null if there is none.
 */
export async function findDoubtfulPollAnswer(
  tx: Transaction,
  sessionId: string,
): Promise<DoubtfulPollAnswer | null> {
  const [row] = await tx.select().from(doubts).where(eq(doubts.sessionId, sessionId));
  return row ?? null;
}

/**
 * Stores a session's doubted answer (one that a second poll must confirm), replacing an earlier one. The
 * session row must be locked.
 */
export async function saveDoubtfulPollAnswer(
  tx: Transaction,
  sessionId: string,
  doubt: DoubtfulPollAnswer,
): Promise<void> {
  const { rawStatus, rawSubStatus, since, webhooks } = doubt;
  const row = { rawStatus, rawSubStatus, since, webhooks };
  await tx
    .insert(doubts)
    .values({ sessionId, ...row })
    .onConflictDoUpdate({ target: doubts.sessionId, set: row });
}

export async function deleteDoubtfulPollAnswer(tx: Transaction, sessionId: string): Promise<void> {
  await tx.delete(doubts).where(eq(doubts.sessionId, sessionId));
}
