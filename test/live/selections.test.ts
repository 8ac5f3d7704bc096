import { once } from 'node:events';
import type { GraphQLObjectType } from 'graphql';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createCursorCodec, getSessionStartPosition } from '../../src/feed/cursor.ts';
import { getSchema } from '../../src/graphql/schema.ts';
import { atTheEnd, bootGateway, eventually, type Gateway, type Stream } from '../harness/gateway.ts';
import { createSessions, record } from '../harness/log-writer.ts';
import { inMinutes, person } from '../harness/people.ts';
import { webhooksSettled } from '../harness/rows.ts';
import { onStatement } from '../harness/statements.ts';

/** Allowance for the SQL statements that timers send during a measurement. */
const BY_THE_CLOCK = 12;

const idOf = (key: string): string => Buffer.from(`VkycSession:${key}`).toString('base64url');

const cursorsOf = async (gateway: Gateway, epochs = 0) => {
  const { rows } = await gateway.database.query('select epoch, cursor_key from log_identity');
  return createCursorCodec({ epoch: rows[0].epoch + epochs, cursorKey: rows[0].cursor_key });
};

test('subscribers with the same selection but different variables or default values each get the result of their own values', async () => {
  const gateway = await bootGateway();
  const [id] = (await createSessions(gateway.database, 1)) as [string];
  const after = (await cursorsOf(gateway)).encode(getSessionStartPosition(id));
  for (let count = 0; count < 4; count += 1) await record(gateway.database, id);
  const watch = (byDefault: number, variables = {}) =>
    gateway.subscribe(
      `subscription Watch($last: Int = ${byDefault}, $after: String) {
        statusTransitions(after: $after) { session { transitions(last: $last) { nodes { sequence } } } }
      }`,
      { ...variables, after },
    );
  const streams = [watch(1), watch(3), watch(3, { last: 2 })];
  const last = await Promise.all(streams.map(async (stream) => (await stream.take(4))[3]));

  expect(last.map(({ session }) => session.transitions.nodes.length)).toEqual([1, 3, 2]);
});

test('a later replay of the same transitions shows the current session, and the transitions themselves unchanged', async () => {
  const gateway = await bootGateway();
  const [id] = (await createSessions(gateway.database, 1)) as [string];
  const after = (await cursorsOf(gateway)).encode(getSessionStartPosition(id));
  await record(gateway.database, id);
  const look = async (selection: string) => {
    const stream = gateway.subscribe(
      `subscription ($after: String!) { statusTransitions(after: $after) { ${selection} } }`,
      { after },
    );
    // Leaves the stream open: the gateway drops the cached frames of a selection with its last subscriber, and the
    // second call of `look` must find the cached frames.
    return stream.next();
  };
  const [moment, log] = ['session { transitions(last: 1) { nodes { sequence } } }', 'cursor sequence status'];
  const before = { moment: await look(moment), log: await look(log) };
  await record(gateway.database, id);

  expect(before.moment).toEqual({ session: { transitions: { nodes: [{ sequence: 1 }] } } });
  expect(await look(moment)).toEqual({ session: { transitions: { nodes: [{ sequence: 2 }] } } });
  expect(await look(log)).toEqual(before.log);
});

test('two sessionLive subscriptions that begin in the same tick, one with an expired cursor, each get their own value of resync', async () => {
  const gateway = await bootGateway();
  const [key] = (await createSessions(gateway.database, 1)) as [string];
  const id = idOf(key);
  await record(gateway.database, key);
  const expired = (await cursorsOf(gateway, 7)).encode({ ...getSessionStartPosition(key), sequence: 1 });
  const query =
    'subscription ($id: ID!, $after: String) { sessionLive(sessionId: $id, after: $after) { ... on SessionSnapshot { resync } } }';
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  atTheEnd(async () => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  const resync = new Map<string, boolean>();
  socket.on('message', (data) => {
    const { id: operation, payload } = JSON.parse(String(data));
    const told = payload?.data?.sessionLive?.resync;
    if (told !== undefined) resync.set(operation, told);
  });

  for (const [operation, variables] of Object.entries({ fresh: { id }, old: { id, after: expired } }))
    socket.send(JSON.stringify({ id: operation, type: 'subscribe', payload: { query, variables } }));
  await eventually(async () => resync.size === 2);

  expect(Object.fromEntries(resync)).toEqual({ fresh: false, old: true });
});

test('feedCursor of a query is never ahead of the transitions in the same result', async () => {
  const gateway = await bootGateway();
  const [key] = (await createSessions(gateway.database, 1)) as [string];
  const cursors = await cursorsOf(gateway);
  await record(gateway.database, key);
  let writing = true;
  const writer = (async () => {
    while (writing) await record(gateway.database, key);
  })();

  const ahead: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const { data } = await gateway.graphql(
      `{ ...End session(id: "${idOf(key)}") { transitions(last: 1) { nodes { sequence } } } } fragment End on Query { feedCursor }`,
    );
    const shown = data.session.transitions.nodes[0].sequence;
    ahead.push(cursors.decode(data.feedCursor).sequence - shown);
  }
  writing = false;
  await writer;

  expect(Math.max(...ahead)).toBeLessThanOrEqual(0);
});

