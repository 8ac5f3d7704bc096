import { serverAudits } from 'graphql-http';
import { describe, expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const gateway = await bootGateway();
const ALLOWED = 'https://app.example.com';
const open = await bootGateway({ environment: { ALLOWED_ORIGINS: ALLOWED } });
const QUERY = '{ viewer { id } }';
const PATHS = ['/graphql', '/graphql/stream'];
const json = (query: string) => JSON.stringify({ query });

describe('GraphQL over HTTP: server audits of graphql-http', () => {
  const audits = serverAudits({ url: `${gateway.url}/graphql`, fetchFn: fetch });

  test('graphql-http has 61 audits of a GraphQL server', () => expect(audits).toHaveLength(61));

  for (const { id, name, fn } of audits)
    test(`${id} ${name}`, async () => {
      const result = await fn();

      await (result as { response?: Response }).response?.body?.cancel().catch(() => {});
      expect(result).toMatchObject({ status: 'ok' });
    });
});

test.each([
  ['that cannot be parsed', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  ['that is not valid', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'that does not name its operation',
    { query: 'query A { __typename } query B { __typename }' },
    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    'whose variables do not fit',
    { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id: [] } },
    'BAD_USER_INPUT',
  ],
])(
  'an operation %s gets 200 as application/json and 400 as application/graphql-response+json',
  async (_which, body, code) => {
    const post = async (accept: string) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify(body),
      });
      expect(response.headers.get('content-type')).toMatch(`${accept};`);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
      return response.status;
    };

    expect(await post('application/json')).toBe(200);
    expect(await post('application/graphql-response+json')).toBe(400);
  },
);

test.each(['GET', 'HEAD'])('a mutation by %s is refused with 405', async (method) => {
  const mutation = 'mutation { refreshSession(sessionId: "none") { __typename } }';

  const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(mutation)}`, { method });

  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
});

test.each([
  ['/graphql', '{ users(phone: "9988776655") { id } }'],
  [
    '/graphql',
    'query ($phone: String = "9988776655") { ...F } fragment F on Query { some: users(phone: $phone) { id } }',
  ],
  ['/graphql/stream', '{ users(phone: "9988776655") { id } }'],
])(
  'a look-up of people by phone by GET at %s is refused with 405, because URLs are logged: %s',
  async (path, query) => {
    const response = await fetch(`${gateway.url}${path}?query=${encodeURIComponent(query)}`);

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    const { errors } = (await response.json()) as any;
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('send it by POST'),
      extensions: { code: 'BAD_REQUEST' },
    });
  },
);

test.each([
  ['neither type', 'text/html', 406],
  ['anything', '*/*', 200],
  [
    'application/graphql-response+json rather than JSON',
    'application/json;q=0.5, application/graphql-response+json',
    200,
  ],
])(
  'a client whose Accept header allows %s gets the matching status and content type',
  async (_what, accept, status) => {
    for (let time = 0; time < 2; time += 1) {
      const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(QUERY)}`, {
        headers: { accept },
      });

      expect(response.status).toBe(status);
      const isNew = accept.endsWith('graphql-response+json');
      expect(response.headers.get('content-type')).toContain(
        isNew ? 'graphql-response+json' : 'application/json',
      );
    }
  },
);

test('a JSON request with an invalid token is answered with 401', async () => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer none' };
  const signedOut = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: json(QUERY) });

  expect(signedOut.status).toBe(401);
});

describe.each(PATHS)('GraphQL at %s', (path) => {
  const url = `${gateway.url}${path}`;
  const search = `?query=${encodeURIComponent(QUERY)}`;
  const tried: [string, string, RequestInit][] = [
    [
      'an image or a script',
      `${url}${search}`,
      { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } },
    ],
    [
      'an image or a script of a sibling domain',
      `${url}${search}`,
      { headers: { 'sec-fetch-site': 'same-site' } },
    ],
    [
      'a link',
      `${url}${search}`,
      { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } },
    ],
    ['a call by a script', `${url}${search}`, { headers: { origin: 'https://evil.example' } }],
    ['a call from a frame with an opaque origin', `${url}${search}`, { headers: { origin: 'null' } }],
    [
      'JSON by a script',
      url,
      {
        method: 'POST',
        headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
        body: json(QUERY),
      },
    ],
    [
      'a form',
      url,
      {
        method: 'POST',
        headers: {
          origin: 'https://evil.example',
          'sec-fetch-site': 'cross-site',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `query=${encodeURIComponent(QUERY)}`,
      },
    ],
    [
      'JSON sent as text/plain, by a browser without Sec-Fetch-Site',
      url,
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: json(QUERY) },
    ],
  ];

  test.each(tried)('a cross-site request is refused: %s', async (_what, address, request) => {
    const response = await fetch(address, request);

    expect([403, 415]).toContain(response.status);
    expect(await response.text()).not.toContain('developer');
  });

  const welcome: [string, Record<string, string>][] = [
    ['a client other than a browser', {}],
    ['a user who types the URL', { 'sec-fetch-site': 'none' }],
    ["the gateway's own pages", { 'sec-fetch-site': 'same-origin' }],
    ['the pages of ALLOWED_ORIGINS', { 'sec-fetch-site': 'cross-site', origin: ALLOWED }],
  ];
  test.each(welcome)('the CSRF check answers a query by GET from %s', async (_who, headers) => {
    const response = await fetch(`${open.url}${path}${search}`, { headers });

    expect(response.status).toBe(200);
    expect(await response.text()).toContain('developer');
  });

  test('PUT, PATCH and DELETE of the GraphQL endpoints get 405 and the list of allowed methods', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(url, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, POST');
      await response.body?.cancel();
    }
  });

  test('GraphQL responses are sent with Cache-Control: no-store', async () => {
    const response = await fetch(`${url}${search}`);
    await response.body?.cancel();

    expect(response.headers.get('cache-control')).toContain('no-store');
  });
});

test('responses of /dev/token, /readyz and /metrics are sent with Cache-Control: no-store', async () => {
  const token = await fetch(`${gateway.url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: 'asha' }),
  });
  for (const response of [
    token,
    await fetch(`${gateway.url}/readyz`),
    await fetch(`${gateway.url}/metrics`),
  ]) {
    await response.body?.cancel();
    expect(response.headers.get('cache-control')).toBe('no-store');
  }
});
