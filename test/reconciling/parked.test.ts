/**
 * Tests that a parked (dead-lettered) webhook that names a known session makes the gateway ask the provider.
 */
import { expect, test } from 'vitest';
import { stillClock } from '../harness/clock.ts';
import { eventually } from '../harness/gateway.ts';
import type { Script } from '../harness/provider.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { againstScript, logOf, looked, sessionOf, webhookOf } from './polled.ts';

const ASHA = { user: { userId: 'asha', phone: '9988776655' } };

/**
 * Boots a gateway whose provider reports the status pair `present` for one verification, or does not respond
 * if `present` is null.
 */
async function askedAbout(id: string) {
  const said = { present: ['RECEIVED', 'LINK_GENERATED'] as string[] | null, asked: 0 };
  // The clock stands still, so that no poll becomes due by itself.
  const clock = stillClock();
  const script: Script = ({ method, path, body }) => {
    if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
    if (method === 'GET') said.asked += 1;
    if (said.present === null) return null;
    const ids = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
    const [status, sub_status] = said.present;
    return { body: JSON.stringify({ ...ids, status, sub_status }) };
  };
  const running = await againstScript(script, { clock });
  await running.gateway.start(id, ASHA);
  return { ...running, clock, said };
}

const unreadable = (id: string) => {
  const body = webhookOf(id, 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 10);
  return { ...body, data: { ...body.data, status: 7 } };
};

test('an unreadable webhook that names a session is parked (dead-lettered), and the gateway asks the provider immediately', async () => {
  const { gateway, said } = await askedAbout('parked.1');
  said.present = ['AUDITOR_REVIEWED', 'AUDITOR_APPROVED'];

  await gateway.webhook(unreadable('parked.1'));

  await eventually(async () => (await sessionOf(gateway, 'parked.1')).subStatus === 'AUDITOR_APPROVED');
  expect(await logOf(gateway, 'parked.1')).toEqual(['MUTATION LINK_GENERATED', 'POLL AUDITOR_APPROVED']);
  await eventually(async () => (await gateway.database.query('select from provider_lookup')).rowCount === 0);
  const { rows } = await gateway.database.query('select state from webhook_inbox');
  expect(rows).toEqual([{ state: 'PARKED' }]);
});

test('a webhook that names another user than its session has makes the gateway ask the provider immediately', async () => {
  const { gateway, said } = await askedAbout('parked.2');
  said.present = ['PRE_VIDEO_CALL', 'USER_QUEUED'];

  await gateway.webhook(webhookOf('parked.2', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 10, 'bina'));

  await eventually(async () => (await sessionOf(gateway, 'parked.2')).subStatus === 'USER_QUEUED');
});

test('an unreadable webhook makes the gateway ask the provider even if the session has ended, because the webhook may contradict its status', async () => {
  const { gateway, said } = await askedAbout('parked.3');
  await gateway.webhook(webhookOf('parked.3', 'AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 10));
  await webhooksSettled(gateway.database);
  said.present = ['AUDITOR_REVIEWED', 'AUDITOR_REJECTED'];

  await gateway.webhook(unreadable('parked.3'));

  await eventually(async () => (await logOf(gateway, 'parked.3')).at(-1) === 'POLL AUDITOR_REJECTED');
  expect((await sessionOf(gateway, 'parked.3')).subStatus).toBe('AUDITOR_APPROVED');
});

test('if the provider does not respond after an unreadable webhook, the gateway asks the provider again later', async () => {
  const { gateway, clock, said } = await askedAbout('parked.4');
  said.present = null;
  await gateway.webhook(unreadable('parked.4'));
  await eventually(async () => {
    const { rows } = await gateway.database.query('select due_at > since as again from provider_lookup');
    return rows[0]?.again;
  });

  said.present = ['PRE_VIDEO_CALL', 'USER_QUEUED'];
  clock.forward(60_000);

  await eventually(async () => (await sessionOf(gateway, 'parked.4')).subStatus === 'USER_QUEUED');
});

test('an unreadable webhook that names an unknown session does not make the gateway ask the provider', async () => {
  const { gateway, said } = await askedAbout('parked.5');
  const asked = said.asked;

  await gateway.webhook(unreadable('stranger.5'));
  await webhooksSettled(gateway.database);
  await looked(gateway);

  expect(said.asked).toBe(asked);
});
