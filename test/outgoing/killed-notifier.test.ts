import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { hang, sendTo, startReceiver } from '../harness/receiver.ts';

const START = `mutation ($input: StartSessionInput!) { result: startSession(input: $input) { __typename } }`;
const SESSIONS = 12;

// Invariant 23 of ARCHITECTURE.md
test('of two gateways that notify, one is killed while it sends: each customer is notified once, and none is left out', async () => {
  const receiver = await startReceiver();
  receiver.answer(hang);
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const starter = await startGatewayProcess({ DATABASE_URL, DATA_KEYS });
  const { sandbox } = JSON.parse(starter.output.find((line) => line.includes('is ready')) as string);
  const settings = {
    ...{ DATABASE_URL, DATA_KEYS, NOTIFICATIONS: 'LINK', CASHFREE_BASE_URL: sandbox },
    ...{ CASHFREE_CLIENT_ID: 'sandbox', CASHFREE_CLIENT_SECRET: 'sandbox' },
    ...sendTo({ core: receiver }, { events: ['customer.notification_requested'] }),
  };
  const killed = await startGatewayProcess(settings);
  for (let number = 1; number <= SESSIONS; number += 1)
    await starter.graphql(START, {
      input: { verificationId: `killed-notifier.${number}`, user: { phone: '9988776655' } },
    });
  await eventually(async () => receiver.received.length > 0);

  const other = await startGatewayProcess(settings);
  atTheEnd(async () => void (await other.end('SIGTERM')));
  await killed.end('SIGKILL');
  receiver.answer(() => 200);
  // The claims of the killed gateway end by the clock: the test moves their end instead of waiting a minute for it.
  await database.query('update merchant_delivery set due_at = now() where claimed');
  await eventually(async () => {
    const { rows } = await database.query(
      `select count(*)::int as sent from customer_notification where state = 'SENT'`,
    );
    return rows[0].sent === SESSIONS;
  });

  const ids = receiver.received.map(({ body }) => body.data.notification?.id);
  expect(new Set(ids).size).toBe(SESSIONS);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(SESSIONS);
  const { rows } = await database.query('select count(*)::int as all from customer_notification');
  expect(rows).toEqual([{ all: SESSIONS }]);
});
