import { expect, test } from 'vitest';
import { expectSound, listed, logOf, PHONE, report, settled, staffOf } from '../harness/acting.ts';
import { eventually, type Gateway } from '../harness/gateway.ts';
import { looked, MINUTE, polledGateway } from './polled.ts';

const DAY = 24 * 60 * MINUTE;
const TO_THE_END_OF_THE_CALL = 8;

const PROVISIONAL = `query ($id: ID!) { result: session(id: $id) {
  status subStatus providerStatus providerSubStatus providerAgrees disputed availableActions statusInfo { waitingOn }
} }`;

/** Boots a gateway that polls, and starts a session whose call has ended. */
async function afterTheCall(verificationId: string, environment: Record<string, string> = {}) {
  const { gateway, clock } = await polledGateway(environment);
  const staff = await staffOf(gateway);
  const { id } = await gateway.start(verificationId);
  await gateway.advance(verificationId, TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await staff.ravi.look(id)).subStatus === 'AGENT_ENDED_CALL');
  await settled(gateway);
  const look = () => staff.uma.query(PROVISIONAL, { id });
  return { gateway, clock, id, look, ...staff };
}

const pollsOf = async ({ database }: Gateway): Promise<number> => {
  const { rows } = await database.query(
    'select extract(epoch from next_poll_at)::float as at from vkyc_session limit 1',
  );
  return rows[0].at;
};

test("polling after a final approval in the gateway finds the provider's rejection whose webhook was lost, and the session becomes disputed", async () => {
  const { gateway, clock, id, look, ravi, uma, dev } = await afterTheCall('blind.unheard-rejection');
  await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
  await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });

  expect(await look()).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    providerStatus: 'VIDEO_CALL',
    providerSubStatus: 'AGENT_ENDED_CALL',
    providerAgrees: false,
    disputed: false,
    availableActions: expect.arrayContaining(['REFRESH']),
  });
  await gateway.advance('blind.unheard-rejection', 2);
  await looked(gateway);
  expect(await look()).toMatchObject({ disputed: false, providerSubStatus: 'AGENT_ENDED_CALL' });
  clock.forward(2 * 60 * MINUTE);
  await eventually(async () => (await look()).disputed);

  expect(await look()).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    providerSubStatus: 'AUDITOR_REJECTED',
    providerAgrees: false,
    statusInfo: { waitingOn: 'MERCHANT' },
  });
  expect((await logOf(gateway, 'blind.unheard-rejection')).at(-1)).toBe('DISPUTED POLL AUDITOR_REJECTED -');
  expect(await listed(dev, { disputed: true })).toEqual(['blind.unheard-rejection']);
  // The provider has contradicted the decision, so no further poll is planned.
  expect(await pollsOf(gateway)).toBeNull();
  await dev.act('resolveDispute', id, { resolution: 'ACCEPT_PROVIDER', note: 'They are right.' });
  expect(await look()).toMatchObject({
    subStatus: 'AUDITOR_REJECTED',
    providerAgrees: true,
    disputed: false,
  });
  await expectSound(gateway);
});

test("refreshSession also finds the provider's rejection, and is no longer offered once the provider has decided", async () => {
  const { gateway, id, look, ravi, uma } = await afterTheCall('refresh.unheard-rejection');
  await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
  await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
  await gateway.advance('refresh.unheard-rejection', 2);

  const refreshed = await uma.ask('refreshSession', id);

  expect(refreshed).toMatchObject({ changed: true, session: { disputed: true } });
  expect((await look()).availableActions).not.toContain('REFRESH');
  expect((await uma.ask('refreshSession', id)).message).toBe('The session is over.');
  await expectSound(gateway);
});

test('once the provider confirms a final decision made in the gateway, providerAgrees is true and polling ends', async () => {
  const { gateway, id, look, ravi, uma } = await afterTheCall('agrees.late-approval');
  await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
  await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
  expect((await look()).providerAgrees).toBe(false);

  await gateway.advance('agrees.late-approval', 2);
  await eventually(async () => (await look()).providerAgrees);

  expect(await look()).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    providerSubStatus: 'AUDITOR_APPROVED',
  });
  expect((await look()).availableActions).not.toContain('REFRESH');
  expect(await pollsOf(gateway)).toBeNull();
  await expectSound(gateway);
});

