import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bootGateway, eventually } from '../harness/gateway.ts';

const WATCH = 'subscription { statusTransitions { sequence } }';
const WINDOW_SECONDS = 1;

test('a shutdown closes WebSockets with 1012, spread over SHUTDOWN_SECONDS, aborts event streams, and accepts no new connection', async () => {
  const gateway = await bootGateway({ environment: { SHUTDOWN_SECONDS: String(WINDOW_SECONDS) } });
  const sockets = await Promise.all(Array.from({ length: 40 }, () => watchOver(gateway.url)));
  const streams = await Promise.all(
    Array.from({ length: 10 }, () =>
      fetch(`${gateway.url}/graphql/stream?query=${encodeURIComponent(WATCH)}`),
    ),
  );
  const ends = streams.map((response) => response.text().catch((error: Error) => error.message));

  const since = performance.now();
  const stopped = gateway.stop();
  await nobodyIsLetIn(gateway.url);
  const closes = await Promise.all(sockets.map(({ closed }) => closed));

  expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]));
  const halves = [0, 0];
  for (const { at } of closes) halves[at - since < WINDOW_SECONDS * 500 ? 0 : 1]! += 1;
  expect(Math.min(...halves), `closed sockets per half of the window: ${halves}`).toBeGreaterThan(5);
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['terminated']));
  await stopped;
});

test('requests and WebSocket upgrades in flight at shutdown get an answer (200, 503 or close code 1012)', async () => {
  const gateway = await bootGateway({ environment: { SHUTDOWN_SECONDS: '2' } });
  const { port } = new URL(gateway.url);
  const openConnection = async () => {
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    return { createConnection: () => socket };
  };
  const held = await Promise.all(Array.from({ length: 20 }, () => watchOver(gateway.url)));
  const [upgrade, query, stream] = await Promise.all([openConnection(), openConnection(), openConnection()]);

  const stopped = gateway.stop();
  await nobodyIsLetIn(gateway.url);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', upgrade);
  // Sends a message beyond the size limit: a protocol error during the shutdown must not crash the process.
  socket.once('open', () => socket.send('x'.repeat(100_000)));
  const [[code], answer, refusal] = await Promise.all([
    once(socket, 'close'),
    get({ ...query, port, path: `/graphql?query=${encodeURIComponent('{ __typename }')}` }),
    get({ ...stream, port, path: `/graphql/stream?query=${encodeURIComponent(WATCH)}` }),
  ]);

  expect(code).toBe(1012);
  expect(answer).toMatchObject({ statusCode: 200, headers: { connection: 'close' } });
  expect(refusal).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
  await Promise.all([stopped, ...held.map(({ closed }) => closed)]);
});

const nobodyIsLetIn = (url: string) =>
  eventually(() =>
    fetch(`${url}/healthz`).then(
      () => false,
      () => true,
    ),
  );

async function watchOver(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  // Returns the promise inside an object, because an async function waits for a promise that it returns
  // directly.
  return {
    closed: once(socket, 'close').then(([code]) => ({ code: code as number, at: performance.now() })),
  };
}

async function get(options: RequestOptions) {
  const headers = { 'apollo-require-preflight': 'true' };
  const [response] = await once(request({ host: '127.0.0.1', headers, ...options }).end(), 'response');
  response.resume();
  return response;
}
