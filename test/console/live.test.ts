import { expect, test } from 'vitest';
import { staffOf } from '../harness/acting.ts';
import { takeBackup } from '../harness/backup.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { importConsole, signIn } from './in-node.ts';

const FLOOR = [{}, { field: 'UPDATED_AT', direction: 'DESC' }] as const;

/** Starts a `LiveSessionStore` (session page) or `FloorStore` (list of sessions); it is stopped when the test ends. */
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
  const { LiveSessionStore } = await importConsole('live/session.ts');
  const { FloorStore } = await importConsole('live/floor.ts');
  await booted.advance('lost.happy-path', 1);
  await recorded(booted, id, 2);
  const restore = await takeBackup(booted.database);
  await booted.advance('lost.happy-path', 4);
  await recorded(booted, id, 6);
  const session = start(new LiveSessionStore(gateway, id));
  const floor = start(new FloorStore(gateway, ...FLOOR));
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

/** Lists the queries of a console client from now on, each by its name and the parts of the page that it asks for. */
function recordQueries(gateway: any): string[] {
  const queries: string[] = [];
  const send = gateway.query.bind(gateway);
  gateway.query = (operation: any, variables: object) => {
    const [{ name }] = operation.definitions;
    const parts = Object.entries(variables).flatMap(([part, isWanted]) => (isWanted === true ? [part] : []));
    queries.push([name.value, ...parts].join(' '));
    return send(operation, variables);
  };
  return queries;
}

test('after a frame, the session page of the console queries again only the parts that the frame names as changed, and shows all changes', async () => {
  const booted = await bootGateway();
  const { olga, ravi, uma } = await staffOf(booted);
  const { id } = await booted.start('counted.awaits-review');
  const gateway = await signIn(booted.url);
  const { LiveSessionStore } = await importConsole('live/session.ts');
  const { VkycSession } = await importConsole('operations.ts');
  const queries = recordQueries(gateway);
  const session = start(new LiveSessionStore(gateway, id));
  await eventually(async () => session.view.state === 'live');
  expect(queries.splice(0)).toEqual(['VkycSession']);
  const fresh = await signIn(booted.url);
  /** Waits until the view equals what a new page would load, and returns the queries that this took. */
  const queriesUntilShown = async (): Promise<string[]> => {
    await eventually(async () => {
      const { transitions, ...page } = (await fresh.query(VkycSession, { id })).session;
      const { log } = session.view;
      return (
        log.at(-1)?.sequence === transitions.nodes.at(-1).sequence &&
        JSON.stringify(sorted(session.view.page)) === JSON.stringify(sorted(page))
      );
    });
    return queries.splice(0);
  };
  const after = async (work: Promise<any>): Promise<string[]> => {
    expect((await work)?.code).toBeUndefined();
    return queriesUntilShown();
  };

  expect(await after(olga.act('addNote', id, { note: 'She asks for a call.' }))).toEqual([
    'VkycSessionParts notes',
  ]);
  expect(await after(olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) }))).toEqual([
    'VkycSessionParts meetings',
  ]);
  expect(await after(ravi.act('escalateSession', id, { reason: 'TECHNICAL' }))).toEqual([
    'VkycSessionParts escalations',
  ]);
  expect(await after(uma.act('resolveEscalation', id, { note: 'Mended.' }))).toEqual([
    'VkycSessionParts escalations',
  ]);
  // For most steps the frame contains every change. Only after a step that changed the meeting or the remarks of the
  // agent does the console query that part again.
  const inTheFlow: string[] = [];
  for (let step = 1; step <= 11; step += 1) {
    await booted.advance('counted.awaits-review');
    await recorded(booted, id, 5 + step);
    inTheFlow.push(...(await queriesUntilShown()));
  }
  const named = session.view.log
    .filter(({ sequence }: any) => sequence > 5)
    .map(({ changes }: any) => changes.filter((change: string) => change !== 'STATUS'))
    .filter((changes: string[]) => changes.length > 0);
  expect(inTheFlow).toEqual(
    named.map((changes: string[]) => `VkycSessionParts ${changes.join(' ').toLowerCase()}`),
  );
  expect(inTheFlow.length).toBeLessThanOrEqual(3);
  // A review may also end the meeting that was booked before it.
  expect(await after(ravi.act('recordAgentReview', id, { decision: 'APPROVED' }))).toEqual([
    'VkycSessionParts meetings reviews',
  ]);
  expect(await after(uma.act('recordAuditorReview', id, { decision: 'APPROVED' }))).toEqual([
    'VkycSessionParts meetings reviews',
  ]);
});

test('the session page of the console shows a closure, and then a replacement, after one query each', async () => {
  const booted = await bootGateway();
  const { olga } = await staffOf(booted);
  const { id } = await booted.start('ended');
  const gateway = await signIn(booted.url);
  const { LiveSessionStore } = await importConsole('live/session.ts');
  const queries = recordQueries(gateway);
  const session = start(new LiveSessionStore(gateway, id));
  await eventually(async () => session.view.state === 'live');
  queries.splice(0);

  await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'CUSTOMER_WITHDREW', note: 'By phone.' });
  await eventually(async () => session.view.page.closure !== null);
  expect(session.view.page.closure).toMatchObject({ outcome: 'FAILED', note: 'By phone.', closedBy: 'olga' });
  expect(queries.splice(0)).toEqual(['VkycSessionParts meetings closure']);

  const user = { userId: session.view.page.user.userId };
  const started = await olga.start({ verificationId: 'ended.again', user, replacesSessionId: id });
  await eventually(async () => session.view.page.replacedBy !== null);
  expect(session.view.page.replacedBy).toEqual({ id: started.session.id, verificationId: 'ended.again' });
  expect(queries.splice(0)).toEqual(['VkycSessionParts meetings replacement']);
});

/** Returns the value with its fields in alphabetical order, at every depth. */
const sorted = (value: any): any => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((name) => [name, sorted(value[name])]),
  );
};
