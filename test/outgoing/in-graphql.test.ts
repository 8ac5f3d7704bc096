/** Stories of administrators who look at merchant webhooks, and send them again, by the API. */
import { describe, expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { type Person, person } from '../harness/people.ts';
import { SECRET, sendTo, sequencesOf, startReceiver, verify } from '../harness/receiver.ts';

const DELIVERY =
  'id endpoint type session { id verificationId } sequence state attempts queuedAt dueAt settledAt outcome webhookId';
const ENDPOINTS =
  '{ result: merchantEndpoints { name host eventTypes state failingSince pausedUntil pending parked } }';
const DELIVERIES = `query ($first: Int!, $after: String, $filter: WebhookDeliveryFilter) {
  result: webhookDeliveries(first: $first, after: $after, filter: $filter) {
    nodes { ${DELIVERY} } pageInfo { hasNextPage endCursor } } }`;
const OF_SESSION = `query ($id: ID!, $first: Int!, $after: String) {
  result: session(id: $id) { webhookDeliveries(first: $first, after: $after) {
    nodes { ${DELIVERY} } pageInfo { hasNextPage endCursor } } } }`;
const REPLAY = `mutation ($input: ReplayWebhooksInput!) { result: replayWebhooks(input: $input) {
  __typename
  ... on ReplayWebhooksSuccess { queued mayHaveMore }
  ... on MutationError { code message }
  ... on InvalidInputError { problems { path message } } } }`;

const replay = (who: Person, input: object) => who.query(REPLAY, { input });
const list = async (who: Person, filter: object = {}) =>
  (await who.query(DELIVERIES, { first: 100, filter })).nodes;

/** Gateway whose receiver has accepted the first three events of a session. */
async function deliveredSession() {
  const receiver = await startReceiver();
  const clock = movableClock();
  const environment = sendTo({ core: receiver });
  const gateway = await bootGateway({ environment, clock, lookIntervalMs: 20 });
  const admin = await person(gateway, 'amal', 'ADMIN');
  const { id } = await gateway.start('shown.happy-path');
  await gateway.advance('shown.happy-path', 2);
  await eventually(async () => (await list(admin, { state: 'DONE' })).length >= 3);
  return { receiver, clock, gateway, admin, id };
}

describe('merchant webhooks in GraphQL', () => {
  test('an administrator sees the deliveries newest first, by page and by condition, and those of a session', async () => {
    const { receiver, admin, id } = await deliveredSession();

    const all = await list(admin);
    expect(all.map(({ sequence }: any) => sequence)).toEqual([3, 2, 1]);
    expect(all[0]).toMatchObject({
      ...{ endpoint: 'core', type: 'session.transitioned', state: 'DONE', attempts: 1, outcome: 'HTTP 200' },
      ...{ dueAt: null, settledAt: expect.any(String), session: { id, verificationId: 'shown.happy-path' } },
    });
    expect(all.map(({ webhookId }: any) => webhookId).reverse()).toEqual(
      receiver.accepted.map(({ id: webhookId }) => webhookId),
    );
    for (const [query, variables] of [
      [DELIVERIES, {}],
      [OF_SESSION, { id }],
    ] as const) {
      const unpack = (result: any) => result.webhookDeliveries ?? result;
      const first = unpack(await admin.query(query, { ...variables, first: 2 }));
      expect(first.nodes).toEqual(all.slice(0, 2));
      expect(first.pageInfo.hasNextPage).toBe(true);
      const rest = unpack(
        await admin.query(query, { ...variables, first: 2, after: first.pageInfo.endCursor }),
      );
      expect(rest).toMatchObject({ nodes: [all[2]], pageInfo: { hasNextPage: false } });
    }
    expect(await list(admin, { endpoint: 'core', state: 'DONE', type: 'session.transitioned' })).toEqual(all);
    expect(await list(admin, { state: 'PARKED' })).toEqual([]);
    expect(await list(admin, { endpoint: 'unknown' })).toEqual([]);
    expect(await list(admin, { type: 'review.recorded' })).toEqual([]);
  });

  test('an endpoint shows its host and health, and never the path, the query or the secrets', async () => {
    const receiver = await startReceiver();
    const clock = movableClock();
    const environment = sendTo({ core: receiver }, { url: `${receiver.url}/path-token?key=query-token` });
    const gateway = await bootGateway({ environment, clock, lookIntervalMs: 20 });
    const admin = await person(gateway, 'amal', 'ADMIN');
    const [working] = await admin.query(ENDPOINTS);
    expect(working).toMatchObject({
      ...{ name: 'core', host: new URL(receiver.url).host, state: 'WORKING', failingSince: null },
      ...{ pausedUntil: null, pending: 0, parked: 0 },
    });

    receiver.answer(() => 500);
    await gateway.start('failing.1');
    const failing = await eventually(async () => {
      const [endpoint] = await admin.query(ENDPOINTS);
      return endpoint.state === 'FAILING' && endpoint;
    });
    expect(failing).toMatchObject({ failingSince: expect.any(String), pending: 1 });
    receiver.answer((_delivery, response) => {
      response.writeHead(503, { 'retry-after': '600' }).end();
      return undefined;
    });
    clock.forward(10_000);
    const paused = await eventually(async () => {
      const [endpoint] = await admin.query(ENDPOINTS);
      return endpoint.state === 'PAUSED' && endpoint;
    });

    expect(paused.pausedUntil).toEqual(expect.any(String));
    expect(JSON.stringify([working, failing, paused])).not.toMatch(/token|hooks|whsec/);
    expect(JSON.stringify(paused)).not.toContain(SECRET);
  });

  test('other roles see neither endpoints nor deliveries, and cannot replay', async () => {
    const { gateway, receiver, id, admin } = await deliveredSession();
    const [{ id: deliveryId }] = await list(admin);
    const count = receiver.received.length;
    for (const role of ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR']) {
      const other = await person(gateway, 'other', role, ['shown.happy-path']);
      for (const asked of [
        other.query(ENDPOINTS),
        other.query(DELIVERIES, { first: 1 }),
        replay(other, { deliveryIds: [deliveryId] }),
      ])
        expect(await asked, role).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      expect(await other.query(OF_SESSION, { id, first: 1 }), role).toEqual({ webhookDeliveries: null });
    }
    expect(receiver.received.length).toBe(count);
  });

  test('a replay of some, of a state or since a time sends the same ids again, and is recorded', async () => {
    const { gateway, receiver, admin, clock } = await deliveredSession();
    const [newest] = await list(admin);
    const known = new Set(receiver.received.map(({ id }) => id));
    const before = new Date(clock.now().getTime() - 3_600_000).toISOString();

    expect(await replay(admin, { deliveryIds: [newest.id] })).toEqual({
      ...{ __typename: 'ReplayWebhooksSuccess', queued: 1, mayHaveMore: false },
    });
    await eventually(async () => receiver.received.length === 4);
    expect(receiver.received[3]).toMatchObject({ id: newest.webhookId });
    await eventually(async () => (await list(admin, { state: 'DONE' })).length === 3);
    expect(await replay(admin, { endpoint: 'core', state: 'DONE' })).toMatchObject({ queued: 3 });
    await eventually(async () => receiver.received.length === 7);
    await eventually(async () => (await list(admin, { state: 'DONE' })).length === 3);
    expect(await replay(admin, { endpoint: 'core', since: before })).toMatchObject({ queued: 3 });
    await eventually(async () => receiver.received.length === 10);

    expect(new Set(receiver.received.map(({ id }) => id))).toEqual(known);
    for (const delivery of receiver.received) verify(delivery);
    expect(sequencesOf(receiver, 'shown.happy-path')).toEqual([1, 2, 3]);
    const { rows } = await gateway.database.query(
      `select viewer, subjects from personal_data_read where operations = '{Mutation.replayWebhooks}' order by id`,
    );
    expect(rows).toMatchObject([
      { viewer: 'amal', subjects: [expect.stringMatching(/^merchant_delivery:\d+$/)] },
      { viewer: 'amal', subjects: ['merchant_endpoint:core state DONE'] },
      { viewer: 'amal', subjects: [`merchant_endpoint:core since ${before}`] },
    ]);
  });

  test('a replay that cannot be done is refused with the reason, and queues nothing', async () => {
    const { receiver, admin, id, clock } = await deliveredSession();
    const unknown = Buffer.from('WebhookDelivery:999999').toString('base64url');
    const invalid = async (input: object, path: string[], message: RegExp) =>
      expect(await replay(admin, input)).toMatchObject({
        __typename: 'InvalidInputError',
        problems: [{ path, message: expect.stringMatching(message) }],
      });
    const tomorrow = new Date(clock.now().getTime() + 86_400_000).toISOString();

    await invalid({}, ['endpoint'], /must be given, unless deliveryIds is/);
    await invalid({ endpoint: 'core' }, ['state'], /must be given, or since/);
    await invalid({ deliveryIds: [] }, ['deliveryIds'], /at least one/);
    await invalid({ deliveryIds: [id] }, ['deliveryIds', '0'], /must be the id of a WebhookDelivery/);
    await invalid({ deliveryIds: Array(1_001).fill(unknown) }, ['deliveryIds'], /at most 1000 ids/);
    await invalid({ deliveryIds: [unknown], state: 'DONE' }, ['state'], /left out with deliveryIds/);
    await invalid({ endpoint: 'core', state: 'DONE', since: tomorrow }, ['since'], /left out with state/);
    await invalid({ endpoint: 'core', since: tomorrow }, ['since'], /must be in the past/);
    for (const input of [
      { deliveryIds: [unknown] },
      { endpoint: 'unknown', state: 'PARKED' },
      { endpoint: 'core', state: 'PARKED' },
    ])
      expect(await replay(admin, input)).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND' });
    expect((await replay(admin, { endpoint: 'unknown', state: 'PARKED' })).message).toContain('core');

    expect(receiver.received.length).toBe(3);
  });

  test('without endpoints the lists are empty, and a replay is refused', async () => {
    const gateway = await bootGateway();
    const admin = await person(gateway, 'amal', 'ADMIN');

    expect(await admin.query(ENDPOINTS)).toEqual([]);
    expect(await list(admin)).toEqual([]);
    expect(await replay(admin, { endpoint: 'core', state: 'PARKED' })).toMatchObject({
      ...{ __typename: 'NotFoundError', message: expect.stringContaining('WEBHOOK_ENDPOINTS is empty') },
    });
  });
});
