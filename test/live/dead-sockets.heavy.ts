import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';

const LONGEST_MS = 30_000;

test('a WebSocket that no longer answers pings is closed within 30 seconds, and one that answers stays open', async () => {
  const gateway = await bootGateway({ environment: { CONNECTIONS_PER_CLIENT: '2' } });
  const connect = async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    atTheEnd(async () => socket.terminate());
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const acknowledged = once(socket, 'message').then(() => true);
    return { socket, acknowledged: Promise.race([acknowledged, once(socket, 'close').then(() => false)]) };
  };
  const lively = await connect();
  const dead = await connect();
  expect([await lively.acknowledged, await dead.acknowledged]).toEqual([true, true]);

  dead.socket.pause();
  const since = performance.now();
  // CONNECTIONS_PER_CLIENT admits another connection only after the gateway has closed the dead socket.
  await eventually(async () => (await connect()).acknowledged);

  const foundAfterMs = performance.now() - since;
  process.stderr.write(`the dead socket was closed after ${(foundAfterMs / 1000).toFixed(1)} s\n`);
  expect(foundAfterMs).toBeLessThan(LONGEST_MS);
  expect(lively.socket.readyState).toBe(WebSocket.OPEN);
});
