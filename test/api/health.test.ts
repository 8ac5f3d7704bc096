import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

test('health is about the process, readiness about what it needs', async () => {
  const gateway = await bootGateway();
  const status = async (path: string) => (await fetch(`${gateway.url}${path}`)).status;

  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
});

test('connections that the database cuts, in use or not, cost no process and no event', async () => {
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
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
});

test('GraphiQL is served whole, from the package alone, and opens on something useful', async () => {
  const gateway = await bootGateway();
  const page = await (await fetch(`${gateway.url}/graphiql`)).text();

  expect(page).toContain('startSession');
  expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
});
