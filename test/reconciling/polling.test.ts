import { expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { againstScript, logOf, looked, MINUTE, polledGateway, sessionOf, webhookOf } from './polled.ts';

test('a status that no webhook reports is found by polling and recorded once', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  await gateway.start('silent.happy-path');
  await gateway.advance('silent.happy-path', 2);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 2);

  clock.forward(15 * MINUTE);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 3);
  clock.forward(15 * MINUTE);
  await gateway.advance('silent.happy-path', 1);
  clock.forward(15 * MINUTE);
  await eventually(async () => (await logOf(gateway, 'silent.happy-path')).length === 4);

  expect(await logOf(gateway, 'silent.happy-path')).toEqual([
    expect.stringContaining('LINK_GENERATED'),
    'WEBHOOK AADHAAR_VERIFICATION_SUCCESS',
    'POLL USER_IP_VERIFICATION_SUCCESSFUL',
    'POLL USER_LOCATION_VERIFICATION_SUCCESS',
  ]);
});

test('the gateway does not ask the provider before a poll is due, nor after the session has ended', async () => {
  const asked: string[] = [];
  let present = ['RECEIVED', 'LINK_GENERATED'];
  const { gateway, clock } = await againstScript(({ method, path, body }) => {
    if (method === 'GET' && path.includes('due.1')) asked.push(path);
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'due.1', user_id: 'asha' };
    return { body: JSON.stringify({ ...sent, status: present[0], sub_status: present[1] }) };
  });
  await gateway.start('due.1', { user: { userId: 'asha', phone: '9988776655' } });
  await looked(gateway);
  expect(asked).toHaveLength(0);

  present = ['AUDITOR_REVIEWED', 'AUDITOR_APPROVED'];
  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'due.1')).subStatus === 'AUDITOR_APPROVED');
  clock.forward(24 * 60 * MINUTE);
  await looked(gateway);
  expect(asked).toHaveLength(1);
});

test('if two webhooks have the same second as event time, so that their order is uncertain, the gateway asks the provider immediately', async () => {
  const { gateway, provider } = await againstScript(
    ({ method, body }) => {
      const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'tie.1', user_id: 'asha' };
      const [status, sub_status] =
        method === 'POST' ? ['RECEIVED', 'LINK_GENERATED'] : ['PRE_VIDEO_CALL', 'USER_QUEUED'];
      return { body: JSON.stringify({ ...sent, status, sub_status }) };
    },
    { lookIntervalMs: 1_000 },
  );
  await gateway.start('tie.1', { user: { userId: 'asha', phone: '9988776655' } });

  await gateway.webhook(webhookOf('tie.1', 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await gateway.webhook(webhookOf('tie.1', 'PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS', 10));
  await eventually(async () => (await logOf(gateway, 'tie.1')).length === 4);

  expect((await logOf(gateway, 'tie.1')).slice(1)).toEqual([
    'WEBHOOK USER_QUEUED',
    'WEBHOOK USER_DEVICE_CHECK_SUCCESS',
    'POLL USER_QUEUED',
  ]);
  const { rows } = await gateway.database.query('select unsettled from vkyc_session');
  expect(rows).toEqual([{ unsettled: false }]);
  expect(provider.calls.filter((call) => call === 'GET /vkyc').length).toBeLessThanOrEqual(2);
});

test('a webhook with the event time of another webhook, or older than a poll result, makes a poll due immediately', async () => {
  const gateway = await bootGateway();
  const due = async (id: string) => {
    const { rows } = await gateway.database.query(
      'select unsettled, next_poll_at <= provider_heard_at as at_once from vkyc_session where verification_id = $1',
      [id],
    );
    return rows[0];
  };
  const send = async (id: string, subStatus: string, second: number) => {
    const { rowCount: before } = await gateway.database.query('select from provider_sighting');
    await gateway.webhook({
      ...webhookOf(id, 'PRE_VIDEO_CALL', subStatus, 0),
      event_time: new Date(Date.now() + second * 1000).toISOString(),
    });
    await eventually(
      async () => (await gateway.database.query('select from provider_sighting')).rowCount !== before,
    );
  };
  for (const id of ['tie.2', 'older.2']) {
    const { id: sessionId } = await gateway.start(id, { user: { userId: 'asha', phone: '9988776655' } });
    expect(sessionId).toBeDefined();
    // Waits for the webhook that the sandbox sends for the start, which gives the session its first event
    // time.
    await eventually(async () => {
      const { rows } = await gateway.database.query(
        'select provider_found_at from vkyc_session where verification_id = $1',
        [id],
      );
      return rows[0].provider_found_at === null;
    });
  }

  const at = 60;
  await send('tie.2', 'USER_QUEUED', at);
  expect(await due('tie.2')).toEqual({ unsettled: false, at_once: false });
  const { rows } = await gateway.database.query(
    `select provider_event_time as time from vkyc_session where verification_id = 'tie.2'`,
  );
  await gateway.webhook({
    ...webhookOf('tie.2', 'PRE_VIDEO_CALL', 'NO_AGENT_FOUND', 0),
    event_time: rows[0].time.toISOString(),
  });
  await eventually(async () => (await due('tie.2')).unsettled);
  expect(await due('tie.2')).toEqual({ unsettled: true, at_once: true });

  await gateway.database.query(
    `update vkyc_session set provider_found_at = now() + interval '1 hour' where verification_id = 'older.2'`,
  );
  await send('older.2', 'USER_QUEUED', at);
  expect(await due('older.2')).toEqual({ unsettled: true, at_once: true });
});

test('a webhook that may be older than a poll result makes the gateway poll, which corrects the status', async () => {
  const { gateway, clock } = await polledGateway({ SANDBOX_WEBHOOKS: 'documented' });
  // Drops all webhooks: that of the start would postpone the poll if it arrived after the clock was moved.
  await setFaults(gateway, { drop: {} });
  await gateway.start('older.happy-path');
  await gateway.advance('older.happy-path', 6);
  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'older.happy-path')).subStatus === 'NO_AGENT_FOUND');

  const { user } = await sessionOf(gateway, 'older.happy-path');
  await gateway.webhook({
    // Uses a status that no earlier poll of this test can have found.
    ...webhookOf('older.happy-path', 'PRE_VIDEO_CALL', 'USER_AUDIO_CHECK_FAILED', 0, user.userId),
    event_time: new Date(Date.now() + 2_000).toISOString(),
  });

  await eventually(async () => {
    const log = await logOf(gateway, 'older.happy-path');
    return log.slice(-2).join(', ') === 'WEBHOOK USER_AUDIO_CHECK_FAILED, POLL NO_AGENT_FOUND';
  });
});

