/** Cross-site requests and DNS rebinding: no transport answers a web page of another site. */
import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { arrive, type Way, withAuthorization } from '../harness/arrivals.ts';
import { bootGateway } from '../harness/gateway.ts';
import { claimsWith, signWith } from '../harness/key-server.ts';
import { tallyOf } from './tally.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';
const APP = 'https://app.example.com';
const EVIL = 'https://evil.example.com';
/**
 * Gateway in development mode, in which a caller without a token is an ADMIN: only the checks of Origin and Host
 * protect this gateway.
 */
const development = await bootGateway();
const signedIn = await bootGateway({ environment: { AUTH_SECRET, ALLOWED_ORIGINS: APP } });
const token = withAuthorization(
  `Bearer ${await signWith(new TextEncoder().encode(AUTH_SECRET), { alg: 'HS256' }, claimsWith({ sub: 'asha' }))}`,
);

const { host, port } = new URL(development.url);
const TURNED_AWAY = { HTTP: '403 FORBIDDEN', SSE: '403 FORBIDDEN', WebSocket: '403' };

const originsOf = (origins: Record<string, string>): Record<string, Record<string, string>> =>
  Object.fromEntries(Object.entries(origins).map(([what, origin]) => [what, { origin }]));

/**
 * Headers of requests to a gateway on loopback: from pages of other sites, and from pages whose own host name resolves
 * to the loopback address (DNS rebinding).
 */
