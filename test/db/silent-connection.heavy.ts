import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { QueryTimeoutError } from '../../src/db/connection/timeout-client.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

test('on a database connection that no longer delivers packets, queries and transactions fail within 25 s, and the pool then opens another connection', {
  timeout: 60_000,
}, async () => {
  const wire = await startTcpProxy(await freshDatabase());
  const { db, pool, close } = createDatabasePools(wire.url, 4, () => {});
  atTheEnd(close);
  // Opens two connections: one for the query, one for the transaction.
  await Promise.all([pool.query('select pg_sleep(0.1)'), pool.query('select pg_sleep(0.1)')]);
  expect(pool.totalCount).toBe(2);
  wire.freeze();
  const begun = performance.now();

  const [question, transaction] = await Promise.allSettled([
    pool.query('select 1'),
    db.transaction(async (tx) => tx.$client.query('select 1')),
  ]);

  expect(performance.now() - begun).toBeLessThan(25_000);
  expect(question).toMatchObject({ status: 'rejected', reason: expect.any(QueryTimeoutError) });
  expect(transaction).toMatchObject({ status: 'rejected', reason: expect.any(QueryTimeoutError) });
  wire.mend();
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});
