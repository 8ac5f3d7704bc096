import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { deleteOldAcceptedDeliveries } from '../../src/db/outgoing/deliveries.ts';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { quietHoursNow } from '../harness/clock.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

test('a session is archived only after its events were delivered, and its deliveries go with it', {
  timeout: 60_000,
}, async () => {
  const receiver = await startReceiver();
  const gateway = await bootGateway({ environment: sendTo({ core: receiver }), lookIntervalMs: 20 });
  receiver.answer(() => 500);
  const { key } = await endedLongAgo(gateway, 'ended.1');
  await gateway.start('alive.1');
  const count = async (condition: string) =>
    (await gateway.database.query(`select from merchant_delivery where ${condition}`)).rowCount ?? 0;
  await eventually(async () => (await count('attempts > 0')) > 0);

  expect(await run(gateway, 'retention')).toMatch(/^0 sessions ended/);

  receiver.answer(() => 200);
  await eventually(async () => {
    await gateway.database.query('update merchant_delivery set due_at = queued_at where not claimed');
    await gateway.database.query('update merchant_endpoint set paused_until = null');
    return (await count(`state = 'PENDING'`)) === 0;
  });
  expect(await count(`session_id = '${key}'`)).toBeGreaterThan(5);
  expect(await run(gateway, 'retention', '--to', await emptyFolder())).toContain('Moved 1 sessions');
  expect(await count(`session_id = '${key}'`)).toBe(0);
});

test('a session is archived only after its notifications were sent, and they go with it', {
  timeout: 60_000,
}, async () => {
  const receiver = await startReceiver();
  const gateway = await bootGateway({
    environment: {
      ...sendTo({ core: receiver }, { events: ['customer.notification_requested'] }),
      NOTIFICATION_QUIET_HOURS: quietHoursNow(),
    },
    lookIntervalMs: 20,
  });
  const olga = await person(gateway, 'olga', 'OPERATOR');
  const { id, key } = await endedLongAgo(gateway, 'ended.1');
  expect(await olga.act('notifyCustomer', id, { kind: 'DECISION' })).toMatchObject({
    notification: { state: 'QUEUED' },
  });
  await gateway.start('alive.1');
  const count = async () =>
    (await gateway.database.query(`select from customer_notification where session_id = '${key}'`)).rowCount;

  expect(await run(gateway, 'retention')).toMatch(/^0 sessions ended/);

  await gateway.database.query('update customer_notification set urgent = true, due_at = queued_at');
  await eventually(async () => {
    const { rows } = await gateway.database.query('select state from customer_notification');
    return rows[0].state === 'SENT';
  });
  expect(await run(gateway, 'retention', '--to', await emptyFolder())).toContain('Moved 1 sessions');
  expect(await count()).toBe(0);
});

test('accepted deliveries are deleted after a while, those that wait or are parked stay', async () => {
  const receiver = await startReceiver();
  const gateway = await bootGateway({
    environment: sendTo({ core: receiver }, { events: ['session.transitioned'] }),
  });
  await gateway.start('kept.happy-path');
  await gateway.advance('kept.happy-path', 2);
  const states = async () =>
    (await gateway.database.query('select state from merchant_delivery order by sequence')).rows.map(
      ({ state }) => state,
    );
  await eventually(async () => (await states()).join() === 'DONE,DONE,DONE');
  await gateway.database.query(`update merchant_delivery set state = 'PARKED' where sequence = 2`);
  const { db, close } = createDatabasePools(gateway.databaseUrl, 2, () => {});
  atTheEnd(close);

  expect(await deleteOldAcceptedDeliveries(db, new Date(Date.now() - 3_600_000), 100)).toBe(0);
  expect(await deleteOldAcceptedDeliveries(db, new Date(Date.now() + 3_600_000), 100)).toBe(2);
  expect(await states()).toEqual(['PARKED']);
});
