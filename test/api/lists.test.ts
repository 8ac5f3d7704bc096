import type { GraphQLObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';

const gateway = await bootGateway();
for (const index of [1, 2, 3, 4, 5, 6]) await gateway.start(`list_${index}`);
await gateway.start('list_a', { user: { phone: '9000000000', userId: 'many' } });
await gateway.start('list_b', { user: { phone: '9000000000', userId: 'many' } });
await gateway.start('listxb', { user: { phone: '9000000000', userId: 'many' } });

const PAGE = `query ($first: Int, $last: Int, $after: String, $before: String, $filter: SessionFilter, $orderBy: SessionOrder) {
  sessions(first: $first, last: $last, after: $after, before: $before, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { id verificationId createdAt updatedAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const page = async (variables: object) => (await gateway.graphql(PAGE, variables)).data.sessions;
const ids = (connection: any): string[] => connection.nodes.map((node: any) => node.verificationId);

const ORDERS = ['CREATED_AT', 'UPDATED_AT'].flatMap((field) =>
  ['ASC', 'DESC'].map((direction) => ({ field, direction })),
);

test.each(ORDERS)(
  'in the order $field $direction, paging forward and backward gives the same sessions as one page',
  async (orderBy) => {
    const all = ids(await page({ first: 100, orderBy }));
    const forwards: string[] = [];
    for (let after = null, more = true; more; ) {
      const next = await page({ first: 2, after, orderBy });
      forwards.push(...ids(next));
      after = next.pageInfo.endCursor;
      more = next.pageInfo.hasNextPage;
    }
    const backwards: string[] = [];
    for (let before = null, more = true; more; ) {
      const next = await page({ last: 2, before, orderBy });
      backwards.unshift(...ids(next));
      before = next.pageInfo.startCursor;
      more = next.pageInfo.hasPreviousPage;
    }

    expect(forwards).toEqual(all);
    expect(backwards).toEqual(all);
  },
);

test('sessions can be filtered by user, literal prefix, time, status and the party that has to act next', async () => {
  const filtered = async (filter: object) => ids(await page({ first: 100, filter })).toSorted();
  const { nodes } = await page({ first: 100, orderBy: { field: 'CREATED_AT', direction: 'ASC' } });

  expect(await filtered({ userId: 'many' })).toEqual(['list_a', 'list_b', 'listxb']);
  expect(await filtered({ userId: 'nobody' })).toEqual([]);
  expect(await filtered({ verificationIdPrefix: 'list_b' })).toEqual(['list_b']);
  expect(await filtered({ verificationIdPrefix: '%' })).toEqual([]);
  expect(await filtered({ createdAfter: nodes[0].createdAt })).toHaveLength(nodes.length - 1);
  expect(await filtered({ createdBefore: nodes[0].createdAt })).toEqual([]);
  expect(await filtered({ updatedAfter: inMinutes(1) })).toEqual([]);
  expect(
    await filtered({ waitingOn: ['CUSTOMER'], status: ['RECEIVED'], subStatus: ['LINK_GENERATED'] }),
  ).toHaveLength(nodes.length);
  expect(await filtered({ waitingOn: ['AGENT', 'NOBODY'] })).toEqual([]);
});

test('a list of sessions refuses a cursor of a list in another order', async () => {
  const { pageInfo } = await page({ first: 1 });
  const { errors } = await gateway.graphql(PAGE, {
    first: 1,
    after: pageInfo.endCursor,
    orderBy: { field: 'UPDATED_AT', direction: 'ASC' },
  });
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining('in this order'),
    extensions: { code: 'BAD_USER_INPUT' },
  });
});

test("a user's sessions can be paged, newest first", async () => {
  const query = `query ($id: String!, $after: String) { sessionByVerificationId(verificationId: $id) {
    user { userId sessions(first: 2, after: $after) { totalCount nodes { verificationId } pageInfo { hasNextPage endCursor } } } } }`;
  const sessionsOf = async (after: string | null) =>
    (await gateway.graphql(query, { id: 'list_a', after })).data.sessionByVerificationId.user.sessions;

  const first = await sessionsOf(null);
  const second = await sessionsOf(first.pageInfo.endCursor);

  expect([ids(first), ids(second)]).toEqual([['listxb', 'list_b'], ['list_a']]);
  expect(first).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
});

test('a customer who pages through their own sessions learns nothing of other sessions of the same user', async () => {
  const user = { phone: '9222222222', userId: 'shared' };
  for (const name of ['own.1', 'other.1', 'other.2', 'own.2', 'other.3']) await gateway.start(name, { user });
  const token = await gateway.token({
    ...{ sub: 'asha', roles: ['CUSTOMER'] },
    verification_ids: ['own.1', 'own.2'],
  });
  const query = `query ($id: String!, $after: String) { sessionByVerificationId(verificationId: $id) {
    user { id sessions(first: 1, after: $after) { totalCount nodes { verificationId } edges { cursor } pageInfo { hasNextPage endCursor } } } } }`;
  const look = async (after: string | null) => {
    const headers = { authorization: `Bearer ${token}` };
    const { data } = await gateway.graphql(query, { id: 'own.1', after }, headers);
    return data.sessionByVerificationId.user;
  };

  const { id, sessions: first } = await look(null);
  expect([ids(first), first.totalCount, first.pageInfo.hasNextPage]).toEqual([['own.2'], 2, true]);
  const { sessions: second } = await look(first.pageInfo.endCursor);
  expect([ids(second), second.pageInfo.hasNextPage]).toEqual([['own.1'], false]);
  // Forged cursors at positions directly before sessions that the customer may not see.
  const { rows } = await gateway.database.query(
    `select id, created_at from vkyc_session where verification_id in ('other.1', 'other.2') order by created_at`,
  );
  for (const row of rows) {
    const forged = Buffer.from(`c${row.created_at.getTime() + 1}:${row.id}`).toString('base64url');
    const { sessions } = await look(forged);
    expect([ids(sessions), sessions.pageInfo.hasNextPage]).toEqual([['own.1'], false]);
  }
  const found = await gateway.graphql(
    'query ($id: ID!) { node(id: $id) { id } }',
    { id },
    { authorization: `Bearer ${token}` },
  );
  expect(found.data.node).toEqual({ id });
});

const NOBODYS = '01a20a00-207c-77e4-bbd3-8de9fa006fe3';
const FORGED = {
  nonsense: 'x',
  'an empty text': '',
  'a time beyond the range': `c999999999999999:${NOBODYS}`,
  'a time of the year 12000': `c316538809599999:${NOBODYS}`,
  'a negative time': `c-1:${NOBODYS}`,
  'a cursor without a time': `c:${NOBODYS}`,
  'an invalid id': "c1:' or true --",
  'a cursor of another order': `u1:${NOBODYS}`,
  'SQL after the cursor': `c1:${NOBODYS}; select 1`,
};

test.each(Object.entries(FORGED))(
  'a forged list cursor (%s) is refused with BAD_USER_INPUT',
  async (_, text) => {
    const cursor = Buffer.from(text).toString('base64url');
    for (const variables of [{ after: cursor }, { before: cursor }])
      expect(await gateway.graphql(PAGE, { first: 1, ...variables })).toMatchObject({
        status: 200,
        errors: [
          {
            message: expect.stringContaining('cursor was not issued'),
            extensions: { code: 'BAD_USER_INPUT' },
          },
        ],
      });
  },
);

test('node and nodes find objects by id, and return null for an invalid id and for what the viewer may not see', async () => {
  const operator = await person(gateway, 'olga', 'OPERATOR');
  const session = await gateway.start('noded.1', { user: { phone: '9111111111' } });
  const { meeting } = await operator.act('scheduleMeeting', session.id, { startsAt: inMinutes(30) });
  const { data } = await gateway.graphql(
    `query ($id: ID!) { session(id: $id) { id user { id } transitions(first: 2) { nodes { id } } } }`,
    { id: session.id },
  );
  const wanted = [
    session.id,
    data.session.user.id,
    data.session.transitions.nodes[1].id,
    meeting.id,
    'nonsense',
  ];
  const NODES = 'query ($ids: [ID!]!, $id: ID!) { node(id: $id) { id } nodes(ids: $ids) { __typename id } }';
  const seenBy = async (claims: { sub: string; roles: string[]; verification_ids?: string[] }) => {
    const headers = { authorization: `Bearer ${await gateway.token(claims)}` };
    return (await gateway.graphql(NODES, { ids: wanted, id: session.id }, headers)).data;
  };

  expect(await seenBy({ sub: 'vera', roles: ['VIEWER'] })).toEqual({
    node: { id: wanted[0] },
    nodes: [
      { __typename: 'VkycSession', id: wanted[0] },
      { __typename: 'VkycUser', id: wanted[1] },
      { __typename: 'StatusTransition', id: wanted[2] },
      { __typename: 'Meeting', id: wanted[3] },
      null,
    ],
  });
  expect(await seenBy({ sub: 'x', roles: ['CUSTOMER'], verification_ids: ['other'] })).toEqual({
    node: null,
    nodes: [null, null, null, null, null],
  });
});

const OF_SESSION: Record<string, string> = {
  user: '{ userId name }',
  statusInfo: '{ explanation waitingOn }',
  replaces: '{ id }',
  replacedBy: '{ id }',
  meeting: '{ id }',
  meetings: '(first: 5) { nodes { id } }',
  reviews: '{ decision }',
  notes: '(first: 5) { nodes { id } }',
  notifications: '(first: 5) { nodes { id } }',
  webhookDeliveries: '(first: 5) { nodes { id } }',
  closure: '{ reason }',
  escalation: '{ reason }',
  escalations: '{ reason }',
  disputeResolutions: '{ resolution }',
  assignments: '{ agent }',
  metadata: '{ key value }',
  blockedActions: '{ action reason }',
  transitions: '(first: 5) { nodes { sequence } }',
};
const OF_TRANSITION: Record<string, string> = {
  session: '{ id }',
  from: '{ explanation }',
  statusInfo: '{ explanation }',
};
const fieldsOf = (type: string, more: Record<string, string>): string[] =>
  Object.keys((getSchema().getType(type) as GraphQLObjectType).getFields()).map(
    (name) => `${name}${more[name] ?? ''}`,
  );

test('a session field has the same value selected alone and with all other fields, in a list and in a single session', async () => {
  const { id } = (await page({ first: 1 })).nodes[0];
  await gateway.database.query(`update vkyc_session set user_template = 'steps', agent_template = 'steps',
    raw_status = 'RAW', raw_sub_status = 'SUB', replaces_id = (select id from vkyc_session where verification_id = 'list_1')
    where verification_id = 'listxb'`);
  const ask = async (session: string, transition: string) => {
    const log = `log: transitions(first: 5) { nodes { ${transition} } }`;
    const query = `query ($id: ID!) { session(id: $id) { ${session} ${log} } sessions(first: 9) {
      nodes { ${session} ${log} } edges { node { ${session} } } } }`;
    return (await gateway.graphql(query, { id })).data;
  };
  const [sessionFields, transitionFields] = [
    fieldsOf('VkycSession', OF_SESSION),
    fieldsOf('StatusTransition', OF_TRANSITION),
  ];
  const all = await ask(sessionFields.join(' '), transitionFields.join(' '));

  for (const field of sessionFields) {
    const name = field.match(/^\w+/)?.[0] as string;
    const alone = await ask(field, 'sequence');
    expect(alone.session[name], name).toEqual(all.session[name]);
    for (const [index, node] of all.sessions.nodes.entries()) {
      expect(alone.sessions.nodes[index][name], name).toEqual(node[name]);
      expect(alone.sessions.edges[index].node[name], name).toEqual(node[name]);
    }
  }
  for (const field of transitionFields) {
    const name = field.match(/^\w+/)?.[0] as string;
    const alone = await ask('id', field);
    expect(
      alone.session.log.nodes.map((each: any) => each[name]),
      name,
    ).toEqual(all.session.log.nodes.map((each: any) => each[name]));
  }
});
