import { expect, test } from 'vitest';
import { logOf, report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';

/** Returns the `changes` of the newest transition of a session. */
async function newestChanges(gateway: Gateway, id: string): Promise<string[]> {
  const { data } = await gateway.graphql(
    'query ($id: ID!) { session(id: $id) { transitions(last: 1) { nodes { changes } } } }',
    { id },
  );
  return data.session.transitions.nodes[0].changes;
}

test('the transition of a closed session lists MEETINGS among its changes if the closing cancelled a booked meeting', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'told.1', 'USER_MISSED_MEETING');
  await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });

  const closed = await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' });

  expect(closed.session.meetings.nodes[0].status).toBe('CANCELLED');
  expect(await newestChanges(gateway, id)).toEqual(['STATUS', 'MEETINGS', 'CLOSURE']);
});

test.each([
  ['closing', 'CLOSURE'],
  ['replacing', 'REPLACEMENT'],
])('after %s an expired session, its newest transition has STATUS in its changes', async (how, change) => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'told.2', 'VKYC_EXPIRED');
  expect((await olga.look(id)).statusInfo.waitingOn).toBe('MERCHANT');

  if (how === 'closing') await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' });
  else
    await olga.start({
      verificationId: 'told.3',
      user: { phone: '9988776655' },
      replacesSessionId: id,
    });

  expect((await olga.look(id)).statusInfo.waitingOn).toBe('NOBODY');
  expect(await newestChanges(gateway, id)).toEqual(['STATUS', 'MEETINGS', change]);
});

test("if the provider reports an approval after an auditor's rejection, the session waits for the merchant, and the transition lists DISPUTE among its changes", async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'told.4', 'AUDITOR_REJECTED');
  await report(gateway, 'told.4', 'AUDITOR_APPROVED');
  await settled(gateway);

  expect((await logOf(gateway, 'told.4')).at(-1)).toBe('DISPUTED WEBHOOK AUDITOR_APPROVED -');
  expect((await olga.look(id)).statusInfo.waitingOn).toBe('MERCHANT');
  expect(await newestChanges(gateway, id)).toEqual(['STATUS', 'REVIEWS', 'DISPUTE']);
});

test("the transition of an auditor's decision lists MEETINGS among its changes if the decision cancelled a booked meeting", async () => {
  const gateway = await bootGateway({ environment: { AUDIT_UNKNOWN_AGENTS: '1' } });
  const { olga, uma } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'told.5', 'USER_MISSED_MEETING');
  await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await report(gateway, 'told.5', 'AGENT_APPROVED');
  await settled(gateway);

  const audited = await uma.act('recordAuditorReview', id, { decision: 'APPROVED' });

  expect(audited.session.meetings.nodes[0].status).toBe('CANCELLED');
  expect(await newestChanges(gateway, id)).toEqual(['STATUS', 'MEETINGS', 'REVIEWS']);
});
