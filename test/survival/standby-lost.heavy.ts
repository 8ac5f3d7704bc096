import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';

const MEETING = `mutation ($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) { __typename ... on ScheduleMeetingSuccess { replayed } }
}`;
const READ = 'query ($id: ID!) { session(id: $id) { version } feedCursor }';
const WATCH =
  'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence subStatus } }';
/**
 * Number of database connections for writes with the default DATABASE_POOL of 10. The test has more concurrent callers
 * than that, so that some must wait for a connection.
 */
const WRITE_POOL = 5;
const CALLERS = 3 * WRITE_POOL;

const news = (second: number) => ({
  event_type: 'VKYC_STATUS',
  event_time: new Date(Date.parse('2026-03-02T12:00:00Z') + second * 1000).toISOString(),
  data: {
    verification_id: 'standby.1',
    user_id: 'u',
    status: 'PRE_VIDEO_CALL',
    sub_status: 'AADHAAR_VERIFICATION_SUCCESS',
  },
});

/**
 * Starts a PostgreSQL primary. After `loseStandby` its commits wait for a synchronous standby that does not
 * exist.
 */
async function primary() {
  const { url } = await startOwnPostgres();
  const admin = new pg.Pool({ connectionString: url, max: 1 });
  // Ignores connection errors of this pool, because the server is stopped before the pool is closed.
  admin.on('error', () => {});
  admin.on('connect', (client) => client.on('error', () => {}));
  atTheEnd(() => admin.end());
  const set = async (names: string) => {
    await admin.query('set synchronous_commit = local');
    await admin.query(`alter system set synchronous_standby_names = '${names}'`);
    await admin.query('select pg_reload_conf()');
    // Waits until the new setting is in effect, because the server reloads its settings asynchronously.
    await eventually(
      async () =>
        (await admin.query('show synchronous_standby_names')).rows[0]?.synchronous_standby_names === names,
    );
  };
  return {
    url,
    loseStandby: () => set('gone'),
    findStandby: () => set(''),
    /** Returns the number of server processes whose commit waits for the standby. */
    async waiting(): Promise<number> {
      const { rowCount } = await admin.query(`select from pg_stat_activity where wait_event = 'SyncRep'`);
      return rowCount ?? 0;
    },
  };
}

test('while the only synchronous standby is lost, queries and /readyz are answered, and mutations and webhooks get SERVICE_UNAVAILABLE', async () => {
  const postgres = await primary();
  const gateway = await bootGateway({ database: postgres.url });
  const { id, startCursor } = await gateway.start('standby.1');
  const live = gateway.subscribe(WATCH, { id, after: startCursor });
  expect(await live.next()).toMatchObject({ sequence: 1 });
  const input = {
    sessionId: id,
    startsAt: new Date(Date.now() + 3_600_000).toISOString(),
    idempotencyKey: randomUUID(),
  };
  const readiness = async () => {
    const response = await fetch(`${gateway.url}/readyz`);
    return [response.status, await response.json()];
  };
  await eventually(async () => (await readiness())[0] === 200);

  await postgres.loseStandby();
  const begun = performance.now();
  const callers = Promise.all([
    ...Array.from({ length: CALLERS }, () => gateway.graphql(MEETING, { input })),
    ...Array.from({ length: CALLERS }, (_, second) => gateway.webhook(news(second))),
  ]);
  let told = false;
  void callers.then(() => {
    told = true;
  });
  let slowestMs = 0;
  while (!told) {
    const asked = performance.now();
    const [{ errors }, [status]] = await Promise.all([gateway.graphql(READ, { id }), readiness()]);
    slowestMs = Math.max(slowestMs, performance.now() - asked);
    expect([errors, status]).toEqual([undefined, 200]);
  }

  for (const answer of await callers)
    if (typeof answer === 'number') expect(answer).toBe(503);
    else expect(answer.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(slowestMs).toBeLessThan(1_500);
  expect(await readiness()).toEqual([
    200,
    {
      status: 'ready',
      impaired: { database: expect.stringContaining('commits do not return') },
      notes: { replication: expect.any(String) },
    },
  ]);
  expect(await postgres.waiting()).toBeLessThanOrEqual(WRITE_POOL + 1);
  // Once the gateway knows that commits hang, it refuses writes without sending them to the database.
  const refused = performance.now();
  expect((await gateway.graphql(MEETING, { input })).errors).toHaveLength(1);
  expect(await gateway.webhook(news(0))).toBe(503);
  expect(performance.now() - refused).toBeLessThan(1_000);

  await postgres.findStandby();

  const booked = await eventually(
    async () => (await gateway.graphql(MEETING, { input })).data?.scheduleMeeting,
  );
  expect(booked).toMatchObject({ __typename: 'ScheduleMeetingSuccess' });
  await eventually(async () => (await gateway.webhook(news(0))) === 200);
  expect((await gateway.database.query('select from meeting')).rowCount).toBe(1);
  await eventually(async () =>
    JSON.stringify(await readiness()).startsWith('[200,{"status":"ready","notes"'),
  );
  const { rows } = await gateway.database.query('select count(*)::int as count from status_transition');
  const frames = await live.take(rows[0].count - 1);
  expect(frames.map(({ sequence }) => sequence)).toEqual(frames.map((_, index) => index + 2));
}, 40_000);
