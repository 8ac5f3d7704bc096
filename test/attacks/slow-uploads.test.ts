/**
 * Requests that never end (slowloris): the gateway ends each after a timeout, and limits the number of large requests
 * in flight per caller.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { isClean } from '../harness/transports.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';
const bearer = async (sub: string) =>
  `Bearer ${await new SignJWT({ sub, roles: ['VIEWER'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(AUTH_SECRET))}`;
const PATHS = ['/graphql', '/graphql/stream'];
const SMALL = JSON.stringify({ query: '{ viewer { id } }' });
const LARGE = JSON.stringify({ query: '{ viewer { id } }', variables: { filler: 'x'.repeat(100_000) } });

/** Sends `begin`, then `more` every 50 ms until the gateway closes the socket; returns everything received. */
async function trickle({ url }: Gateway, begin: string, more: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(begin);
  const trickling = setInterval(() => socket.writable && socket.write(more), 50);
  await once(socket, 'close');
  clearInterval(trickling);
  return heard;
}

const bodyOf = (path: string, headers = '') =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}`;
const WEBHOOK = `X-Webhook-Timestamp: ${Date.now()}\r\nX-Webhook-Signature: ${'A'.repeat(43)}=\r\n`;

const TRICKLES: Record<string, [begin: string, more: string]> = {
  'a header': ['GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ', 'x'],
  'many headers': ['GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n', 'X: x\r\n'],
  'a body': [`${bodyOf('/graphql', 'Content-Length: 100000\r\n')}\r\n{"query": "`, 'x'],
  'a body for a stream': [`${bodyOf('/graphql/stream', 'Content-Length: 100000\r\n')}\r\n{"query": "`, 'x'],
  'a body in chunks': [`${bodyOf('/graphql', 'Transfer-Encoding: chunked\r\n')}\r\n`, '1\r\nx\r\n'],
  'a body for a path that does not exist': [`${bodyOf('/nothing', 'Content-Length: 100000\r\n')}\r\n`, 'x'],
  'a webhook': [`${bodyOf('/webhooks/cashfree', `Content-Length: 100000\r\n${WEBHOOK}`)}\r\n`, 'x'],
  nothing: ['', ''],
};

test('the gateway ends requests that arrive byte by byte within 5 s (408, or 404 for an unknown path), and serves other requests in the meantime', async () => {
  const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '1' } });
  const begun = performance.now();
  const given = Object.entries(TRICKLES).map(async ([what, [begin, more]]) => {
    const heard = await trickle(gateway, begin, more);
    return { what, heard, seconds: (performance.now() - begun) / 1000 };
  });
  expect((await gateway.graphql('{ viewer { id } }')).status).toBe(200);
  const watching = gateway.subscribe('subscription { statusTransitions { sequence } }');
  const frame = watching.next();

  for (const { what, heard, seconds } of await Promise.all(given)) {
    expect(heard, what).toContain(
      what === 'a body for a path that does not exist' ? 'HTTP/1.1 404' : 'HTTP/1.1 408',
    );
    expect(isClean(heard), what).toBe(true);
    expect(seconds, what).toBeGreaterThan(1);
    expect(seconds, what).toBeLessThan(5);
  }
  // The timeout of requests does not end a subscription that has begun.
  await gateway.start('patient.1');
  expect(await frame).toEqual({ sequence: 1 });
});

/** Sends a large request except for its last byte; returns the open request and its future status. */
function open({ url }: Gateway, path: string, authorization: string) {
  const headers = { 'content-type': 'application/json', 'content-length': LARGE.length, authorization };
  const sending = request(`${url}${path}`, { method: 'POST', headers, agent: false });
  atTheEnd(async () => void sending.destroy());
  sending.on('error', () => {});
  sending.write(LARGE.slice(0, -1));
  const status = new Promise<number | undefined>((resolve) =>
    sending.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    }),
  );
  return { sending, status };
}

test('a caller with eight large requests in flight gets 429 for a ninth; small requests of the caller, and large requests of others, are still served', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET } });
  const [mallory, ravi] = [await bearer('mallory'), await bearer('ravi')];
  const post = (path: string, authorization: string, body: string) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body,
    }).then(async (response) => {
      await response.text();
      return response;
    });
  const unfinished = Array.from({ length: 8 }, (_, n) => open(gateway, PATHS[n % 2] as string, mallory));
  await eventually(async () => (await post('/graphql', mallory, LARGE)).status === 429);

  for (const path of PATHS) {
    const refused = await post(path, mallory, LARGE);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await post(path, mallory, SMALL)).status).toBe(200);
    expect((await post(path, ravi, LARGE)).status).toBe(200);
  }

  const [one, two, ...others] = unfinished;
  one?.sending.end(LARGE.slice(-1));
  expect(await one?.status).toBe(200);
  two?.sending.destroy();
  await eventually(async () => (await post('/graphql', mallory, LARGE)).status === 200);
  for (const { sending } of others) sending.end(LARGE.slice(-1));
  expect(await Promise.all(others.map(({ status }) => status))).toEqual(Array(6).fill(200));
});