test('sending a transition to the one customer who may see it takes no more SQL statements with 30 subscribed customers than with 2', async () => {
  const gateway = await bootGateway();
  const sessions = await createSessions(gateway.database, 30);
  const [first] = sessions as [string];
  const query =
    'subscription { feed { ... on Heartbeat { cursor } ... on StatusTransition { session { availableActions } } } }';
  const streams: Stream<object>[] = [];
  let statements = 0;
  onStatement(() => {
    statements += 1;
  });

  const counts: number[] = [];
  for (const customers of [2, 30]) {
    while (streams.length < customers) {
      const own = sessions[streams.length] as string;
      const token = await gateway.token({ sub: own, roles: ['CUSTOMER'], verification_ids: [own] });
      const stream = gateway.subscribe<object>(query, {}, { authorization: `Bearer ${token}` });
      // Waits for the first heartbeat, which shows that the subscription is live.
      await stream.next();
      streams.push(stream);
    }
    // Uses only the count of the second round: in the first round the gateway does not know yet that the results depend
    // on the viewer.
    const rounds: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      const next = (streams[0] as Stream<object>).next();
      statements = 0;
      await record(gateway.database, first);
      await next;
      rounds.push(statements);
    }
    counts.push(rounds[1] as number);
  }

  expect(counts[1]).toBeLessThanOrEqual((counts[0] as number) + BY_THE_CLOCK);
});

test('a frame that selects the actor is executed once for all staff, and once for each customer', async () => {
  const gateway = await bootGateway();
  const verificationId = 'acted.on';
  const session = await gateway.start(verificationId);
  await webhooksSettled(gateway.database);
  const operator = await person(gateway, 'olga', 'OPERATOR');
  const query =
    'subscription { feed { ... on Heartbeat { cursor } ... on StatusTransition { applied actor } } }';
  const following = async (sub: string, role: string) => {
    const token = await gateway.token({ sub, roles: [role], verification_ids: [verificationId] });
    const stream = gateway.subscribe<{ actor: string | null }>(
      query,
      {},
      { authorization: `Bearer ${token}` },
    );
    // Waits for the first heartbeat, which shows that the subscription is live.
    await stream.next();
    return stream;
  };
  const staff = await Promise.all(['VIEWER', 'AGENT', 'ADMIN'].map((role) => following(role, role)));
  const customers = await Promise.all(['asha', 'bala'].map((sub) => following(sub, 'CUSTOMER')));
  const { applied } = (getSchema().getType('StatusTransition') as GraphQLObjectType).getFields();
  const executed = vi.spyOn(applied as { resolve: (...given: unknown[]) => unknown }, 'resolve');
  atTheEnd(async () => executed.mockRestore());

  const executions: number[] = [];
  // Uses only the count of the second round: in the first round the gateway does not know yet that the result differs
  // between customers.
  for (const minutes of [30, 40]) {
    executed.mockClear();
    await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(minutes) });
    const shown = await Promise.all(
      [...staff, ...customers].map(async (stream) => (await stream.next()).actor),
    );
    expect(shown).toEqual(['olga', 'olga', 'olga', null, null]);
    executions.push(executed.mock.calls.length);
  }

  expect(executions[1]).toBe(1 + customers.length);
});