test('if a webhook overtakes a poll response, the response is dropped, and the gateway asks the provider again immediately', async () => {
  let present = ['RECEIVED', 'LINK_GENERATED'];
  let held = Promise.resolve();
  let asked = 0;
  const { gateway, clock } = await againstScript(({ method, body }) => {
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'overtaken.1', user_id: 'asha' };
    if (method === 'GET') asked += 1;
    const [status, sub_status] = present;
    return { body: JSON.stringify({ ...sent, status, sub_status }), before: () => held };
  });
  await gateway.start('overtaken.1', { user: { userId: 'asha', phone: '9988776655' } });
  const askedByTheStart = asked;

  present = ['PRE_VIDEO_CALL', 'NO_AGENT_FOUND'];
  let letGo = () => {};
  held = new Promise((resolve) => {
    letGo = resolve;
  });
  clock.forward(15 * MINUTE);
  await eventually(async () => asked === askedByTheStart + 1);
  await gateway.webhook(webhookOf('overtaken.1', 'RECEIVED', 'LINK_GENERATED', 1));
  await eventually(async () => {
    const { rows } = await gateway.database.query('select provider_webhooks from vkyc_session');
    return rows[0].provider_webhooks === 1;
  });
  letGo();

  // The clock is not moved, so that no other poll becomes due.
  await eventually(async () => (await sessionOf(gateway, 'overtaken.1')).subStatus === 'NO_AGENT_FOUND');
  expect(asked).toBe(askedByTheStart + 2);
});

test('a poll that is answered after its session has ended does not mark the order of updates as uncertain, which would cause another poll', async () => {
  let held = Promise.resolve();
  let asked = 0;
  const { gateway, clock } = await againstScript(({ method, body }) => {
    const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'ends.1', user_id: 'asha' };
    if (method === 'GET') asked += 1;
    return {
      body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }),
      before: () => held,
    };
  });
  await gateway.start('ends.1', { user: { userId: 'asha', phone: '9988776655' } });
  const askedByTheStart = asked;
  let letGo = () => {};
  held = new Promise((resolve) => {
    letGo = resolve;
  });
  clock.forward(15 * MINUTE);
  await eventually(async () => asked === askedByTheStart + 1);
  await gateway.webhook(webhookOf('ends.1', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 1));
  await eventually(async () => (await sessionOf(gateway, 'ends.1')).subStatus === 'AUDITOR_APPROVED');
  const heardAt = async () =>
    (await gateway.database.query('select provider_heard_at::text as at, unsettled from vkyc_session'))
      .rows[0];
  const before = await heardAt();
  letGo();

  await eventually(async () => (await heardAt()).at !== before.at);
  expect(await heardAt()).toMatchObject({ unsettled: false });
});

test('two replicas with the same due sessions share one call budget and poll each session once', async () => {
  const asked: { id: string | null; at: number }[] = [];
  const provider = await startScriptedProvider(({ method, path, body }) => {
    const id = new URLSearchParams(path.split('?')[1]).get('verification_id');
    if (method === 'GET') asked.push({ id, at: performance.now() });
    const sent = method === 'GET' ? { verification_id: id } : JSON.parse(body);
    return { body: JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' }) };
  });
  const clock = movableClock();
  const environment = {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'secret',
    // 42 of these calls are for polls: one every 1.43 s.
    PROVIDER_CALLS_PER_MINUTE: '60',
  };
  const one = await bootGateway({ environment, clock, polling: true });
  await bootGateway({ environment, clock, polling: true, database: one.databaseUrl });
  for (let index = 0; index < 5; index += 1) await one.start(`budget.${index}`);

  clock.forward(15 * MINUTE);
  await eventually(async () => asked.length >= 5);

  const [first, last] = [asked[0], asked[4]].map((each) => each?.at ?? 0) as [number, number];
  // If each replica had a budget of its own, the polls would take half of this time.
  expect(last - first).toBeGreaterThan(4_500);
  expect(new Set(asked.slice(0, 5).map((each) => each.id)).size).toBe(5);
});
