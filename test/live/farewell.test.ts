import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bootGateway } from '../harness/gateway.ts';

const WATCH = 'subscription { statusTransitions { sequence } }';
const WINDOW_SECONDS = 1;

test('a stop sends everyone away over its window, in ways that bring clients back, and lets nobody in', async () => {
  const gateway = await bootGateway({ environment: { SHUTDOWN_SECONDS: String(WINDOW_SECONDS) } });
  const sockets = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await once(socket, 'message');
      // In an object, since a promise alone would be waited for here.
      return {
        closed: once(socket, 'close').then(([code]) => ({ code: code as number, at: performance.now() })),
      };
    }),
  );
  const streams = await Promise.all(
    Array.from({ length: 10 }, () =>
      fetch(`${gateway.url}/graphql/stream?query=${encodeURIComponent(WATCH)}`),
    ),
  );
  const ends = streams.map((response) => response.text().catch((error: Error) => error.message));

  const since = performance.now();
  const stopped = gateway.stop();
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
  const closes = await Promise.all(sockets.map(({ closed }) => closed));

  expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1012]));
  const halves = [0, 0];
  for (const { at } of closes) halves[at - since < WINDOW_SECONDS * 500 ? 0 : 1]! += 1;
  expect(Math.min(...halves), `by half: ${halves}`).toBeGreaterThan(5);
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['terminated']));
  await stopped;
});
