import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway, untilReady } from '../harness/gateway.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';
const NOTHING = "default-src 'none';frame-ancestors 'none'";
const READ_ONLY = {
  'content-security-policy': NOTHING,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': expect.stringContaining('no-store'),
};
const JSON_BODY = { 'content-type': 'application/json' };
const OPERATION = JSON.stringify({ query: '{ viewer { id } }' });

type Sent = [status: number, method: string, path: string, headers?: Record<string, string>, body?: string];

/** Sends a request by `node:http` with this exact path and headers, which fetch would normalise. */
async function send(url: string, [, method, path, headers = {}, body]: Sent): Promise<IncomingMessage> {
  const { hostname, port } = new URL(url);
  const sending = request({ hostname, port, method, path, headers, agent: false });
  atTheEnd(async () => void sending.destroy());
  sending.end(body);
  const [response] = await once(sending, 'response');
  response.on('error', () => {});
  response.resume();
  return response;
}

const ANSWERS: Sent[] = [
  [200, 'POST', '/graphql', JSON_BODY, OPERATION],
  [200, 'GET', '/graphql?query=%7Bviewer%7Bid%7D%7D'],
  [200, 'POST', '/graphql/stream', JSON_BODY, OPERATION],
  [200, 'POST', '/exports/sessions.csv', JSON_BODY, '{}'],
  [400, 'POST', '/exports/sessions.csv', JSON_BODY, '[]'],
  [405, 'GET', '/exports/sessions.csv'],
  [400, 'POST', '/graphql', JSON_BODY, '{'],
  [413, 'POST', '/graphql', JSON_BODY, 'x'.repeat(1024 * 1024 + 1)],
  [415, 'POST', '/graphql', { 'content-type': 'text/plain' }, 'x'],
  [405, 'PUT', '/graphql', JSON_BODY, OPERATION],
  [405, 'DELETE', '/graphql/stream'],
  [403, 'GET', '/graphql', { host: 'evil.example.com' }],
  [403, 'POST', '/graphql', { ...JSON_BODY, origin: 'https://evil.example.com' }, OPERATION],
  [403, 'GET', '/graphql', { 'sec-fetch-site': 'cross-site' }],
  [401, 'POST', '/webhooks/cashfree', JSON_BODY, OPERATION],
  [200, 'GET', '/webhooks/cashfree'],
  [400, 'POST', '/dev/token', JSON_BODY, '{}'],
  [200, 'GET', '/healthz'],
  [200, 'HEAD', '/healthz'],
  [404, 'POST', '/healthz', JSON_BODY, '{}'],
  [200, 'GET', '/readyz'],
  [200, 'GET', '/metrics'],
  [404, 'DELETE', '/metrics'],
  [404, 'GET', '/nothing'],
  [404, 'OPTIONS', '/graphql'],
  [404, 'PROPFIND', '/graphql'],
  [400, 'GET', '/%zz'],
];

test('every response, also an error or a stream, has the strict security headers', async () => {
  const gateway = await bootGateway();
  await untilReady(gateway);
  for (const sent of ANSWERS) {
    const what = sent.slice(0, 3).join(' ');
    const { statusCode, headers } = await send(gateway.url, sent);
    expect(statusCode, what).toBe(sent[0]);
    expect(headers, what).toMatchObject({
      ...READ_ONLY,
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    expect(headers, what).not.toHaveProperty('access-control-allow-origin');
    expect(headers, what).not.toHaveProperty('x-powered-by');
  }
});

test('unauthenticated and rate-limited responses and CORS preflights have the strict security headers', async () => {
  const origin = 'https://app.example.com';
  const gateway = await bootGateway({
    environment: { AUTH_SECRET, RATE_LIMIT_FAILURES_PER_MINUTE: '1', ALLOWED_ORIGINS: origin },
  });
  const answers: Sent[] = [
    [204, 'OPTIONS', '/graphql', { origin, 'access-control-request-method': 'POST' }],
    [401, 'POST', '/graphql', { ...JSON_BODY, origin }, OPERATION],
    [429, 'POST', '/graphql', JSON_BODY, OPERATION],
    [429, 'POST', '/graphql/stream', JSON_BODY, OPERATION],
    [429, 'POST', '/webhooks/cashfree', JSON_BODY, OPERATION],
    [404, 'POST', '/dev/token', JSON_BODY, '{}'],
  ];
  for (const sent of answers) {
    const { statusCode, headers } = await send(gateway.url, sent);
    expect(statusCode).toBe(sent[0]);
    expect(headers, sent.join(' ')).toMatchObject(READ_ONLY);
  }
});

test('responses to malformed, oversized and late requests and to refused upgrades have the strict CSP', async () => {
  const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '1' } });
  const { port } = new URL(gateway.url);
  const say = async (text: string) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes;
    });
    socket.write(text);
    await once(socket, 'close');
    return heard;
  };
  const heard = await Promise.all([
    say('this is not HTTP\r\n\r\n'),
    say(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    say('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n'),
  ]);
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, {
    headers: { origin: 'https://evil.example.com' },
  });
  const [sent, refused] = await once(socket, 'unexpected-response');
  sent.destroy();

  expect(heard.map((text) => text.split(' ')[1])).toEqual(['400', '431', '408']);
  for (const text of heard) {
    expect(text).toContain(`Content-Security-Policy: ${NOTHING}\r\n`);
    expect(text).toMatch(
      /\r\n\r\n\{"errors":\[\{"message":".*","extensions":\{"code":"BAD_REQUEST"\}\}\]\}$/,
    );
  }
  expect(refused.statusCode).toBe(403);
  expect(refused.headers).toMatchObject(READ_ONLY);
});

test('GraphiQL may load nothing from other origins and may not be framed, also when it is answered with 304', async () => {
  const gateway = await bootGateway();
  const { headers } = await fetch(`${gateway.url}/graphiql`);
  const again = await fetch(`${gateway.url}/graphiql`, {
    headers: { 'if-none-match': headers.get('etag') ?? '' },
  });
  expect(again.status).toBe(304);

  for (const policy of [headers, again.headers].map((each) => each.get('content-security-policy') ?? '')) {
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*/);
  }
});

test('responses of the sandbox have the strict CSP and nosniff', async () => {
  const gateway = await bootGateway();
  const answers: Sent[] = [
    [200, 'GET', '/_sandbox'],
    [403, 'GET', '/_sandbox', { host: 'evil.example.com' }],
    [404, 'GET', '/nothing'],
    [400, 'GET', '/verification/vkyc'],
  ];
  for (const sent of answers) {
    const { statusCode, headers } = await send(gateway.sandboxUrl, sent);
    expect(statusCode).toBe(sent[0]);
    expect(headers).toMatchObject({
      'content-security-policy': NOTHING,
      'x-content-type-options': 'nosniff',
    });
  }
});
