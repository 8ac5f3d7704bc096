/** Tests that failed sign-ins are rate-limited per address, and that callers with a valid token are not affected. */
import { once } from 'node:events';
import { request } from 'node:http';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { signWebhook } from '../../src/provider/signature.ts';
import { atTheEnd, bootGateway, type Gateway } from '../harness/gateway.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';
const LIMIT = 6;
const SIGN_IN = { AUTH_SECRET, RATE_LIMIT_FAILURES_PER_MINUTE: String(LIMIT) };
const bearer = async (secret: string, expires = '1h') =>
  `Bearer ${await new SignJWT({ sub: 'ravi', roles: ['VIEWER'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))}`;
const good = await bearer(AUTH_SECRET);
const forged = await bearer('another secret that is long enough');

type Caller = { authorization?: string; from?: string };

/** Sends a query to a path of HTTP or SSE as a caller; returns status, error code and Retry-After of the answer. */
async function post(gateway: Gateway, path: string, { authorization, from }: Caller) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization ? { authorization } : {}),
      ...(from ? { 'x-forwarded-for': from } : {}),
    },
    body: JSON.stringify({ query: '{ viewer { id } }' }),
  });
  const text = await response.text();
  const code = response.ok ? '' : ` ${JSON.parse(text).errors[0].extensions.code}`;
  return { outcome: `${response.status}${code}`, retryAfter: Number(response.headers.get('retry-after')) };
}

/** Signs in over a WebSocket as a caller; returns the type of the first message, or the close code. */
async function connect(gateway: Gateway, { authorization, from }: Caller) {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers: from ? { 'x-forwarded-for': from } : {},
  });
  atTheEnd(async () => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
  return Promise.race([
    once(socket, 'message').then(([data]) => JSON.parse(String(data)).type as string),
    once(socket, 'close').then(([code]) => code as number),
  ]);
}

const arrive = async (gateway: Gateway, caller: Caller) => ({
  HTTP: (await post(gateway, '/graphql', caller)).outcome,
  SSE: (await post(gateway, '/graphql/stream', caller)).outcome,
  WebSocket: await connect(gateway, caller),
});

const IN = { HTTP: '200', SSE: '200', WebSocket: 'connection_ack' };
const REFUSED = { HTTP: '401 UNAUTHENTICATED', SSE: '401 UNAUTHENTICATED', WebSocket: 4403 };
const SENT_AWAY = { HTTP: '429 RATE_LIMITED', SSE: '429 RATE_LIMITED', WebSocket: 1013 };

test('failed sign-ins are limited per address, over all transports together; a valid token from that address is still accepted', async () => {
  const gateway = await bootGateway({ environment: { ...SIGN_IN, TRUST_PROXY: '1' } });
  const office = '192.0.2.7';

  expect(await arrive(gateway, { authorization: forged, from: office })).toEqual(REFUSED);
  expect(await arrive(gateway, { from: office })).toEqual(REFUSED);
  for (const authorization of [forged, undefined, 'nonsense'])
    expect(await arrive(gateway, { authorization, from: office } as Caller)).toEqual(SENT_AWAY);
  const { retryAfter } = await post(gateway, '/graphql', { from: office });

  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect(await arrive(gateway, { authorization: good, from: office })).toEqual(IN);
  expect(await arrive(gateway, { authorization: forged, from: '192.0.2.8' })).toEqual(REFUSED);
});

test('an expired token gets 401 and does not count as a failed sign-in', async () => {
  const gateway = await bootGateway({ environment: SIGN_IN });
  const over = await bearer(AUTH_SECRET, '-5m');

  for (let round = 0; round < LIMIT; round += 1)
    expect(await arrive(gateway, { authorization: over })).toEqual(REFUSED);
  expect(await arrive(gateway, { authorization: forged })).toEqual(REFUSED);
  for (let round = 0; round < LIMIT; round += 1) await post(gateway, '/graphql', {});

  expect(await arrive(gateway, { authorization: forged })).toEqual(SENT_AWAY);
  expect(await arrive(gateway, { authorization: over })).toEqual(REFUSED);
});

