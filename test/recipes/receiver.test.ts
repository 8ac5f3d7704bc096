import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createCommandRunner } from '../harness/command.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { SECRET } from '../harness/receiver.ts';
import { createReceiver, type Event } from './receiver.ts';

const runCommand = createCommandRunner();

test('a backend that uses the recipe stores every event once and in order, although its database fails at first', async () => {
  const stored = new Map<string, Event>();
  let faults = 2;
  const server = createReceiver(SECRET, async (id, event) => {
    if (faults > 0) {
      faults -= 1;
      throw new Error('database is away');
    }
    stored.set(id, event);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vkyc`;
  const environment = {
    WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    WEBHOOK_ENDPOINTS: JSON.stringify([
      { name: 'core', url, secrets: [SECRET], events: ['session.transitioned'] },
    ]),
  };
  const gateway = await bootGateway({ environment });
  await gateway.start('recipe.happy-path');
  await eventually(async () => faults < 2);
  await gateway.advance('recipe.happy-path', 4);
  // Makes the failed attempts due at once, as the passing of time would.
  await eventually(async () => {
    await gateway.database.query('update merchant_delivery set due_at = queued_at where not claimed');
    return stored.size === 5;
  });

  expect([...stored.values()].map(({ data }) => data.sequence)).toEqual([1, 2, 3, 4, 5]);
  const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-id': 'msg_1' } });
  expect(forged.status).toBe(401);
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: gateway.databaseUrl, ...environment };
  const { stdout } = await runCommand('webhooks', ['ping', 'core'], env);
  expect(stdout).toBe('core accepted the test event: HTTP 204.\n');
});
