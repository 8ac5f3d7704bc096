import { expect, test } from 'vitest';
import { readReplicationState } from '../../src/db/connection/replication.ts';
import { bootGateway } from '../harness/gateway.ts';

test('readReplicationState derives from the replication settings which failures a commit survives; /readyz and /metrics report the result', async () => {
  const { database, url } = await bootGateway();
  const set = async (setting: string) => {
    const client = await database.connect();
    try {
      await client.query(`set synchronous_commit = ${setting}`);
      return (await readReplicationState({ query: client.query.bind(client) } as never)).durability;
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