const ON_THIS_MACHINE: Record<string, Record<string, string>> = {
  ...originsOf({
    'a page of another site': EVIL,
    'a page without an origin': 'null',
    'a page with an empty origin': '',
    'a file': 'file://',
    "a host that begins like the gateway's": `${development.url}.evil.example.com`,
    'a host that begins with localhost': 'http://localhost.evil.example.com',
    'a host that begins with 127.0.0.1': 'http://127.0.0.1.evil.example.com',
    'a host that ends with localhost': 'http://evil-localhost',
    'localhost as the user of a URL': 'http://localhost@evil.example.com',
    'localhost as the path of a URL': 'http://evil.example.com/localhost',
    "two origins, the first one the gateway's": `${development.url}, ${EVIL}`,
    "two origins, the second one the gateway's": `${EVIL}, ${development.url}`,
    'a page of 0.0.0.0': 'http://0.0.0.0',
    'a page of another loopback address': 'http://127.0.0.2',
    'a page of the local network': 'http://192.168.0.1',
  }),
  'a rebound Host (DNS rebinding)': { host: `evil.example.com:${port}` },
  'a rebound Host without a port': { host: 'evil.example.com' },
  'a rebound Host and its own Origin': {
    host: `evil.example.com:${port}`,
    origin: `http://evil.example.com:${port}`,
  },
  'a rebound Host that begins with localhost': { host: `localhost.evil.example.com:${port}` },
  'a rebound Host that begins with 127.0.0.1': { host: `127.0.0.1.evil.example.com:${port}` },
  'a rebound Host with localhost as its user': { host: `localhost@evil.example.com:${port}` },
  'a Host with a final dot': { host: `localhost.:${port}` },
  'a Host of 0.0.0.0': { host: `0.0.0.0:${port}` },
  "a rebound Host with the gateway's host in X-Forwarded-Host": {
    host: 'evil.example.com',
    'x-forwarded-host': host,
  },
  "a rebound Host with the gateway's host in Forwarded": {
    ...{ host: 'evil.example.com', forwarded: `host=${host};for=127.0.0.1` },
    ...{ 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', 'x-original-host': host },
  },
};

/** Headers of requests by foreign pages that have a valid token. */
const ELSEWHERE: Record<string, Record<string, string>> = {
  ...originsOf({
    'a page of another site': EVIL,
    'a page without an origin': 'null',
    'a page with an empty origin': '',
    'a host that begins like an allowed one': `${APP}.evil.example.com`,
    'a host that ends like an allowed one': 'https://evil-app.example.com',
    'the parent domain of an allowed origin': 'https://example.com',
    'a subdomain of an allowed origin': 'https://evil.app.example.com',
    'an allowed origin over plain HTTP': 'http://app.example.com',
    'an allowed origin with another port': `${APP}:8443`,
    'an allowed origin with a path': `${APP}/`,
    'an allowed origin as the user of a URL': `${APP}@evil.example.com`,
    'two origins, one of them allowed': `${APP}, ${EVIL}`,
    'a page of this machine': 'http://localhost:3000',
    'a page of 127.0.0.1 at another port': 'http://127.0.0.1:1',
  }),
  'a foreign Origin with its host in X-Forwarded-Host': {
    origin: EVIL,
    'x-forwarded-host': new URL(EVIL).host,
  },
  'a foreign Origin with Sec-Fetch-Site: same-origin': { origin: EVIL, 'sec-fetch-site': 'same-origin' },
  'a foreign Origin with a CSRF header of Apollo': { origin: EVIL, 'apollo-require-preflight': '1' },
};

const tally = tallyOf('pages of other sites');
let expected = 0;

function turnedAway(
  where: string,
  gateway: typeof development,
  honest: Way,
  ways: typeof ELSEWHERE,
  who: string,
) {
  expected += 3 * Object.keys(ways).length;
  test.each(Object.entries(ways))(`${where}: a cross-site request gets 403: %s`, async (name, headers) => {
    const [arrival, other] = await Promise.all([
      arrive(gateway, { ...honest, headers: { ...honest.headers, ...headers } }),
      arrive(gateway, honest),
    ]);

    for (const [transport, answer] of Object.entries(arrival.answers))
      tally.note(`${transport}: ${where}: ${name}`, answer === who);
    expect(arrival.answers).toEqual(TURNED_AWAY);
    expect(arrival.said.toLowerCase()).not.toContain('access-control-allow-origin');
    expect(other.answers).toEqual({ HTTP: who, SSE: who, WebSocket: who });
  });
}

turnedAway('in development', development, {}, ON_THIS_MACHINE, 'developer');
turnedAway('signed in', signedIn, token, ELSEWHERE, 'asha');

/**
 * Routes of the gateway that the tests above do not try, and operations by GET. A foreign Origin and a rebound Host
 * attack each of these routes.
 */
const BESIDE = [
  ...[
    'POST /dev/token',
    'GET /graphiql',
    'GET /',
    'GET /schema.graphql',
    'GET /metrics',
    'GET /healthz',
    'GET /readyz',
    'GET /nothing',
  ],
  ...['POST /webhooks/cashfree', 'GET /graphql?query={viewer{id}}', 'GET /graphql/stream?query={viewer{id}}'],
  ...['OPTIONS /graphql', 'OPTIONS /graphql/stream', 'POST /exports/sessions.csv'],
];
const SANDBOX = ['GET /_sandbox', 'GET /_sandbox/verifications', 'POST /_sandbox/rotate-secret'];

async function statusOf(url: URL | string, method: string, headers: Record<string, string>) {
  const asking = request(url, { method, headers: { 'content-type': 'application/json', ...headers } });
  asking.end(method === 'POST' ? '{"sub":"mallory"}' : undefined);
  const [response] = await once(asking, 'response');
  response.resume();
  return { status: response.statusCode, allowed: response.headers['access-control-allow-origin'] };
}

test.each([
  ...BESIDE.map((asked) => [asked, development.url] as const),
  ...SANDBOX.map((asked) => [asked, development.sandboxUrl] as const),
])('%s refuses a foreign Origin and a rebound Host with 403', async (asked, at) => {
  const [method, path] = asked.split(' ') as [string, string];
  const url = new URL(path, at);
  for (const headers of [{ origin: EVIL }, { host: `evil.example.com:${url.port}` }]) {
    const answer = await statusOf(url, method, headers);
    tally.note(`${asked} ${JSON.stringify(headers)}`, answer.status < 400 || answer.allowed !== undefined);
    expect(answer).toEqual({ status: 403, allowed: undefined });
  }
  expect((await statusOf(url, method, {})).status).not.toBe(403);
});

test.each(['cross-site', 'same-site'])(
  'a request without Origin gets 403 if the browser marks it as %s (Sec-Fetch-Site)',
  async (site) => {
    for (const path of ['/graphql', '/graphql/stream'])
      for (const method of ['GET', 'POST']) {
        const url = `${development.url}${path}?query={viewer{id}}`;
        const { status } = await statusOf(url, method, { 'sec-fetch-site': site });
        tally.note(`${site} ${method} ${path}`, status < 400);
        expect(status).toBe(403);
      }
  },
);

tally.close(expected + 2 * (BESIDE.length + SANDBOX.length) + 8);
