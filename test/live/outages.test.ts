import { createClient as createStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { resuming } from '../../src/client/resuming.ts';
import { atTheEnd, bootGateway, eventually, freshDatabase } from '../harness/gateway.ts';
import { createSessions, record } from '../harness/log-writer.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const WATCH =
  'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence cursor } }';
const soon = {
  retryWait: async () => {},
  retry: () => new Promise<void>((resolve) => setImmediate(resolve)),
};

const CLIENTS = {
  WebSocket: (url: string) =>
    resuming(createClient, {
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      ...soon,
    }),
  'server-sent events': (url: string) =>
    resuming(createStreamClient, { url: `${url}/graphql/stream`, ...soon }),
};

for (const [transport, createFor] of Object.entries(CLIENTS))
  test(`${transport}: a client that subscribes during a database outage gets the transitions of its session once the database is back`, async () => {
    const database = await freshDatabase();
    const wire = await startTcpProxy(database);
    const gateway = await bootGateway({ database: wire.url });
    const pool = new pg.Pool({ connectionString: database });
    atTheEnd(() => pool.end());
    const [key] = (await createSessions(pool, 1)) as [string];
    const seen: number[] = [];
    const ends: unknown[] = [];
    const start = await gateway.graphql(
      `{ session(id: "${Buffer.from(`VkycSession:${key}`).toString('base64url')}") { id startCursor } }`,
    );
    const variables = { id: start.data.session.id, after: start.data.session.startCursor };
    const client = createFor(gateway.url) as ReturnType<typeof createClient>;
    atTheEnd(async () => void Promise.resolve(client.dispose()).catch(() => {}));

    wire.cut();
    client.subscribe<{ statusTransitions: { sequence: number } }>(
      { query: WATCH, variables },
      {
        next: ({ data }) => data && seen.push(data.statusTransitions.sequence),
        error: (error) => ends.push(error),
        complete: () => ends.push('complete'),
      },
    );
    await eventually(async () =>
      gateway.logs.some((line) => line.includes('operation failed because the database is unavailable')),
    );
    await record(pool, key);
    wire.mend();
    await eventually(async () => seen.length > 0);

    expect({ seen, ends }).toEqual({ seen: [1], ends: [] });
  });

test('a replica that hangs while it holds the advisory lock for feed positions blocks other replicas only until PostgreSQL ends its idle transaction', async () => {
  const gateway = await bootGateway();
  const silent = new pg.Client({ connectionString: gateway.databaseUrl });
  silent.on('error', () => {});
  await silent.connect();
  await silent.query('begin');
  await silent.query(
    `select pg_try_advisory_xact_lock(8529002), set_config('idle_in_transaction_session_timeout', '2s', true)`,
  );

  const { data } = await gateway.graphql('{ feedCursor }');

  expect(data.feedCursor).toEqual(expect.any(String));
});
