import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { countStatements } from '../harness/statements.ts';

const SHOWN = `id cursor sequence session { id verificationId } from { status subStatus } status subStatus rawStatus rawSubStatus
  statusInfo { explanation waitingOn } applied source actor reason occurredAt recordedAt`;
const ALL = `subscription ($after: String) { statusTransitions(after: $after) { ${SHOWN} } }`;
const ONE = `subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { ${SHOWN} } }`;
const SCHEDULE = `mutation ($input: ScheduleMeetingInput!) { scheduleMeeting(input: $input) { __typename } }`;

test('a replica sends transitions that it recorded itself without reading them from the log, in the same frames as a replica that reads the log', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('handed.over.1');
  const [all, one] = [
    gateway.subscribe(ALL, { after: startCursor }),
    gateway.subscribe(ONE, { id, after: startCursor }),
  ];
  const say = async (number: number) => {
    const data = {
      verification_id: 'handed.over.1',
      // Every fifth raw status is unknown and contains a lone surrogate, which PostgreSQL cannot store.
      status: number % 5 === 0 ? 'NEWS \ud800' : 'PRE_VIDEO_CALL',
      sub_status: number % 2 === 0 ? 'USER_QUEUED' : 'AGENT_ASSIGNED_TO_USER',
    };
    const event_time = new Date(Date.now() + number * 1_000).toISOString();
    expect(await gateway.webhook({ event_type: 'VKYC', event_time, data })).toBe(200);
  };
  await say(1);
  const live = await all.take(2);
  const ofOne = await one.take(2);
  const reads = [countStatements('from feed f'), countStatements('from status_transition t')];
  for (let number = 2; number <= 40; number += 1) {
    if (number % 10 === 0)
      await gateway.graphql(SCHEDULE, {
        input: {
          sessionId: id,
          idempotencyKey: `key ${number}`,
          startsAt: new Date(Date.now() + 600_000 + number).toISOString(),
        },
      });
    else await say(number);
    live.push(await all.next());
    ofOne.push(await one.next());
  }
  const read = reads.map((count) => count());

  expect(new Set(live.map(({ source }) => source))).toEqual(new Set(['WEBHOOK', 'MUTATION']));
  // Compares without cursors, because only the cursors of the log over all sessions contain a feed position.
  const withoutCursor = ({ cursor: _, ...rest }: Record<string, unknown>) => rest;
  expect(ofOne.map(withoutCursor)).toEqual(live.map(withoutCursor));
  // Allows a few reads, because the hub polls the log every two seconds even if nothing is missing.
  for (const times of read) expect(times).toBeLessThan(20);
  const later = await bootGateway({ database: gateway.databaseUrl });
  expect(await later.subscribe(ALL, { after: startCursor }).take(live.length)).toEqual(live);
  expect(await later.subscribe(ONE, { id, after: startCursor }).take(live.length)).toEqual(ofOne);
});
