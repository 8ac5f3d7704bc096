import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway } from '../harness/gateway.ts';
import { type GatewayProcess, runToItsEnd, startGatewayProcess } from '../harness/process.ts';

const FIRST_START_MS = 5_000;
const NEXT_START_MS = 3_000;

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc gateway '));
  atTheEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}

const graphql = async (gateway: GatewayProcess, query: string): Promise<any> => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: any }).data;
};

const start = (gateway: GatewayProcess, id: string) =>
  graphql(
    gateway,
    `mutation { startSession(input: { verificationId: "${id}", user: { phone: "9988776655" } }) { ... on StartSessionSuccess { session { id startCursor } } } }`,
  );

// Retries up to four times, because other load on the machine may slow a start down for a moment.
test('a gateway is ready within the time limit on an empty data folder, and again after kill -9, with its data intact', {
  retry: 4,
}, async () => {
  // The data folder has a space in its name, and other operating-system accounts may not access it.
  const DATA_DIR = await freshFolder();
  await chmod(DATA_DIR, 0o700);
  const first = await startGatewayProcess({ DATA_DIR });
  const { session } = (await start(first, 'killed.awaits-review')).startSession;
  expect(await first.end('SIGKILL')).toBe('SIGKILL');

  const second = await startGatewayProcess({ DATA_DIR });

  const found = await graphql(second, `{ session(id: "${session.id}") { verificationId } }`);
  expect(found.session).toEqual({ verificationId: 'killed.awaits-review' });
  expect(first.readyInMs).toBeLessThan(FIRST_START_MS);
  expect(second.readyInMs).toBeLessThan(NEXT_START_MS);
  expect(await second.end('SIGTERM')).toBe(0);
});

test('a second gateway on the same data folder ends with exit code 1 and says that another gateway uses the folder', async () => {
  const DATA_DIR = await freshFolder();
  await startGatewayProcess({ DATA_DIR });

  const { code, said } = await runToItsEnd({ DATA_DIR, PORT: '0', SANDBOX_PORT: '0' });

  expect(code).toBe(1);
  expect(said).toContain('is used by another gateway');
  expect(said).toContain('set DATA_DIR to another folder');
});

test('SIGTERM closes subscriptions with 1012 and ends the process with exit code 0', async () => {
  const gateway = await startGatewayProcess({ DATA_DIR: await freshFolder() });
  const { session } = (await start(gateway, 'away.awaits-review')).startSession;
  const closed = new Promise<number>((resolve) => {
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => {},
      on: { closed: (event) => resolve((event as { code: number }).code) },
    });
    client.subscribe(
      {
        query:
          'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }',
        variables: { id: session.id, after: session.startCursor },
      },
      { next: () => gateway.child.kill('SIGTERM'), error: () => {}, complete: () => {} },
    );
  });

  expect(await closed).toBe(1012);
  const code = await new Promise((resolve) => {
    if (gateway.child.exitCode !== null) resolve(gateway.child.exitCode);
    else gateway.child.once('exit', resolve);
  });
  expect(code).toBe(0);
  expect(gateway.output.at(-1)).toContain('stopped');
});

test('an invalid configuration is refused with every problem listed and no stack trace', async () => {
  const { code, said } = await runToItsEnd({ PORT: 'http', HOST: '0.0.0.0', LOG_LEVEL: 'loud' });

  expect(code).toBe(1);
  expect(said).toContain('PORT: ');
  expect(said).toContain('LOG_LEVEL: ');
  expect(said).not.toContain('at ');
});

test('a connection that never sent a request does not delay the shutdown of the gateway', async () => {
  const gateway = await bootGateway();
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  await once(socket, 'connect');

  const closed = once(socket, 'close');
  await Promise.all([gateway.stop(), closed]);
});
