import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { isClean, TRANSPORTS } from '../harness/transports.ts';

const gateway = await bootGateway();

const JSON_TYPES = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };

const post = async (body: string, headers: Record<string, string> = JSON_TYPES) => {
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
};

test.each([
  ['malformed JSON', '{"query": "{ viewer { id }'],
  ['a body that is not an object', '"{ viewer { id } }"'],
  ['a body without a query', '{}'],
  ['a syntax error', JSON.stringify({ query: '{ viewer { id }' })],
  ['an unknown field', JSON.stringify({ query: '{ viewer { password } }' })],
  [
    'an unknown argument',
    JSON.stringify({ query: '{ sessions(first: 1, colour: "red") { nodes { id } } }' }),
  ],
  [
    'a wrong enum value',
    JSON.stringify({ query: '{ sessions(first: 1, filter: { status: [DONE] }) { nodes { id } } }' }),
  ],
  [
    'a variable of the wrong type',
    JSON.stringify({
      query: 'query ($n: Int) { sessions(first: $n) { nodes { id } } }',
      variables: { n: 'ten' },
    }),
  ],
  [
    'a variable that cannot be converted to a string',
    JSON.stringify({
      query: 'query ($n: Int) { sessions(first: $n) { nodes { id } } }',
      variables: { n: { toString: 1 } },
    }),
  ],
  ['variables that are not an object', '{"query":"{ viewer { id } }","variables":"x"}'],
  ['extensions that are a list', '{"query":"{ viewer { id } }","extensions":[]}'],
  ['an operation name that is a number', '{"query":"{ viewer { id } }","operationName":1}'],
  ['a document that is a list', '{"query":["{ viewer { id } }"]}'],
])('a request with %s is answered with 400 and a client error code', async (_what, body) => {
  const { status, text } = await post(body);

  expect(status).toBe(400);
  const [error] = JSON.parse(text).errors;
  expect(error.message).not.toBe('');
  expect(error.extensions.code).toMatch(
    /^(BAD_REQUEST|BAD_USER_INPUT|GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED)$/,
  );
  expect(isClean(text)).toBe(true);
});

test.each([
  ['no page size', '{ sessions { nodes { id } } }', 'pass `first`'],
  ['a page size above the limit', '{ sessions(first: 101) { nodes { id } } }', '1 to 100'],
  ['a negative page size', '{ sessions(first: -1) { nodes { id } } }', '1 to 100'],
  ['a malformed id', '{ session(id: "42") { status } }', 'id was not issued by this gateway'],
  [
    'the id of an object of another type',
    `{ session(id: "${Buffer.from('VkycUser:01a20a00-207c-77e4-bbd3-8de9fa006fe3').toString('base64url')}") { status } }`,
    'id of a VkycUser',
  ],
  ['a malformed cursor', '{ sessions(first: 1, after: "zzz") { nodes { id } } }', 'cursor was not issued'],
  [
    'a status pair that does not exist',
    '{ sessions(first: 1, filter: { status: [VIDEO_CALL], subStatus: [AGENT_APPROVED] }) { nodes { id } } }',
    'AGENT_APPROVED is not a sub-status of VIDEO_CALL',
  ],
])(
  'a query with %s is refused with BAD_USER_INPUT and a message that says what is expected',
  async (_what, query, hint) => {
    const { errors } = await gateway.graphql(query);

    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(hint),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  },
);

test('a query for a session that does not exist returns null, not an error', async () => {
  const unknown = Buffer.from('VkycSession:01a20a00-207c-77e4-bbd3-8de9fa006fe3').toString('base64url');

  const { data, errors } = await gateway.graphql(
    `{ byId: session(id: "${unknown}") { id } byTheirs: sessionByVerificationId(verificationId: "no such 🦄\\u0000") { id } }`,
  );

  expect(errors).toBeUndefined();
  expect(data).toEqual({ byId: null, byTheirs: null });
});

test('requests that browsers send without a preflight, cross-site requests and subscriptions by plain POST are refused', async () => {
  const simple = await post('{"query":"{ viewer { id } }"}', { 'content-type': 'text/plain' });
  expect(simple.status).toBeGreaterThanOrEqual(400);
  const crossSite = await fetch(`${gateway.url}/graphql?query={viewer{id}}`, {
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect(crossSite.status).toBe(403);
  const rebound = await fetch(`${gateway.url}/healthz`, { headers: { origin: 'https://evil.example' } });
  expect(rebound.status).toBe(403);
  const { status, text } = await post(
    JSON.stringify({ query: 'subscription { statusTransitions { sequence } }' }),
  );
  expect(status).toBe(400);
  expect(text).toContain('WebSocket');
});

test('an internal error shows the client only an error id; the log has the cause, without values of the request', async () => {
  const broken = await bootGateway();
  await broken.database.query('alter table vkyc_session rename to vkyc_session_gone');

  const { errors } = await broken.graphql(
    '{ sessions(first: 1, filter: { userId: "marked-value" }) { nodes { id } } }',
  );

  const id = errors?.[0]?.extensions.errorId as string;
  expect(errors?.[0]?.message).toBe(
    `An internal error occurred. Report this id to the operator of the gateway: ${id}`,
  );
  expect(isClean(JSON.stringify(errors))).toBe(true);
  expect(broken.logs.some((line) => line.includes(id) && line.includes('vkyc_session'))).toBe(true);
  expect(broken.logs.join('')).not.toContain('marked-value');
});

test('an invalid subscription over a WebSocket gets the same error messages as an operation over HTTP', async () => {
  const refusal = (query: string) =>
    gateway
      .subscribe(query)
      .next()
      .catch((error) => error);

  expect(await refusal('subscription { statusTransitions { colour } }')).toMatchObject([
    { message: expect.stringContaining('colour') },
  ]);
  expect(
    await refusal(
      'subscription { statusTransitions(filter: { status: [FAILED], subStatus: [LINK_GENERATED] }) { sequence } }',
    ),
  ).toMatchObject({ message: expect.stringContaining('LINK_GENERATED is not a sub-status of FAILED') });
  expect(await refusal('subscription { statusTransitions(sessionId: "42") { sequence } }')).toMatchObject({
    message: expect.stringContaining('id was not issued by this gateway'),
    extensions: { code: 'BAD_USER_INPUT' },
  });
});

test.for(Object.entries(TRANSPORTS))(
  'over %s, a variable of the wrong type gets BAD_USER_INPUT, and the error does not repeat the value',
  async ([, send]) => {
    const answer = await send(gateway, {
      query: 'query ($n: Int) { sessions(first: $n) { nodes { id } } }',
      variables: { n: 'forty-two' },
    });

    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    expect(answer.data).toBeNull();
    expect(answer.text).not.toContain('forty-two');
  },
);
