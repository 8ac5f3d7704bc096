/** Unusual HTTP that some clients send: the gateway answers such requests, but they bypass none of its checks. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, test } from 'vitest';
import { signWebhook } from '../../src/provider/signature.ts';
import { bootGateway } from '../harness/gateway.ts';
import { rawPeer, rawWebSocket } from '../harness/raw-peer.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway({ environment: { METRICS_PORT: '0' } });
const { host } = new URL(gateway.url);
const OPERATION = JSON.stringify({ query: '{ viewer { id } }', operationName: '' });
const tally = tallyOf('the edge of HTTP');

/** Sends a raw request, then a second request on the same connection; returns everything that was received. */
async function ask(head: string, body = ''): Promise<string> {
  const peer = await rawPeer(gateway.url);
  peer.send(`${head}\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await peer.hears('HTTP/1.1 ');
  peer.send(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  peer.socket.end();
  return peer.ended;
}

const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB';
const JSON_TYPE = 'Content-Type: application/json';

test.each(['/graphql', '/graphql/', '/graphql/stream/'])(
  'a POST to %s that offers an upgrade to h2c (HTTP/2 without TLS) is answered over HTTP/1.1',
  async (path) => {
    const heard = await ask(`POST ${path} HTTP/1.1\r\n${JSON_TYPE}\r\n${H2C}`, OPERATION);

    tally.note(path, heard.includes(' 101 '));
    expect([...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '200']);
    expect(heard).toContain('"id":"developer"');
  },
);

test('a signed webhook with an h2c upgrade offer is stored', async () => {
  const body = JSON.stringify({ data: { verification_id: 'stranger.1' } });
  const timestamp = String(Date.now());
  const signed = `X-Webhook-Timestamp: ${timestamp}\r\nX-Webhook-Signature: ${signWebhook('sandbox', timestamp, Buffer.from(body))}`;

  const heard = await ask(`POST /webhooks/cashfree HTTP/1.1\r\n${signed}\r\n${H2C}`, body);

  expect(heard).toContain('{"received":true}');
});

test('pipelined requests are all answered in order, even if one of them offers an h2c upgrade', async () => {
  const peer = await rawPeer(gateway.url);
  const request = (id: string, more = '') =>
    `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: ${id}\r\n${more}\r\n`;

  peer.send(request('first') + request('second', `${H2C}\r\n`) + request('third', 'Connection: close\r\n'));
  const heard = await peer.ended;

  const ids = [...heard.matchAll(/x-request-id: (\w+)/gi)].map(([, id]) => id);
  expect(ids).toEqual(['first', 'second', 'third']);
});

test('a WebSocket upgrade succeeds at /graphql/ and gets 404 at another path', async () => {
  const open = async (path: string) => {
    const peer = await rawPeer(gateway.url);
    const key =
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws';
    peer.send(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
    );
    await peer.hears('\r\n\r\n');
    return peer.heard;
  };
  expect(await open('/graphql/')).toMatch(/^HTTP\/1\.1 101 [\s\S]*X-Request-Id: /);
  const refused = await open('/webhooks/cashfree');
  tally.note('a WebSocket elsewhere', refused.includes(' 101 '));
  expect(refused).toMatch(/^HTTP\/1\.1 404 /);
});

test.each(['/metrics', '/%6detrics', '//metrics', '/metrics/', '/./metrics', '/METRICS', '/metrics#x'])(
  'if METRICS_PORT is set, the API port shows no metrics at the path %s',
  async (path) => {
    const heard = await ask(`GET ${path} HTTP/1.1`);

    tally.note(path, heard.includes('vkyc_'));
    expect(heard).not.toContain('vkyc_');
    const response = await fetch(gateway.metricsUrl);
    expect([response.status, (await response.text()).includes('vkyc_')]).toEqual([200, true]);
  },
);

test('large requests whose headers are refused do not count towards the limit of large requests in flight', async () => {
  const refused = async (type: string, length: number) => {
    const peer = await rawPeer(gateway.url);
    peer.send(
      `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
    );
    await peer.hears('HTTP/1.1 ');
    return peer.heard.split(' ')[1];
  };
  for (let round = 0; round < 9; round += 1) {
    expect(await refused('application/json', 2_000_000)).toBe('413');
    expect(await refused('text/plain', 100_000)).toBe('415');
  }
  const large = await gateway.graphql('{ viewer { id } }', { filler: 'x'.repeat(100_000) });
  tally.note('places', large.status !== 200);
  expect(large.status).toBe(200);
});

