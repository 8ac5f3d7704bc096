/** The gateway as a subgraph (`SUBGRAPH=1`): what a GraphQL router calls, on a real server and database. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTextWithLf } from '../../src/commands/read-text.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { onStatement } from '../harness/statements.ts';

const SUBGRAPH = { SUBGRAPH: '1' };
const START = `mutation ($input: VkycStartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on VkycStartSessionSuccess { session { id verificationId user { id userId } meeting { id } } }
    ... on VkycMutationError { message }
  }
}`;
const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on VkycSession { id verificationId status notes(first: 1) { nodes { text } } }
    ... on VkycUser { id userId name phone }
    ... on VkycMeeting { id reason }
    ... on VkycStatusTransition { id status }
  }
}`;

async function start(gateway: Gateway, verificationId: string, userId = `user-${verificationId}`) {
  const input = { verificationId, user: { userId, phone: '9988776655', name: 'Asha Rao' } };
  const { data, errors } = await gateway.graphql(START, { input });
  expect(errors).toBeUndefined();
  expect(data.startSession.__typename).toBe('VkycStartSessionSuccess');
  return data.startSession.session;
}

const ask = (gateway: Gateway, representations: object[], headers?: Record<string, string>) =>
  gateway.graphql(ENTITIES, { representations }, headers);

/** Returns the headers of a customer who may see these verifications. */
const asCustomer = async (gateway: Gateway, ...verificationIds: string[]) => ({
  authorization: `Bearer ${await gateway.token({ sub: 'asha', roles: ['CUSTOMER'], verification_ids: verificationIds })}`,
});

/** Returns the texts of the statements that are sent with keys such as `v-1` while `act` runs. */
async function statementsDuring(act: () => Promise<unknown>): Promise<string[]> {
  const texts: string[] = [];
  const stop = onStatement(({ text, values }) => {
    if (/\bv-\d/.test(JSON.stringify(values ?? []))) texts.push(text);
  });
  await act();
  stop();
  return texts;
}

describe('_service', () => {
  test('returns the committed SDL', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH });
    const { data } = await gateway.graphql('{ _service { sdl } }');
    const committed = await readTextWithLf(
      fileURLToPath(new URL('../../schema/subgraph.graphql', import.meta.url)),
    );
    expect(data._service.sdl === committed).toBe(true);
  });

  test('does not exist without SUBGRAPH=1, nor does _entities', async () => {
    const gateway = await bootGateway();
    for (const field of ['_service { sdl }', '_entities(representations: []) { __typename }'])
      expect((await gateway.graphql(`{ ${field} }`)).errors?.[0]?.message).toMatch(
        /Cannot query field "_\w+" on type "Query"/,
      );
  });

  test('SUBGRAPH_PREFIX begins the type names of the SDL and of the answers', async () => {
    const gateway = await bootGateway({ environment: { ...SUBGRAPH, SUBGRAPH_PREFIX: 'Kyc' } });
    const { data, errors } = await gateway.graphql(
      '{ _service { sdl } sessions(first: 1) { __typename } statusCatalog { __typename } }',
    );
    expect(errors).toBeUndefined();
    expect(data._service.sdl).toMatch(/^type KycVkycSession @key/m);
    expect(data.sessions.__typename).toBe('KycVkycSessionConnection');
    expect(data.statusCatalog[0].__typename).toBe('KycStatusInfo');
  });
});

