import { expect, test } from 'vitest';
import { takeBackup } from '../harness/backup.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { importConsole, signIn } from './in-node.ts';

const FLOOR = [{}, { field: 'UPDATED_AT', direction: 'DESC' }] as const;

/** Starts a `LiveSession` (session page) or `Floor` (list of sessions); it is stopped when the test ends. */
function start<Live extends { start(): void; stop(): void }>(live: Live): Live {
  live.start();
  atTheEnd(async () => live.stop());
  return live;
}

/** Waits until the log of a session has `count` transitions. */
const recorded = (gateway: Gateway, id: string, count: number) =>
  eventually(async () => {
    const query = '($id: ID!) { session(id: $id) { transitions(first: 50) { nodes { sequence } } } }';
    const { data } = await gateway.graphql(`query ${query}`, { id });
    return data.session.transitions.nodes.length === count;
  });

test('a subscription of the console that the gateway refuses fails with the code and message of the refusal', async () => {
  const booted = await bootGateway();
  const gateway = await signIn(booted.url);
  const { VkycWatchFloor } = await importConsole('operations.ts');

  const failure = await new Promise((resolve) =>
    gateway.watch(VkycWatchFloor, { after: 'nonsense' }, { next: resolve, onState() {}, fail: resolve }),
  );

  expect(failure).toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringMatching(/cursor was not issued/),
  });
});

test('after a failover that lost transitions, the session page and the list of the console no longer show the lost transitions', async () => {
  const booted = await bootGateway();
  const { id } = await booted.start('lost.happy-path');
  const gateway = await signIn(booted.url);
  const { LiveSession } = await importConsole('live/session.ts');
  const { Floor } = await importConsole('live/floor.ts');
  await booted.advance('lost.happy-path', 1);
  await recorded(booted, id, 2);
  const restore = await takeBackup(booted.database);
  await booted.advance('lost.happy-path', 4);
  await recorded(booted, id, 6);
  const session = start(new LiveSession(gateway, id));
  const floor = start(new Floor(gateway, ...FLOOR));
  const shown = () => ({
    log: session.view.log.map(({ sequence }: { sequence: number }) => sequence),
    versions: [session.view.page?.version, floor.view.rows[0]?.version],
    states: [session.view.state, floor.view.state],
  });
  await eventually(async () => shown().states.join() === 'live,live' && shown().log.length === 6);
  expect(shown()).toMatchObject({ log: [1, 2, 3, 4, 5, 6], versions: [6, 6] });

  await restore();

  await eventually(async () => shown().versions.join() === '2,2' && shown().states.join() === 'live,live');
  await eventually(async () => shown().log.length === 2);
  expect(shown().log).toEqual([1, 2]);
});
