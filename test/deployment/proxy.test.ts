import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { freePort } from '../harness/phoenix.ts';
import { readComposeFile } from './compose-file.ts';

const haproxy = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'].find((path) => existsSync(path));
if (!haproxy) process.stderr.write('haproxy is not installed: the proxy test is SKIPPED.\n');

/**
 * Starts HAProxy with the settings of compose.yaml, but with the addresses of these gateways. Returns the URL
 * of the proxy, which stops when the test ends.
 */
async function startProxy(gatewayUrls: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-proxy-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort(createSeededRandom('proxy', String(process.pid)));
  const { configs } = await readComposeFile();
  const settings = gatewayUrls.reduce(
    (text, url, index) => text.replace(` gateway-${index + 1}:4000`, ` ${new URL(url).host}`),
    (configs.proxy?.content ?? '').replace(':8080', `127.0.0.1:${port}`),
  );
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, settings);
  const checked = spawnSync(haproxy as string, ['-c', '-f', file]);
  expect(checked.status, String(checked.stderr)).toBe(0);
  const child: ChildProcess = spawn(haproxy as string, ['-db', '-f', file], { stdio: 'ignore' });
  atTheEnd(async () => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok);
  return url;
}

test.skipIf(!haproxy)(
  'HAProxy with the settings of the compose file forwards queries, WebSockets and event streams, and still serves requests while one gateway is down',
  async () => {
    const first = await bootGateway();
    const database = first.databaseUrl;
    const others = [await bootGateway({ database }), await bootGateway({ database })];
    const url = await startProxy([first, ...others].map((gateway) => gateway.url));
    const host = new URL(first.url).host;
    const query = 'subscription { statusTransitions { sequence } }';
    const socket = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const events = createStreamClient({ url: `${url}/graphql/stream` });
    const seen: { by: string; sequence: number }[] = [];
    for (const [by, client] of Object.entries({ socket, events })) {
      const sink = {
        next: ({ data }: any) => seen.push({ by, sequence: data.statusTransitions.sequence }),
        error() {},
        complete() {},
      };
      (client as typeof socket).subscribe({ query }, sink);
      // Ignores the rejection of a client that is disposed of while it is reconnecting.
      atTheEnd(async () => void Promise.resolve(client.dispose()).catch(() => {}));
    }
    const ask = async () => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ viewer { id } }"}',
      });
      return response.status;
    };

    await eventually(async () => {
      await first.start(`by.proxy.${seen.length}.${performance.now()}`);
      return new Set(seen.map(({ by }) => by)).size === 2;
    });
    expect(await ask()).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`http://${host}/metrics`)).status).toBe(200);

    await others[0]?.stop();
    for (let attempt = 0; attempt < 12; attempt += 1) expect(await ask()).toBe(200);
  },
);