const HIDING: Record<string, [trusted: string, fromOf: (n: number) => string]> = {
  'no proxy is trusted, and each request sends another X-Forwarded-For': ['', (n) => `192.0.2.${n}`],
  'the proxy appends the address to a forged X-Forwarded-For': ['1', (n) => `192.0.2.${n}, 198.51.100.1`],
  'two proxies append to a forged X-Forwarded-For': ['2', (n) => `192.0.2.${n}, 198.51.100.1, 203.0.113.1`],
  'the proxies are trusted by their addresses': [
    '127.0.0.0/8, 203.0.113.1',
    (n) => `192.0.2.${n}, 198.51.100.1, 203.0.113.1`,
  ],
  'the forged X-Forwarded-For is not an address': ['3', (n) => `192.0.2.${n}, unknown, 198.51.100.1`],
  'the proxy is not trusted': ['203.0.113.1', (n) => `192.0.2.${n}`],
  'each request comes from another address of one IPv6 network': ['1', (n) => `2001:db8:0:7::${n}`],
  'one address is spelled in several ways': [
    '1',
    (n) => ['2001:db8::', '2001:0DB8:0:0:0:0:0:1', '2001:db8:0:0:ffff::'][n % 3] as string,
  ],
  'an IPv4 address is also mapped to IPv6': ['1', (n) => ['192.0.2.1', '::ffff:192.0.2.1'][n % 2] as string],
};

test.each(Object.entries(HIDING))(
  'an attacker cannot evade the limit of failed sign-ins by changing X-Forwarded-For: %s',
  async (_, [trusted, from]) => {
    const gateway = await bootGateway({ environment: { ...SIGN_IN, TRUST_PROXY: trusted } });
    const outcomes: string[] = [];
    for (let n = 0; n <= LIMIT; n += 1)
      outcomes.push((await post(gateway, '/graphql', { from: from(n) })).outcome);

    expect(outcomes).toEqual([...Array(LIMIT).fill(REFUSED.HTTP), SENT_AWAY.HTTP]);
  },
);

test('behind a trusted proxy, failed sign-ins are limited per client that the proxy reports: by IPv4 address, or by IPv6 /64 network', async () => {
  const gateway = await bootGateway({ environment: { ...SIGN_IN, TRUST_PROXY: '127.0.0.1' } });
  for (let n = 0; n <= LIMIT; n += 1)
    for (const from of [`192.0.2.${n}`, `2001:db8:0:${n}::1`])
      expect((await post(gateway, '/graphql', { from })).outcome).toBe(REFUSED.HTTP);
});

test('a caller with too many failed sign-ins is refused before the body of the request has arrived', async () => {
  const gateway = await bootGateway({ environment: SIGN_IN });
  const open = async (path: string) => {
    const headers = { 'content-type': 'application/json', 'content-length': 1_000_000 };
    const sending = request(`${gateway.url}${path}`, { method: 'POST', headers, agent: false });
    atTheEnd(async () => void sending.destroy());
    sending.on('error', () => {});
    sending.write('{"query": "');
    const [{ statusCode }] = await once(sending, 'response');
    return statusCode;
  };

  for (const path of ['/graphql', '/graphql/stream']) expect(await open(path)).toBe(401);
  for (let round = 0; round < LIMIT; round += 1) await post(gateway, '/graphql', {});
  for (const path of ['/graphql', '/graphql/stream']) expect(await open(path)).toBe(429);
});

test('webhooks with a bad signature count as failed sign-ins of their address; beyond the limit, the address gets 429, but its correctly signed webhooks are accepted', async () => {
  const gateway = await bootGateway({ environment: SIGN_IN });
  const body = { data: { verification_id: 'stranger.1' } };
  const bad = { 'x-webhook-signature': signWebhook('another secret', '1', Buffer.from('')) };
  const unsigned = { 'x-webhook-signature': undefined };

  for (let n = 0; n < LIMIT; n += 1)
    expect(await gateway.webhook(body, n % 2 === 0 ? bad : unsigned)).toBe(401);

  expect(await gateway.webhook(body, bad)).toBe(429);
  expect(await gateway.webhook(body, unsigned)).toBe(429);
  expect((await post(gateway, '/graphql', {})).outcome).toBe(SENT_AWAY.HTTP);
  expect(await gateway.webhook(body)).toBe(200);
});

test('in development failed sign-ins are not limited', async () => {
  const gateway = await bootGateway({ environment: { RATE_LIMIT_FAILURES_PER_MINUTE: '1' } });
  for (let round = 0; round < 3; round += 1) {
    expect(await arrive(gateway, { authorization: forged })).toEqual(REFUSED);
    expect(await arrive(gateway, {})).toEqual(IN);
  }
});
