import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';

const LONGEST_MS = 30_000;

test('a socket whose peer has gone without a word is found within 30 seconds, and a lively one is not', async () => {
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
  // The client may have one more when, and only when, the dead one has been found.
  await eventually(async () => (await connect()).acknowledged);

  const foundAfterMs = performance.now() - since;
  process.stderr.write(`a dead socket was found after ${(foundAfterMs / 1000).toFixed(1)} s\n`);
  expect(foundAfterMs).toBeLessThan(LONGEST_MS);
  expect(lively.socket.readyState).toBe(WebSocket.OPEN);
});
