/** Tests that statistics queries have their own connections, timeouts and cancellation. */
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { createDatabasePools, type DatabasePools } from '../../src/db/connection/client.ts';
import { isQueryCanceled } from '../../src/db/connection/statistics.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase } from '../harness/gateway.ts';

const FOREVER_SECONDS = 60;

async function open(): Promise<DatabasePools> {
  const connection = createDatabasePools(await freshDatabase(), 4, () => {});
  atTheEnd(() => connection.close());
  return connection;
}

/** Returns the number of statements that run on the statistics connections. */
async function running({ pools }: Pick<DatabasePools, 'pools'>): Promise<number> {
  const { rows } = await pools.reads.query(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name = 'vkyc-gateway statistics' and state = 'active'`,
  );
  return rows[0].count;
}

const sleep = (seconds: number) => (db: { execute(query: ReturnType<typeof sql>): Promise<unknown> }) =>
  db.execute(sql`select pg_sleep(${seconds})`);

describe('statistics statement', () => {
  test('a statistics statement is cancelled on the server when its signal aborts', async () => {
    const connection = await open();
    const controller = new AbortController();
    const counting = connection.statistics.count(sleep(FOREVER_SECONDS), {
      timeoutMs: FOREVER_SECONDS * 1000,
      signal: controller.signal,
    });
    await eventually(async () => (await running(connection)) === 1);

    controller.abort();

    expect(isQueryCanceled(await counting.catch((error: unknown) => error))).toBe(true);
    expect(await running(connection)).toBe(0);
  });

  test('a statistics statement is cancelled after its timeout, and its connection remains usable', async () => {
    const connection = await open();
    const count = () => connection.statistics.count(sleep(FOREVER_SECONDS), { timeoutMs: 100, signal: null });

    for (let round = 0; round < 4; round += 1)
      expect(isQueryCanceled(await count().catch((error: unknown) => error))).toBe(true);
    const { rows } = (await connection.statistics.count((db) => db.execute(sql`select 1 as one`), {
      timeoutMs: 1_000,
      signal: null,
    })) as unknown as { rows: unknown[] };
    expect(rows).toEqual([{ one: 1 }]);
  });

  test('PostgreSQL ends a statistics transaction that sends no statement for a minute, because it would keep its lock', async () => {
    const { statistics } = await open();
    const read = sql`select current_setting('idle_in_transaction_session_timeout') as timeout`;

    const { rows } = await statistics.count((db) => db.execute(read), { timeoutMs: 1_000, signal: null });

    expect(rows).toEqual([{ timeout: '1min' }]);
  });

  test('20 concurrent statistics statements use only two connections and do not block other reads', async () => {
    const connection = await open();
    const controller = new AbortController();
    const counting = Array.from({ length: 20 }, () =>
      connection.statistics
        .count(sleep(FOREVER_SECONDS), { timeoutMs: FOREVER_SECONDS * 1000, signal: controller.signal })
        .catch(() => {}),
    );
    await eventually(async () => (await running(connection)) === 2);

    expect((await connection.pools.reads.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    controller.abort();
    await Promise.all(counting);
    expect(await running(connection)).toBe(0);
  });
});

test('when an operation with sessionStats times out, its count is cancelled in the database', async () => {
  const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '0.3' }, bothWays: false });
  const blocker = await gateway.database.connect();
  await blocker.query('begin; lock table vkyc_session in access exclusive mode');
  atTheEnd(async () => blocker.release());

  const { status, errors } = await gateway.graphql(
    '{ sessionStats { total funnel { medianSecondsSpent } intervals { started } } }',
  );

  expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'TIMEOUT']);
  await eventually(async () => {
    // Reads outside the locking transaction, because PostgreSQL caches pg_stat_activity until a transaction
    // ends.
    const { rows } = await gateway.database.query(
      `select 1 from pg_stat_activity where datname = current_database()
       and application_name = 'vkyc-gateway statistics' and state = 'active'`,
    );
    return rows.length === 0;
  });
  await blocker.query('rollback');
  await eventually(async () => {
    const { data } = await gateway.graphql('{ sessionStats { total asOf } }');
    return data?.sessionStats.total === 0;
  });
});
