import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, bootGateway, eventually, freshDatabase } from '../harness/gateway.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const NEWS = {
  event_type: 'VKYC_STATUS',
  event_time: '2026-03-02T12:00:00Z',
  data: {
    verification_id: 'database.away',
    status: 'PRE_VIDEO_CALL',
    sub_status: 'AADHAAR_VERIFICATION_SUCCESS',
  },
};

// Invariant 4 of ARCHITECTURE.md
test('a webhook that arrives while the database is unreachable is answered with 503, and stored when the provider sends it again', async () => {
  const url = await freshDatabase();
  const database = new pg.Pool({ connectionString: url });
  atTheEnd(() => database.end());
  const wire = await startTcpProxy(url);
  const gateway = await bootGateway({ database: wire.url });
  await gateway.start('database.away');
  const stored = async () => (await database.query('select from webhook_inbox')).rowCount;
  // The sandbox sends one webhook for the start. Waits until this webhook is stored before cutting the
  // connection.
  await eventually(async () => (await stored()) === 1);

  wire.cut();
  expect(await gateway.webhook(NEWS)).toBe(503);
  expect(await stored()).toBe(1);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toMatch(/outcome="not stored"\} 1$/m);
  wire.mend();

  await eventually(async () => (await gateway.webhook(NEWS)) === 200);
  expect(await stored()).toBe(2);
});