test('a small chunked request (.NET sends these) does not count towards the limit of large requests in flight', async () => {
  const open = async (bytes: number) => {
    const peer = await rawPeer(gateway.url);
    const head = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    peer.send(`${head}${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`);
    return peer;
  };
  const end = `${OPERATION.length.toString(16)}\r\n${OPERATION}\r\n0\r\n\r\n`;
  const small = await Promise.all(Array.from({ length: 20 }, () => open(10)));
  for (const peer of small) peer.send(end);
  for (const peer of small) await peer.hears('"id":"developer"');

  const large = await Promise.all(Array.from({ length: 9 }, () => open(100_000)));
  const refused = await Promise.race(large.map((peer) => peer.hears('HTTP/1.1 ').then(() => peer.heard)));
  tally.note('nine large ones', !refused.includes(' 429 '));
  expect(refused).toMatch(/^HTTP\/1\.1 429 [\s\S]*retry-after: 1[\s\S]*RATE_LIMITED/i);
  for (const peer of large) peer.send(end);
  await Promise.all(large.map((peer) => peer.hears('HTTP/1.1 ')));
  expect(large.filter(({ heard }) => heard.includes('"id":"developer"'))).toHaveLength(8);
});

test('a safe X-Request-Id is returned and logged, an unsafe X-Request-Id is replaced, and no log line contains a query', async () => {
  const idOf = async (given: string) =>
    await fetch(`${gateway.url}/graphql?query={viewer{id}}&operationName=&variables=&extensions=`, {
      headers: { 'x-request-id': given },
    });
  const kept = await idOf('trace-1');
  expect([kept.status, kept.headers.get('x-request-id')]).toEqual([200, 'trace-1']);
  for (const unsafe of ['a b', 'x'.repeat(129), 'asha@example.com', '{"a":1}']) {
    const id = (await idOf(unsafe)).headers.get('x-request-id') ?? '';
    tally.note(`id ${unsafe}`, id === unsafe);
    expect(id).toMatch(/^[\w-]+\.[\w]+$/);
  }
  const [line] = gateway.logs.filter((each) => each.includes('trace-1'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    msg: 'request',
    method: 'GET',
    path: '/graphql',
    status: 200,
    requestId: 'trace-1',
    bytes: expect.any(Number),
    ms: expect.any(Number),
  });
  expect(gateway.logs.join('')).not.toContain('query=');
});

test('in development CORS exposes Retry-After and X-Request-Id to loopback origins; preflights last two hours', async () => {
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:8080']) {
    const preflight = await fetch(`${gateway.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-max-age')]).toEqual([204, '7200']);
    const answer = await fetch(`${gateway.url}/graphql?query={__typename}`, { headers: { origin } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-expose-headers')).toBe('Retry-After, X-Request-Id');
  }
});

test('a client that begins a connection with HTTP/2 gets the HTTP/2 error HTTP_1_1_REQUIRED (code 13)', async () => {
  const client = connect(gateway.url);
  const [error] = await once(client, 'error');
  const raw = await rawPeer(gateway.url);
  raw.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');

  expect(error.message).toContain('code 13');
  const heard = await raw.ended;
  expect(heard.slice(0, 9)).toBe('\0\0\0\x04\0\0\0\0\0');
  expect(heard).toContain('serves HTTP/1.1 only');
});

test('while the gateway drains before a shutdown, /readyz is 503 and requests and upgrades are still served', async () => {
  const draining = await bootGateway({ environment: { DRAIN_SECONDS: '2' } });
  const stopped = draining.stop();
  await expect.poll(async () => (await fetch(`${draining.url}/readyz`)).status).toBe(503);
  expect((await draining.graphql('{ __typename }')).status).toBe(200);
  const socket = await rawWebSocket(draining.url);
  await socket.hears(' 101 ');
  socket.socket.destroy();
  await stopped;
});

tally.close(3 + 1 + 7 + 1 + 1 + 4);
