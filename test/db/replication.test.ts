import { expect, test } from 'vitest';
import { readReplication } from '../../src/db/connection/replication.ts';
import { bootGateway } from '../harness/gateway.ts';

test('durability is read from the replication settings and reported by /readyz and /metrics', async () => {
  const { database, url } = await bootGateway();
  const set = async (setting: string) => {
    const client = await database.connect();
    try {
      await client.query(`set synchronous_commit = ${setting}`);
      return (await readReplication({ query: client.query.bind(client) } as never)).durability;
    } finally {
      client.release(true);
    }
  };

  expect(await set('off')).toBe('COMMIT_NOT_AWAITED');
  expect(await set('on')).toBe('NO_STANDBY');
  const readiness = await (await fetch(`${url}/readyz`)).json();
  expect(Object.keys(readiness as object)).toContain('notes');
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^vkyc_database_synchronous 0$/m);
});
