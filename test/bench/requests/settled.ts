import type { BenchDatabase } from '../database/database.ts';

const LOOK_EVERY_MS = 20;
const TIMEOUT_MS = 300_000;

/**
 * Waits until the outbox (transitions without a feed position) is empty: otherwise the gateway's work on it would
 * disturb the measurement of the next server.
 */
export const untilNumbered = (database: BenchDatabase): Promise<void> =>
  untilEmpty(database, 'select from transition_outbox limit 1');

/** Waits until the gateway has applied all stored webhooks. */
export async function untilRecorded(database: BenchDatabase): Promise<void> {
  await untilEmpty(database, `select from webhook_inbox where state = 'PENDING' limit 1`);
  await untilNumbered(database);
}

async function untilEmpty({ pool }: BenchDatabase, query: string): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; ; ) {
    if ((await pool.query(query)).rowCount === 0) return;
    if (Date.now() > deadline) throw new Error(`Deferred work did not finish in time: ${query}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
