/** Cross-site requests and DNS rebinding: no transport serves a page of another site. */
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
/** In development every caller is an ADMIN. */
const development = await bootGateway();
const signedIn = await bootGateway({ environment: { AUTH_SECRET, ALLOWED_ORIGINS: APP } });
const token = withAuthorization(
  `Bearer ${await signWith(new TextEncoder().encode(AUTH_SECRET), { alg: 'HS256' }, claimsWith({ sub: 'asha' }))}`,
);

const { host, port } = new URL(development.url);
const TURNED_AWAY = { HTTP: '403 FORBIDDEN', SSE: '403 FORBIDDEN', WebSocket: '403' };

const originsOf = (origins: Record<string, string>): Record<string, Record<string, string>> =>
  Object.fromEntries(Object.entries(origins).map(([what, origin]) => [what, { origin }]));

/** Headers of foreign pages, and of pages whose name was rebound to this machine. */
const ON_THIS_MACHINE: Record<string, Record<string, string>> = {
  ...originsOf({
    'a page of another site': EVIL,
    'a page without an origin': 'null',
    'a page with an empty origin': '',
    'a file': 'file://',
    'a page whose name begins like ours': `${development.url}.evil.example.com`,
    'a page whose name begins like this machine': 'http://localhost.evil.example.com',
    'a page whose name begins like its address': 'http://127.0.0.1.evil.example.com',
    'a page whose name ends like this machine': 'http://evil-localhost',
    'a page with this machine for a user': 'http://localhost@evil.example.com',
    'a page with this machine for a path': 'http://evil.example.com/localhost',
    'two pages, one of this machine': `${development.url}, ${EVIL}`,
    'two pages, one of this machine behind': `${EVIL}, ${development.url}`,
    'a page of any address': 'http://0.0.0.0',
    'a page of another loopback address': 'http://127.0.0.2',
    'a page of an address in the local net': 'http://192.168.0.1',
  }),
  'a rebound name': { host: `evil.example.com:${port}` },
  'a rebound name without a port': { host: 'evil.example.com' },
  'a rebound name, and its page': {
    host: `evil.example.com:${port}`,
    origin: `http://evil.example.com:${port}`,
  },
  'a rebound name that begins like this machine': { host: `localhost.evil.example.com:${port}` },
  'a rebound name that begins like its address': { host: `127.0.0.1.evil.example.com:${port}` },
  'a rebound name with this machine for a user': { host: `localhost@evil.example.com:${port}` },
  'a rebound name with a dot at its end': { host: `localhost.:${port}` },
  'any address': { host: `0.0.0.0:${port}` },
  'a rebound name, forwarded as this machine': { host: 'evil.example.com', 'x-forwarded-host': host },
  'a rebound name, forwarded for this machine': {
    ...{ host: 'evil.example.com', forwarded: `host=${host};for=127.0.0.1` },
    ...{ 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', 'x-original-host': host },
  },
};

/** Headers of foreign pages that have a valid token. */
const ELSEWHERE: Record<string, Record<string, string>> = {
  ...originsOf({
    'a page of another site': EVIL,
    'a page without an origin': 'null',
    'a page with an empty origin': '',
    'a page whose name begins like an allowed one': `${APP}.evil.example.com`,
    'a page whose name ends like an allowed one': 'https://evil-app.example.com',
    'a page above an allowed one': 'https://example.com',
    'a page below an allowed one': 'https://evil.app.example.com',
    'an allowed name without encryption': 'http://app.example.com',
    'an allowed name at another port': `${APP}:8443`,
    'an allowed name with a path': `${APP}/`,
    'an allowed name for a user': `${APP}@evil.example.com`,
    'two pages, one of them allowed': `${APP}, ${EVIL}`,
    'a page of this machine': 'http://localhost:3000',
    'a page of our own machine at another port': 'http://127.0.0.1:1',
  }),
  'a page that is forwarded to': { origin: EVIL, 'x-forwarded-host': new URL(EVIL).host },
  'a page that says it is the same site': { origin: EVIL, 'sec-fetch-site': 'same-origin' },
  'a page that asks for leave': { origin: EVIL, 'apollo-require-preflight': '1' },
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
  test.each(Object.entries(ways))(`${where}: %s gets 403`, async (name, headers) => {
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

/** Other routes of the gateway, which are worth attacking too. */
const BESIDE = [
  ...['POST /dev/token', 'GET /graphiql', 'GET /metrics', 'GET /healthz', 'GET /readyz', 'GET /nothing'],
  ...['POST /webhooks/cashfree', 'GET /graphql?query={viewer{id}}', 'GET /graphql/stream?query={viewer{id}}'],
  ...['OPTIONS /graphql', 'OPTIONS /graphql/stream'],
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
  'a request without Origin that the browser marks as %s gets 403',
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
