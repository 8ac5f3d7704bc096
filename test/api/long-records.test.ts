import { expect, test } from 'vitest';
import { sessionAt, staffOf } from '../harness/acting.ts';
import { bootGateway } from '../harness/gateway.ts';

test('the field `escalations` of a session lists the newest 100 escalations, oldest first, each with its own resolution', async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'many.1', 'USER_REJECTED_MEETING');
  for (let round = 1; round <= 101; round += 1) {
    await olga.act('escalateSession', id, { reason: 'OTHER', note: `called ${round}` });
    await olga.act('resolveEscalation', id, { note: `answered ${round}` });
  }
  await olga.act('escalateSession', id, { reason: 'OTHER', note: 'called again' });

  const { escalations, escalation } = await olga.query(
    `query ($id: ID!) { result: session(id: $id) {
       escalations { note resolution } escalation { note resolution }
     } }`,
    { id },
  );

  expect(escalations).toHaveLength(100);
  expect(escalations[0]).toEqual({ note: 'called 3', resolution: 'answered 3' });
  expect(escalations.at(-2)).toEqual({ note: 'called 101', resolution: 'answered 101' });
  expect([escalations.at(-1), escalation]).toEqual(Array(2).fill({ note: 'called again', resolution: null }));
});

test.each([
  ['an open session', false],
  ['a closed session whose polls are over', true],
])('notes and escalations of %s do not move its planned poll', async (_what, isClosed) => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, 'polls.1', 'USER_REJECTED_MEETING');
  if (isClosed) {
    await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' });
    await gateway.database.query(
      `update vkyc_session set next_poll_at = null, link_expires_at = now() - interval '40 days',
       provider_heard_at = now() - interval '20 days', status_since = now() - interval '40 days'`,
    );
  }
  const plannedPoll = async () =>
    (await gateway.database.query('select next_poll_at from vkyc_session')).rows[0].next_poll_at;
  const planned = await plannedPoll();

  await olga.act('addNote', id, { note: 'Called.' });
  await olga.act('escalateSession', id, { reason: 'TECHNICAL' });
  await olga.act('resolveEscalation', id, { note: 'Works.' });

  expect(planned === null).toBe(isClosed);
  expect(await plannedPoll()).toEqual(planned);
});
