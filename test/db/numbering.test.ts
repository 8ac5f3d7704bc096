import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { assignFeedPositions } from '../../src/db/sessions/feed.ts';
import { atTheEnd, eventually, freshDatabase } from '../harness/gateway.ts';
import { createSessions, record } from '../harness/log-writer.ts';
import { onStatement } from '../harness/statements.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

test('if the database connection is lost during a call of assignFeedPositions, the call rejects, and a later call assigns the feed positions', async () => {
  const url = await freshDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const wire = await startTcpProxy(url);
  const { db, pools, close } = createDatabasePools(wire.url, 2, () => {});
  atTheEnd(async () => {
    await close();
    await pool.end();
  });
  const [session = ''] = await createSessions(pool, 1);
  await record(pool, session);
  const stop = onStatement(({ text }) => {
    if (text.includes('pg_try_advisory_xact_lock')) wire.cut();
  });
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  atTheEnd(async () => void process.off('unhandledRejection', note));

  await expect(assignFeedPositions(db, 10)).rejects.toThrow();
  await turn();
  expect(unhandled).toEqual([]);

  stop();
  // Waits until the pool has noticed that the cut also ended its idle connections.
  await eventually(async () => pools.reads.totalCount === 0);
  wire.mend();
  expect(await assignFeedPositions(db, 10)).toMatchObject([{ sessionId: session, sequence: 1, number: 1 }]);
});
