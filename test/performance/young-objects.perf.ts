import { once } from 'node:events';
import { connect } from 'node:net';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { atTheEnd, bootGateway, type Gateway } from '../harness/gateway.ts';

const PAGE = `{
  sessions(first: 40) {
    nodes { id verificationId status createdAt user { userId } transitions(first: 8) { nodes { sequence occurredAt } pageInfo { endCursor } } }
    pageInfo { endCursor }
  }
}`;
const REQUESTS = 100;
/**
 * Maximum number of bytes that a request may leave in old space (V8's memory for long-lived objects): about a twentieth
 * of what the request allocates.
 */
const MOST_BYTES_LEFT = 25_000;

/**
 * Guards against closures in object literals (arrow functions as properties, getters), which V8 allocates in old space;
 * see the class `Page` in src/graphql/connection.ts.
 */
test('objects of a GraphQL response are freed by minor garbage collections and do not pile up in old space', async () => {
  setFlagsFromString('--expose-gc');
  const collect: typeof gc = runInNewContext('gc');
  const gateway = await bootGateway({ bothWays: false });
  for (let index = 0; index < 40; index += 1) await gateway.start(`happy-path.${index}`);
  const ask = await asker(gateway);
  const oldBytes = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;
  const settle = () => {
    for (let times = 0; times < 3; times += 1) collect?.({ type: 'minor' });
  };

  for (let index = 0; index < 50; index += 1) await ask();
  collect?.();
  await ask();
  settle();
  const before = oldBytes();
  for (let index = 0; index < REQUESTS; index += 1) await ask();
  settle();

  const left = (oldBytes() - before) / REQUESTS;
  process.stdout.write(`${Math.round(left)} bytes of a page remain in old space\n`);
  expect(left).toBeLessThan(MOST_BYTES_LEFT);
});

/**
 * Returns a function that sends the same request over one connection, without the garbage that `fetch` would
 * leave.
 */
async function asker(gateway: Gateway): Promise<() => Promise<void>> {
  const token = await gateway.token({ sub: 'an operator', roles: ['OPERATOR'] });
  const body = JSON.stringify({ query: PAGE });
  const request = [
    'POST /graphql HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    `authorization: Bearer ${token}`,
    `content-length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1' });
  atTheEnd(async () => void socket.destroy());
  return async () => {
    socket.write(request);
    let left = Number.POSITIVE_INFINITY;
    while (left > 0) {
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      if (left === Number.POSITIVE_INFINITY) {
        const head = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n'));
        expect(head).toContain('HTTP/1.1 200');
        left = Number(head.match(/content-length: (\d+)/i)?.[1]) + head.length + 4;
      }
      left -= bytes.length;
    }
  };
}
