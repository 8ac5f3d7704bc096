import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, DATA_KEYS, eventually, untilReady } from '../harness/gateway.ts';
import { freePort } from '../harness/phoenix.ts';
import { runToItsEnd, startGatewayProcess } from '../harness/process.ts';

/** Prepares a PostgreSQL without starting it; returns its URL and a function that starts it. */
async function stoppedPostgres() {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-later-'));
  const options = { dir: join(folder, 'postgres'), durable: false };
  const postgres = await startEmbeddedPostgres(options);
  await postgres.stop();
  return {
    url: postgres.url,
    async start() {
      const started = await startEmbeddedPostgres(options);
      expect(started.url).toBe(postgres.url);
      atTheEnd(async () => {
        await started.stop();
        await rm(folder, { recursive: true, force: true });
      });
    },
  };
}

test('a gateway that is started before its database is alive but not ready (503), and becomes ready when the database starts', {
  timeout: 60_000,
}, async () => {
  const postgres = await stoppedPostgres();
  const port = await freePort(createSeededRandom('before its database', String(process.pid)));
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return [response.status, await response.json()];
  };
  const starting = startGatewayProcess({ PORT: String(port), DATABASE_URL: postgres.url, DATA_KEYS });

  const health = await Promise.race([eventually(() => ask('/healthz').catch(() => null)), starting]);
  expect(health).toEqual([200, { status: 'ok' }]);
  expect(await ask('/readyz')).toEqual([
    503,
    { status: 'not ready', missing: { database: 'does not answer' } },
  ]);
  expect(await ask('/graphql')).toMatchObject([
    503,
    { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] },
  ]);

  await postgres.start();
  const gateway = await starting;
  await untilReady(gateway);
  expect(gateway.url).toBe(url);
  expect(gateway.output.filter((line) => line.includes('is not available yet'))).not.toHaveLength(0);
  expect(await gateway.graphql('{ viewer { id } }')).toMatchObject({ viewer: { id: expect.any(String) } });
  expect(await gateway.end('SIGTERM')).toBe(0);

  const wrong = new URL(postgres.url);
  wrong.pathname = '/no_such_database';
  const { code, said } = await runToItsEnd({
    DATABASE_URL: wrong.href,
    PORT: '0',
    SANDBOX_PORT: '0',
    DATA_KEYS,
  });
  expect([code, said]).toEqual([1, expect.stringContaining('no_such_database')]);
});
