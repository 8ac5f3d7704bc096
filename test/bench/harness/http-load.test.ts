import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeptOpen, load, percentile, requestOf } from './http-load.ts';

/**
 * Function of the current test that answers a request; it also decides how the response is split into chunks.
 */
let answer: (socket: Socket) => Promise<void> | void;
const server = createServer((socket) => {
  socket.on('data', () => void answer(socket));
  socket.on('error', () => {});
});
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

const good = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Returns a function that writes a response one byte at a time. */
const slowly = (text: string) => async (socket: Socket) => {
  for (const byte of Buffer.from(text)) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
};

test.each([
  ['with a Content-Length', good('{"a":"é"}'), '{"a":"é"}'],
  [
    'in chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
    '2\r\nab\r\n0\r\n\r\n',
  ],
])(
  'the load generator reads a response %s to its end, and then the next response',
  async (_how, wire, body) => {
    answer = slowly(wire);
    const connection = new KeptOpen(port);

    const first = await connection.exchange(requestOf('/', '{}', {}));
    const second = await connection.exchange(requestOf('/', '{}', {}));
    connection.close();

    expect([String(first), String(second)]).toEqual([body, body]);
  },
);

test.each([
  ['lacks the expected text', good('{"data":{}}')],
  ['contains GraphQL errors', good('{"proof":1,"errors":[]}')],
  ['has an error status', 'HTTP/1.1 503 No\r\nContent-Length: 11\r\n\r\n{"proof":1}'],
])('the load generator stops with an error if a response %s', async (_what, wire) => {
  answer = (socket) => void socket.write(wire);

  const loading = load({
    port,
    connections: 1,
    milliseconds: 1_000,
    next: () => requestOf('/', '{}', {}),
    proof: '"proof"',
  });

  await expect(loading).rejects.toThrow();
});

test('percentile returns one of the given values, without interpolation', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2);
  expect(percentile([5], 0.99)).toBe(5);
});
