/** Tests webhooks whose `event_time` is days ahead of the gateway's clock. */
import { expect, test } from 'vitest';
import { stillClock } from '../harness/clock.ts';
import { eventually, type Gateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { againstScript, logOf, sessionOf, webhookOf } from './polled.ts';

const DAY_MS = 24 * 3_600_000;
const ASHA = { user: { userId: 'asha', phone: '9988776655' } };
const STEPS = [
  'AADHAAR_VERIFICATION_SUCCESS',
  'USER_IP_VERIFICATION_SUCCESSFUL',
  'USER_LOCATION_VERIFICATION_SUCCESS',
  'USER_DEVICE_CHECK_SUCCESS',
] as const;

const APPLIED = `query ($id: String!) {
  sessionByVerificationId(verificationId: $id) {
    transitions(first: 50) { nodes { subStatus applied occurredAt source } }
  }
}`;
const appliedIn = async (gateway: Gateway, id: string): Promise<boolean[]> =>
  (await gateway.graphql(APPLIED, { id })).data.sessionByVerificationId.transitions.nodes.map(
    ({ applied }: { applied: boolean }) => applied,
  );

/** Returns a webhook whose event time is a minute ago plus this many milliseconds. */
const newsAt = (id: string, sub_status: string, ms: number) => ({
  ...webhookOf(id, 'PRE_VIDEO_CALL', sub_status, 0),
  event_time: new Date(Date.now() - 60_000 + ms).toISOString(),
});

/** Boots a gateway with a session. The provider reports the status pair `present`. */
async function sessionAtTheLink(id: string, polling: boolean) {
  const said = { present: ['RECEIVED', 'LINK_GENERATED'], asked: 0 };
  const running = await againstScript(
    ({ method, path, body }) => {
      if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
      if (method === 'GET') said.asked += 1;
      const ids = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
      const [status, sub_status] = said.present;
      return { body: JSON.stringify({ ...ids, status, sub_status }) };
    },
    // The clock stands still, so that no poll becomes due by itself.
    { polling, clock: stillClock() },
  );
  await running.gateway.start(id, ASHA);
  const send = async (body: object) => {
    expect(await running.gateway.webhook(body)).toBe(200);
    await webhooksSettled(running.gateway.database);
  };
  return { ...running, said, send };
}

/** Sends thirteen webhooks with correct times, a second apart. */
async function sendThirteen(id: string, send: (body: object) => Promise<void>): Promise<void> {
  for (let index = 0; index < 13; index += 1)
    await send(newsAt(id, STEPS[index % STEPS.length] as string, index * 1_000));
}

test("after a webhook dated three days ahead of the gateway's clock, thirteen webhooks with correct times are all applied, in order", async () => {
  const { gateway, send } = await sessionAtTheLink('ahead.1', false);
  await send(newsAt('ahead.1', 'USER_QUEUED', 3 * DAY_MS));
  await sendThirteen('ahead.1', send);

  expect(await appliedIn(gateway, 'ahead.1')).toEqual(Array(15).fill(true));
  // Webhooks with correct event times are ordered again: an older one is not applied.
  await send(newsAt('ahead.1', 'USER_PROXY_DETECTED', 500));
  expect((await appliedIn(gateway, 'ahead.1')).at(-1)).toBe(false);
  expect((await sessionOf(gateway, 'ahead.1')).subStatus).toBe(STEPS[12 % STEPS.length]);
});

test('a webhook dated three days ahead is recorded once with that time, and the gateway asks the provider for the current status', async () => {
  const { gateway, said, send } = await sessionAtTheLink('ahead.2', true);
  said.present = ['PRE_VIDEO_CALL', 'NO_AGENT_FOUND'];
  const askedBefore = said.asked;
  const ahead = newsAt('ahead.2', 'USER_QUEUED', 3 * DAY_MS);

  await send(ahead);
  await eventually(async () => (await sessionOf(gateway, 'ahead.2')).subStatus === 'NO_AGENT_FOUND');
  expect(said.asked).toBeGreaterThan(askedBefore);
  await send({ ...ahead, event_type: 'AGAIN' });

  expect(await logOf(gateway, 'ahead.2')).toEqual([
    'MUTATION LINK_GENERATED',
    'WEBHOOK USER_QUEUED',
    'POLL NO_AGENT_FOUND',
  ]);
  const { data } = await gateway.graphql(APPLIED, { id: 'ahead.2' });
  const [, queued] = data.sessionByVerificationId.transitions.nodes;
  expect(queued.occurredAt).toBe(new Date(ahead.event_time).toISOString());
});

test('a session for which an earlier release stored an event time in the future applies webhooks with correct times again', async () => {
  const { gateway, send } = await sessionAtTheLink('held.1', false);
  await gateway.database.query(`update vkyc_session set provider_event_time = now() + interval '3 days'`);

  await sendThirteen('held.1', send);

  expect(await appliedIn(gateway, 'held.1')).toEqual(Array(14).fill(true));
  const { rows } = await gateway.database.query(
    'select provider_event_time < now() as healed, unsettled from vkyc_session',
  );
  expect(rows).toEqual([{ healed: true, unsettled: true }]);
});

test('if the first webhook of a session is dated ahead of the clock, the order of updates is marked as uncertain, and later webhooks are applied', async () => {
  let deliver: () => Promise<unknown> = async () => {};
  const { gateway } = await againstScript(
    ({ method, path, body }) => {
      if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
      const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'begins.1', user_id: 'asha' };
      const answer = JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' });
      return { body: answer, before: () => deliver() };
    },
    { polling: false },
  );
  deliver = async () => {
    await gateway.webhook({
      ...webhookOf('begins.1', 'RECEIVED', 'LINK_GENERATED', 0),
      event_time: new Date(Date.now() + 3 * DAY_MS).toISOString(),
    });
    await webhooksSettled(gateway.database);
  };

  await gateway.start('begins.1', ASHA);
  await gateway.webhook(newsAt('begins.1', 'USER_QUEUED', 0));
  await webhooksSettled(gateway.database);

  expect(await logOf(gateway, 'begins.1')).toEqual(['WEBHOOK LINK_GENERATED', 'WEBHOOK USER_QUEUED']);
  expect(await appliedIn(gateway, 'begins.1')).toEqual([true, true]);
  const { rows } = await gateway.database.query('select unsettled from vkyc_session');
  expect(rows).toEqual([{ unsettled: true }]);
});