test('providerAgrees is true for a status that the provider reported, and false after a booking in the gateway until the provider reports a booking', async () => {
  const { gateway } = await polledGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await gateway.start('booked.1');
  const agrees = async () => (await olga.query(PROVISIONAL, { id })).providerAgrees;

  expect(await agrees()).toBe(true);
  await olga.act('scheduleMeeting', id, { startsAt: new Date(Date.now() + 30 * MINUTE).toISOString() });
  expect(await agrees()).toBe(false);
  await report(gateway, 'booked.1', 'USER_MEETING_SCHEDULED');
  await eventually(agrees);
});

test('polling for a confirmation ends when DECISION_CONFIRM_DAYS have passed since the link expired', async () => {
  const { gateway, clock, id, ravi, uma } = await afterTheCall('quiet.late-approval', {
    DECISION_CONFIRM_DAYS: '3',
  });
  await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
  await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });
  // Queries without a token, because a token would expire when the clock moves on.
  const look = async () => (await gateway.graphql(PROVISIONAL, { id })).data.result;
  const forward = async (ms: number) => {
    const before = await pollsOf(gateway);
    clock.forward(ms);
    await eventually(async () => (await pollsOf(gateway)) !== before);
  };

  // The sandbox's links are valid for up to 30 days.
  await forward(28 * DAY);
  expect((await look()).availableActions).toContain('REFRESH');
  await forward(6 * DAY);

  expect(await pollsOf(gateway)).toBeNull();
  expect(await look()).toMatchObject({
    subStatus: 'AUDITOR_APPROVED',
    providerAgrees: false,
    disputed: false,
  });
  expect((await look()).availableActions).not.toContain('REFRESH');
});

test("polling finds the provider's approval of a session that was closed in the gateway, although the approval's webhooks were lost", async () => {
  const { gateway, clock, id, look, olga } = await afterTheCall('closed.late-approval');
  await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'CUSTOMER_WITHDREW' });
  expect(await look()).toMatchObject({
    providerAgrees: false,
    availableActions: expect.arrayContaining(['REFRESH']),
  });

  await fetch(new URL('/_sandbox/faults', gateway.sandboxUrl), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ drop: { probability: 1 } }),
  });
  await gateway.advance('closed.late-approval', 2);
  clock.forward(2 * 60 * MINUTE);
  await eventually(async () => (await look()).disputed);

  expect(await look()).toMatchObject({
    subStatus: 'FAILED_BY_MERCHANT',
    providerSubStatus: 'AUDITOR_APPROVED',
  });
  await expectSound(gateway);
});

test('a session whose link expired without a provider update can be replaced, and the new session has a new link', async () => {
  const { gateway, clock } = await polledGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await gateway.start('gone.unheard-expiry');
  clock.forward(MINUTE);
  expect(await olga.look(id)).toMatchObject({
    subStatus: 'LINK_GENERATED',
    availableActions: expect.arrayContaining(['REPLACE', 'CLOSE']),
    blockedActions: expect.arrayContaining([
      { action: 'SCHEDULE_MEETING', reason: "The customer's link has expired: start a new session." },
    ]),
  });

  const started = await olga.start({
    verificationId: 'gone.2',
    user: { phone: PHONE },
    replacesSessionId: id,
  });

  expect(started.session).toMatchObject({ subStatus: 'LINK_GENERATED', replaces: { id } });
  expect(await olga.look(id)).toMatchObject({ subStatus: 'REPLACED', availableActions: [] });
  await expectSound(gateway);
});

test('a replaced session is no longer polled, although the provider has not ended it', async () => {
  const { gateway } = await polledGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await gateway.start('idle.1');
  await olga.start({ verificationId: 'idle.2', user: { phone: PHONE }, replacesSessionId: id });

  const { rows } = await gateway.database.query(
    'select verification_id as id, next_poll_at is null as never from vkyc_session order by 1',
  );
  expect(rows).toEqual([
    { id: 'idle.1', never: true },
    { id: 'idle.2', never: false },
  ]);
});
