import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { createCommandRunner } from '../harness/command.ts';
import {
  atTheEnd,
  bootGateway,
  DATA_KEYS,
  eventually,
  freshDatabase,
  type Gateway,
  untilReady,
} from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { scrape } from '../harness/prometheus.ts';
import {
  hang,
  type Receiver,
  reset,
  sendTo,
  sequencesOf,
  startReceiver,
  verify,
} from '../harness/receiver.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const runCommand = createCommandRunner();

const webhooks = async (gateway: Gateway, environment: Record<string, string>, ...args: string[]) => {
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: gateway.databaseUrl, ...environment };
  return (await runCommand('webhooks', args, env)).stdout;
};

/** Returns the number of deliveries in each state. */
async function countStates({ database }: Pick<Gateway, 'database'>): Promise<Record<string, number>> {
  const { rows } = await database.query(
    'select state, count(*)::int as count from merchant_delivery group by state',
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

const askReady = async ({ url }: Gateway): Promise<any> => (await fetch(`${url}/readyz`)).json();

/** Moves the clock on, step by step, until `look` returns true. */
const afterTime = (clock: { forward(ms: number): void }, stepMs: number, look: () => Promise<boolean>) =>
  eventually(async () => {
    if (await look()) return true;
    clock.forward(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  });

/** Boots a gateway that sends to one receiver, with a clock that the test moves. */
async function bootSender(receiver: Receiver) {
  const clock = movableClock();
  const environment = sendTo({ core: receiver }, { events: ['session.transitioned'] });
  const gateway = await bootGateway({
    ...{ environment, clock, lookIntervalMs: 20, merchantAnswerTimeoutMs: 5_000 },
  });
  return { clock, environment, gateway };
}

describe('an endpoint that keeps failing', () => {
  test('is paused, which the log, /readyz and a metric say, and gets everything in order once it answers', {
    timeout: 60_000,
  }, async () => {
    const receiver = await startReceiver();
    const { clock, gateway } = await bootSender(receiver);
    await untilReady(gateway);
    const names = Array.from({ length: 8 }, (_, index) => `down-${index}.happy-path`);
    receiver.answer(() => 503);
    for (const name of names) await gateway.start(name);
    for (const name of names) await gateway.advance(name, 2);

    await eventually(async () => gateway.logs.some((line) => line.includes('its deliveries are paused')));
    const ready = await eventually(async () => {
      const body = await askReady(gateway);
      return body.impaired?.merchantWebhooks && body;
    });
    expect(ready).toMatchObject({
      status: 'ready',
      impaired: { merchantWebhooks: '1 of 1 endpoints keep failing, and are paused' },
    });
    await eventually(
      async () => (await scrape(gateway)).value('vkyc_merchant_endpoint_paused{endpoint="core"}') === 1,
    );
    expect(
      (await scrape(gateway)).value('vkyc_merchant_attempts_total{endpoint="core",outcome="5xx"}'),
    ).toBeGreaterThanOrEqual(8);

    receiver.answer(() => 200);
    clock.forward(10 * 60_000);
    await eventually(async () => receiver.accepted.length === 24);

    for (const name of names) expect(sequencesOf(receiver, name)).toEqual([1, 2, 3]);
    await eventually(async () => (await countStates(gateway)).DONE === 24);
    await eventually(async () => !(await askReady(gateway)).impaired);
    expect(gateway.logs.some((line) => line.includes('merchant endpoint answers again'))).toBe(true);
  });

  test('is left alone for as long as it asks by Retry-After', async () => {
    const receiver = await startReceiver();
    const { clock, gateway } = await bootSender(receiver);
    receiver.answer((_delivery, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end();
      return undefined;
    });
    await gateway.start('asked.1');
    await eventually(async () => {
      const { rows } = await gateway.database.query('select paused_until from merchant_endpoint');
      return rows[0].paused_until !== null;
    });
    receiver.answer(() => 200);
    await gateway.start('asked.2');
    clock.forward(HOUR_MS - 60_000);
    await gateway.start('asked.3');
    await eventually(async () => (await countStates(gateway)).PENDING === 3);
    expect(receiver.received).toHaveLength(1);

    clock.forward(2 * 60_000);
    await eventually(async () => receiver.accepted.length === 3);
  });

  test('gets nothing for three days; then its events are kept as dead letters, and sent with the same ids when replayed', {
    timeout: 60_000,
  }, async () => {
    const receiver = await startReceiver();
    const { clock, environment, gateway } = await bootSender(receiver);
    const begun = clock.now().getTime();
    receiver.answer(() => 500);
    await gateway.start('away.happy-path');
    await gateway.advance('away.happy-path', 4);
    await afterTime(clock, HOUR_MS / 2, async () => (await countStates(gateway)).PARKED === 5);
    expect(clock.now().getTime() - begun).toBeGreaterThanOrEqual(3 * DAY_MS);
    expect(gateway.logs.some((line) => line.includes('within three days; they are parked'))).toBe(true);
    const refused = receiver.received.map(({ id }) => id);

    const listed = await webhooks(gateway, environment, 'list', '--state', 'parked');
    expect(listed).toMatch(/^core: failing since .*; 0 pending, 5 parked$/m);
    expect(listed).toMatch(/PARKED .* core +session\.transitioned +away\.happy-path 1 +HTTP 500$/m);
    receiver.answer(() => 200);
    expect(
      await webhooks(gateway, environment, 'replay', '--state', 'PARKED', '--endpoint', 'core'),
    ).toContain('5 deliveries are queued again');
    await afterTime(clock, 60_000, async () => receiver.accepted.length === 5);

    expect(sequencesOf(receiver, 'away.happy-path')).toEqual([1, 2, 3, 4, 5]);
    expect(receiver.accepted[0]?.id).toBe(refused[0]);
    for (const delivery of receiver.accepted) expect(verify(delivery)).toEqual(delivery.body);
  });

  test('of two endpoints delays only its own events, whether it answers 500, hangs or resets', async () => {
    const [bad, good] = [await startReceiver(), await startReceiver()];
    const gateway = await bootGateway({
      environment: sendTo({ bad, good }, { events: ['session.transitioned'] }),
      merchantAnswerTimeoutMs: 5_000,
    });
    for (const [name, behaviour] of Object.entries({ answers: () => 500, hangs: hang, resets: reset })) {
      bad.answer(behaviour);
      await gateway.start(`${name}.happy-path`);
      await gateway.advance(`${name}.happy-path`, 3);
      await eventually(async () => sequencesOf(good, `${name}.happy-path`).length === 4);
    }

    expect(good.received).toHaveLength(12);
    expect(bad.accepted).toEqual([]);
  });
});

// Invariant 21 of ARCHITECTURE.md
describe('replicas', () => {
  test('of three that run at once, each event is sent by one', async () => {
    const receiver = await startReceiver();
    const environment = sendTo({ core: receiver }, { events: ['session.transitioned'] });
    const gateway = await bootGateway({ environment, lookIntervalMs: 20 });
    for (let replica = 2; replica <= 3; replica += 1)
      await bootGateway({ environment, lookIntervalMs: 20, database: gateway.databaseUrl });
    const names = Array.from({ length: 10 }, (_, index) => `many-${index}.happy-path`);

    await Promise.all(
      names.map(async (name) => {
        await gateway.start(name);
        await gateway.advance(name, 3);
      }),
    );
    await eventually(async () => receiver.accepted.length === 40);

    for (const name of names) expect(sequencesOf(receiver, name)).toEqual([1, 2, 3, 4]);
    expect(receiver.received).toHaveLength(40);
  });

  test('a gateway that is killed while it sends loses nothing: another sends the event again, with the same id', async () => {
    const receiver = await startReceiver();
    const DATABASE_URL = await freshDatabase();
    const database = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });
    atTheEnd(() => database.end());
    const environment = sendTo({ core: receiver }, { events: ['session.transitioned'] });
    const killed = await startGatewayProcess({ DATABASE_URL, DATA_KEYS, ...environment });
    receiver.answer(hang);
    await killed.graphql(
      'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename } }',
      { input: { verificationId: 'killed.1', user: { phone: '9988776655' } } },
    );
    const [lost] = await eventually(async () => receiver.received.length > 0 && receiver.received);
    await killed.end('SIGKILL');
    receiver.answer(() => 200);

    const other = await bootGateway({ environment, database: DATABASE_URL, lookIntervalMs: 20 });
    // The claim of the killed gateway ends after a minute.
    await database.query(`update merchant_delivery set due_at = queued_at where claimed`);
    await eventually(async () => (await countStates(other)).PENDING === undefined);

    expect(receiver.accepted[0]).toMatchObject({ id: lost!.id, text: lost!.text });
    expect(sequencesOf(receiver, 'killed.1')[0]).toBe(1);
  });
});

describe('npm run webhooks', () => {
  test('`show` prints the body that is sent, `replay --since` sends again what the receiver lost, `forget` deletes an endpoint', async () => {
    const receiver = await startReceiver();
    const { environment, gateway } = await bootSender(receiver);
    const begun = new Date().toISOString();
    await gateway.start('lost.happy-path');
    await gateway.advance('lost.happy-path', 2);
    await eventually(async () => (await countStates(gateway)).DONE === 3);
    const { rows } = await gateway.database.query('select min(id)::text as id from merchant_delivery');

    const shown = await webhooks(gateway, environment, 'show', rows[0].id);
    expect(shown).toContain(`webhook-id: ${receiver.accepted[0]?.id}`);
    expect(shown).toContain('"verificationId": "lost.happy-path"');

    await gateway.database.query('delete from merchant_delivery');
    expect(await webhooks(gateway, environment, 'replay', '--endpoint', 'core', '--since', begun)).toContain(
      '3 events are queued again',
    );
    await eventually(async () => receiver.received.length === 6);
    expect(receiver.received.slice(3).map(({ id }) => id)).toEqual(receiver.accepted.map(({ id }) => id));

    await expect(webhooks(gateway, environment, 'forget', 'core')).rejects.toThrow(/is in WEBHOOK_ENDPOINTS/);
    await expect(webhooks(gateway, environment, 'show', '999')).rejects.toThrow(/No delivery has the id 999/);
    await gateway.stop();
    const other = await bootGateway({ database: gateway.databaseUrl });
    expect(await webhooks(other, {}, 'forget', 'core')).toBe('core and its deliveries are deleted.\n');
    expect(await countStates(other)).toEqual({});
  });
});
