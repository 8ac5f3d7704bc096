import { expect, test } from 'vitest';
import { bootGateway, eventually, freshDatabase, untilReady } from '../harness/gateway.ts';
import { countStatements } from '../harness/statements.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

/** Key of the advisory lock that a replica holds while it assigns feed positions; see `db/sessions/feed.ts`. */
const NUMBERING_LOCK = 8_529_002;

/** Returns what /readyz reports as missing, or null if the replica is ready. */
const missingAt = async ({ url }: { url: string }) => {
  const response = await fetch(`${url}/readyz`);
  const { status, missing = null } = (await response.json()) as { status: string; missing?: object };
  expect([response.status, status]).toEqual(missing ? [503, 'not ready'] : [200, 'ready']);
  return missing;
};

test('/healthz does not depend on the database; /readyz and /metrics report a lost database connection', async () => {
  const wire = await startTcpProxy(await freshDatabase());
  const gateway = await bootGateway({ database: wire.url });
  await untilReady(gateway);

  wire.cut();

  const missing = await eventually(async () => {
    const found = await missingAt(gateway);
    return found && Object.keys(found).length === 2 && found;
  });
  expect(missing).toEqual({ database: 'does not answer', doorbell: 'is not connected' });
  const health = await fetch(`${gateway.url}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  const scraped = await fetch(`${gateway.url}/metrics`);
  expect(scraped.status).toBe(200);
  const text = await scraped.text();
  expect(text).toMatch(/^vkyc_database_up 0$/m);
  expect(text).toMatch(/^vkyc_doorbell_connected 0$/m);
  // Without the database the lag is unknown, so the gateway must leave the metric out: its last value would mislead.
  expect(text).not.toMatch(/^vkyc_feed_lag_seconds /m);

  wire.mend();
  await untilReady(gateway);
  await eventually(async () =>
    /^vkyc_database_up 1$/m.test(await (await fetch(`${gateway.url}/metrics`)).text()),
  );
});

test('only the doorbell (notifications between replicas) connects to LISTEN_DATABASE_URL; the connection pool uses DATABASE_URL', async () => {
  const database = await freshDatabase();
  const [pool, listener] = [await startTcpProxy(database), await startTcpProxy(database)];
  const gateway = await bootGateway({
    database: pool.url,
    environment: { LISTEN_DATABASE_URL: listener.url },
  });
  await untilReady(gateway);
  expect(listener.open).toBe(1);

  listener.cut();

  expect(await eventually(() => missingAt(gateway))).toEqual({ doorbell: 'is not connected' });
  expect((await gateway.graphql('{ feedCursor }')).errors).toBeUndefined();
  listener.mend();
  await untilReady(gateway);
});

test('a replica is not ready if a migration is missing or transitions have waited too long for a feed position', async () => {
  const gateway = await bootGateway();
  await untilReady(gateway);
  const newest = '(select max(created_at) from drizzle.__drizzle_migrations)';
  const { rows } = await gateway.database.query(
    `update drizzle.__drizzle_migrations set created_at = 1 where created_at = ${newest} returning id`,
  );

  expect(await eventually(() => missingAt(gateway))).toEqual({
    migrations: "are not those of this release: run this release's migrations",
  });

  await gateway.database.query(
    `update drizzle.__drizzle_migrations set created_at = 99999999999999 where id = $1`,
    [rows[0].id],
  );
  await untilReady(gateway);
  await gateway.start('numbered.1');
  const numbering = await gateway.database.connect();
  await numbering.query('select pg_advisory_lock($1)', [NUMBERING_LOCK]);
  await gateway.database.query(`update status_transition set recorded_at = now() - interval '40 seconds'`);
  await gateway.database.query(
    'insert into transition_outbox (session_id, sequence) select session_id, sequence from status_transition limit 1',
  );

  expect(await eventually(() => missingAt(gateway))).toEqual({
    feed: expect.stringMatching(/^is 4\d s behind$/),
  });

  await gateway.database.query('delete from feed');
  await numbering.query('select pg_advisory_unlock($1)', [NUMBERING_LOCK]);
  numbering.release();
  await untilReady(gateway);
});

test('concurrent /readyz requests cost the database at most one query per second', async () => {
  const gateway = await bootGateway();
  await untilReady(gateway);
  const asked = countStatements('__drizzle_migrations');

  const begun = performance.now();
  for (let round = 0; round < 5; round += 1)
    await Promise.all(Array.from({ length: 40 }, () => untilReady(gateway)));

  expect(asked()).toBeLessThanOrEqual(1 + (performance.now() - begun) / 1_000);
});

test('a subscriber gets every transition although the database keeps terminating connections', async () => {
  const gateway = await bootGateway();
  const session = await gateway.start('cut.happy-path');
  const watcher = gateway.subscribe(
    'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }',
    { id: session.id, after: session.startCursor },
  );

  await watcher.take(1);

  for (let step = 0; step < 13; step += 1) {
    await gateway.advance('cut.happy-path', 1);
    await gateway.database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
  }

  expect((await watcher.take(13)).map((each) => each.sequence)).toEqual(
    Array.from({ length: 13 }, (_, index) => index + 2),
  );
  await untilReady(gateway);
});

test('GraphiQL is served without scripts or styles of other sites, and opens with a startSession example', async () => {
  const gateway = await bootGateway();
  const page = await (await fetch(`${gateway.url}/graphiql`)).text();

  expect(page).toContain('startSession');
  expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
});