describe('_entities', () => {
  test('returns sessions and people by each of their keys, in the order asked, and null for unknown ones', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH });
    const session = await start(gateway, 'v-1');
    const unknown = Buffer.from('VkycSession:00000000-0000-0000-0000-000000000000').toString('base64url');

    const { data, errors } = await ask(gateway, [
      { __typename: 'VkycUser', userId: 'user-v-1' },
      { __typename: 'VkycSession', verificationId: 'v-1' },
      { __typename: 'VkycSession', verificationId: 'v-2' },
      { __typename: 'VkycSession', id: session.id },
      { __typename: 'VkycSession', id: unknown },
      { __typename: 'VkycUser', id: session.user.id },
      { __typename: 'VkycUser', id: session.id },
      { __typename: 'VkycUser', userId: 'nobody' },
    ]);

    expect(errors).toBeUndefined();
    const person = { __typename: 'VkycUser', id: session.user.id, userId: 'user-v-1', name: 'Asha Rao' };
    const found = { __typename: 'VkycSession', id: session.id, verificationId: 'v-1', status: 'RECEIVED' };
    expect(data._entities).toEqual([
      expect.objectContaining(person),
      expect.objectContaining(found),
      null,
      expect.objectContaining(found),
      null,
      expect.objectContaining(person),
      null,
      null,
    ]);
  });

  test('reads 100 sessions by verificationId, and 100 people by userId, with one statement that finds them', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH, bothWays: false });
    for (let each = 1; each <= 3; each += 1) await start(gateway, `v-${each}`);
    const hundred = <T>(toKey: (name: string) => T) =>
      Array.from({ length: 100 }, (_, i) => toKey(`v-${i + 1}`));
    const byVerification = hundred((verificationId) => ({ __typename: 'VkycSession', verificationId }));
    const byUser = hundred((name) => ({ __typename: 'VkycUser', userId: `user-${name}` }));
    const QUERY = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on VkycSession { verificationId status } ... on VkycUser { userId } } }`;

    const ofSessions = await statementsDuring(async () => {
      const { data } = await gateway.graphql(QUERY, { representations: byVerification });
      expect(data._entities.filter(Boolean)).toHaveLength(3);
    });
    const ofUsers = await statementsDuring(async () => {
      const { data } = await gateway.graphql(QUERY, { representations: byUser });
      expect(data._entities.filter(Boolean)).toHaveLength(3);
    });

    expect([ofSessions.length, ofUsers.length]).toEqual([1, 1]);
  });

  test('shows a customer only own sessions and own data, and only fields of the role', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH });
    await start(gateway, 'v-1');
    await start(gateway, 'v-2');

    const { data, errors } = await ask(
      gateway,
      [
        { __typename: 'VkycSession', verificationId: 'v-1' },
        { __typename: 'VkycSession', verificationId: 'v-2' },
        { __typename: 'VkycUser', userId: 'user-v-1' },
        { __typename: 'VkycUser', userId: 'user-v-2' },
      ],
      await asCustomer(gateway, 'v-1'),
    );

    expect(errors).toBeUndefined();
    expect(data._entities).toEqual([
      expect.objectContaining({ verificationId: 'v-1', notes: null }),
      null,
      expect.objectContaining({ userId: 'user-v-1' }),
      null,
    ]);
  });

  test('costs as much as `nodes` of the schema itself', async () => {
    const [subgraph, plain] = [await bootGateway({ environment: SUBGRAPH }), await bootGateway()];
    const verificationIds = Array.from({ length: 40 }, (_, i) => `v-${i}`);
    const SELECTION = '... on VkycSession { status meetings(first: 10) { nodes { id } } user { id } }';
    const costOf = async (gateway: Gateway, query: string, variables: object) =>
      ((await gateway.graphql(query, variables)) as any).extensions.cost;

    const ofEntities = await costOf(
      subgraph,
      `query ($r: [_Any!]!) { _entities(representations: $r) { ${SELECTION} } }`,
      { r: verificationIds.map((verificationId) => ({ __typename: 'VkycSession', verificationId })) },
    );
    const ofNodes = await costOf(plain, `query ($ids: [ID!]!) { nodes(ids: $ids) { ${SELECTION} } }`, {
      ids: verificationIds,
    });

    expect(ofEntities).toEqual(ofNodes);
  });

  test('a representation without a known type or key, or the 101st, gets BAD_USER_INPUT that names it', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH });
    const refusalOf = async (...representations: unknown[]) =>
      (await ask(gateway, representations as object[])).errors?.[0];

    for (const [given, message] of [
      [
        [{ __typename: 'VkycSession', id: 'x' }, { __typename: 'VkycStatusInfo' }],
        'representations[1].__typename',
      ],
      [[{ __typename: 'toString' }], 'representations[0].__typename'],
      [['text'], 'representations[0].__typename'],
      [[{ __typename: 'VkycSession' }], 'representations[0] has no key: pass id or verificationId'],
      [[{ __typename: 'VkycSession', verificationId: 7 }], 'representations[0] has no key'],
      [Array(101).fill({ __typename: 'VkycSession', id: 'x' }), 'at most 100'],
    ] as const)
      expect(await refusalOf(...given)).toMatchObject({
        message: expect.stringContaining(message),
        extensions: { code: 'BAD_USER_INPUT' },
      });
  });

  test('a read of personal data by an entity is recorded in the read log', async () => {
    const gateway = await bootGateway({ environment: SUBGRAPH, bothWays: false });
    await start(gateway, 'v-1');

    await ask(gateway, [{ __typename: 'VkycUser', userId: 'user-v-1' }]);

    const { rows } = await gateway.database.query('select * from personal_data_read');
    expect(JSON.stringify(rows)).toContain('Query._entities');
    expect(JSON.stringify(rows)).toContain('VkycUser.name');
  });
});

describe('subscriptions of a subgraph', () => {
  test.each(['subscribe', 'stream'] as const)(
    '%s: frames have the type names of the subgraph',
    async (transport) => {
      const gateway = await bootGateway({ environment: SUBGRAPH });
      const session = await start(gateway, 'v-1');
      const frames = gateway[transport](
        `subscription ($id: ID!) { sessionLive(sessionId: $id) {
        __typename
        ... on VkycSessionSnapshot { session { __typename status } }
        ... on VkycStatusTransition { status }
        ... on VkycDeadlinePassed { dueAt }
      } }`,
        { id: session.id },
      );

      expect(await frames.next()).toEqual({
        __typename: 'VkycSessionSnapshot',
        session: { __typename: 'VkycSession', status: 'RECEIVED' },
      });
      await gateway.advance('v-1');
      let frame = await frames.next();
      while (frame.__typename === 'VkycHeartbeat') frame = await frames.next();
      expect(frame).toMatchObject({ __typename: 'VkycStatusTransition', status: 'PRE_VIDEO_CALL' });
    },
  );
});

test('a token without a role reads neither entities nor the SDL', async () => {
  const gateway = await bootGateway({ environment: SUBGRAPH });
  await start(gateway, 'v-1');
  const token = await gateway.token({ sub: 'asha', roles: [], verification_ids: ['v-1'] });
  const headers = { authorization: `Bearer ${token}` };

  const entities = await ask(gateway, [{ __typename: 'VkycSession', verificationId: 'v-1' }], headers);
  const service = await gateway.graphql('{ _service { sdl } }', {}, headers);

  for (const { data, errors } of [entities, service]) {
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(data).toBeNull();
  }
});

test('a key that the database cannot store is unknown, and a type name that is no text is refused', async () => {
  const gateway = await bootGateway({ environment: SUBGRAPH });
  await start(gateway, 'v-1');
  const known = { __typename: 'VkycSession', verificationId: 'v-1' };

  const { data } = await ask(gateway, [
    { __typename: 'VkycSession', verificationId: 'a\0' },
    { __typename: 'VkycUser', userId: '\ud800' },
    known,
  ]);
  expect(data._entities).toEqual([null, null, expect.objectContaining({ verificationId: 'v-1' })]);

  for (const name of ['{}', '{ toString: 1 }', '1', 'null']) {
    const { errors } = await gateway.graphql(
      `{ _entities(representations: [{ __typename: ${name} }]) { __typename } }`,
    );
    expect(errors?.[0]?.extensions.code, name).toBe('BAD_USER_INPUT');
  }
  expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
});
