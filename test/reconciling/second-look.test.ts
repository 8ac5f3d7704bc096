/**
 * Tests poll results that repeat an older status pair of the session: either the provider lags, or the
 * customer went back a step.
 */
import { expect, test } from 'vitest';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { againstScript, logOf, looked, MINUTE, sessionOf, webhookOf } from './polled.ts';

const SECOND = 1_000;
const ASHA = { user: { userId: 'asha', phone: '9988776655' } };

/**
 * Boots a gateway with a session that a webhook moved to USER_QUEUED. The provider reports the status pair
 * `present`.
 */
async function queuedSession(id: string, options: Parameters<typeof againstScript>[1] = {}) {
  const said = { present: ['RECEIVED', 'LINK_GENERATED'], asked: 0 };
  const running = await againstScript(({ method, path, body }) => {
    if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
    if (method === 'GET') said.asked += 1;
    const ids = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
    const [status, sub_status] = said.present;
    return { body: JSON.stringify({ ...ids, status, sub_status, reference_id: 7 }) };
  }, options);
  const { gateway } = running;
  const { id: sessionId } = await gateway.start(id, ASHA);
  await gateway.webhook(webhookOf(id, 'PRE_VIDEO_CALL', 'USER_QUEUED', 10));
  await webhooksSettled(gateway.database);
  return { ...running, said, sessionId };
}

const doubtsIn = async (gateway: Gateway): Promise<number> =>
  (await gateway.database.query('select from doubted_answer')).rowCount ?? 0;

test('a poll result that lags behind a webhook does not move the session back: the provider is polled again after 5 s', async () => {
  const { gateway, clock, said } = await queuedSession('lags.1');

  clock.forward(15 * MINUTE);
  await eventually(async () => (await doubtsIn(gateway)) === 1);
  expect(await logOf(gateway, 'lags.1')).toEqual(['MUTATION LINK_GENERATED', 'WEBHOOK USER_QUEUED']);
  const askedBefore = said.asked;

  said.present = ['PRE_VIDEO_CALL', 'USER_QUEUED'];
  clock.forward(5 * SECOND);
  await eventually(async () => (await doubtsIn(gateway)) === 0);

  expect(said.asked).toBe(askedBefore + 1);
  expect(await logOf(gateway, 'lags.1')).toEqual(['MUTATION LINK_GENERATED', 'WEBHOOK USER_QUEUED']);
  const { rows } = await gateway.database.query('select unsettled from vkyc_session');
  expect(rows).toEqual([{ unsettled: false }]);
});

test('a session whose customer really went back a step is moved back by the second poll', async () => {
  const { gateway, clock } = await queuedSession('loops.1');

  clock.forward(15 * MINUTE);
  await eventually(async () => (await doubtsIn(gateway)) === 1);
  clock.forward(5 * SECOND);
  await eventually(async () => (await sessionOf(gateway, 'loops.1')).subStatus === 'LINK_GENERATED');

  expect((await logOf(gateway, 'loops.1')).at(-1)).toBe('POLL LINK_GENERATED');
  expect(await doubtsIn(gateway)).toBe(0);
});

test('refreshSession does not apply a doubted result (an older status pair), reports no change, and schedules a second poll', async () => {
  const { gateway, clock, sessionId } = await queuedSession('refreshed.1', { polling: false });
  const staff = await person(gateway, 'olga', 'OPERATOR');
  const planned = async () => {
    const { rows } = await gateway.database.query(
      `select unsettled, extract(epoch from next_poll_at - since)::float as seconds
       from vkyc_session join doubted_answer on session_id = id`,
    );
    return rows;
  };

  // A second refresh comes too soon to confirm the result of the first one, but does not postpone the second
  // poll.
  for (const _time of [1, 2]) {
    expect(await staff.ask('refreshSession', sessionId)).toMatchObject({
      changed: false,
      session: { subStatus: 'USER_QUEUED' },
    });
    expect(await planned()).toEqual([{ unsettled: true, seconds: 5 }]);
  }

  clock.forward(5 * SECOND);
  expect(await staff.ask('refreshSession', sessionId)).toMatchObject({
    changed: true,
    session: { subStatus: 'LINK_GENERATED' },
  });
});

test('a doubted poll result (an older status pair) still fills in missing fields of the session', async () => {
  const { gateway, sessionId } = await queuedSession('fills.1', { polling: false });
  await gateway.database.query('update vkyc_session set reference_id = null');
  const staff = await person(gateway, 'olga', 'OPERATOR');

  await staff.ask('refreshSession', sessionId);

  const { rows } = await gateway.database.query('select reference_id from vkyc_session');
  expect(rows).toEqual([{ reference_id: '7' }]);
});

test('if a webhook arrives between two polls with the same older status pair, the second poll does not confirm the first one', async () => {
  const { gateway, clock, said, sessionId } = await queuedSession('voided.1', { polling: false });
  const staff = await person(gateway, 'olga', 'OPERATOR');
  await staff.ask('refreshSession', sessionId);

  await gateway.webhook(webhookOf('voided.1', 'PRE_VIDEO_CALL', 'AGENT_ASSIGNED_TO_USER', 20));
  await webhooksSettled(gateway.database);
  clock.forward(5 * SECOND);

  expect(await staff.ask('refreshSession', sessionId)).toMatchObject({
    changed: false,
    session: { subStatus: 'AGENT_ASSIGNED_TO_USER' },
  });
  said.present = ['PRE_VIDEO_CALL', 'AGENT_ASSIGNED_TO_USER'];
  clock.forward(5 * SECOND);
  expect(await staff.ask('refreshSession', sessionId)).toMatchObject({ changed: false });
  expect(await doubtsIn(gateway)).toBe(0);
});

test('a second poll that a stopped gateway process has planned is made by another process', async () => {
  const { gateway, clock, provider, sessionId } = await queuedSession('handed.1', { polling: false });
  const staff = await person(gateway, 'olga', 'OPERATOR');
  await staff.ask('refreshSession', sessionId);
  const environment = {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  await gateway.stop();
  clock.forward(5 * SECOND);

  const other = await bootGateway({ environment, clock, polling: true, database: gateway.databaseUrl });
  atTheEnd(other.stop);
  await eventually(async () => (await sessionOf(other, 'handed.1')).subStatus === 'LINK_GENERATED');
});

test('a poll result with a status pair that the session never had needs no second poll', async () => {
  const { gateway, clock, said } = await queuedSession('new.1');
  said.present = ['PRE_VIDEO_CALL', 'NO_AGENT_FOUND'];

  clock.forward(15 * MINUTE);
  await eventually(async () => (await sessionOf(gateway, 'new.1')).subStatus === 'NO_AGENT_FOUND');
  await looked(gateway);

  expect(await doubtsIn(gateway)).toBe(0);
});
