import { expect, test } from 'vitest';
import { sessionAt, staffOf } from '../harness/acting.ts';
import { bootGateway } from '../harness/gateway.ts';

test('of many escalations the newest 100 are listed, oldest first, each with its own resolution', async () => {
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
