/** Floods of a thousand useless connections: the gateway closes or refuses these, and still serves an honest client. */
import { once, setMaxListeners } from 'node:events';
import { get } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { claimsWith, signWith } from '../harness/key-server.ts';
import { frameOf, type RawPeer, rawPeer, rawWebSocket } from '../harness/raw-peer.ts';
import { TRANSPORTS } from '../harness/transports.ts';
import { tallyOf } from './tally.ts';

const MANY = 1_000;
const MOST_CONNECTIONS = 20;
/** Limit for the median wait of an honest client on a busy machine. */
const SERVED_WITHIN_MS = 1_000;
/** Timeout of a test in milliseconds: generous, since a test takes only a few seconds on an idle machine. */
const timeout = 60_000;
/** Allowance for sockets outside of the flood: those of the honest client, the test runner and the database. */
const SPARE_SOCKETS = 50;
const FLOOD_BYTES = 100e6;
const ROUNDS = 100;
/**
 * Maximum number of bytes that the gateway may take from a peer that does not read its answers (backpressure): slightly
 * more than the socket buffers hold.
 */
const HEARD_AT_MOST_BYTES = 40e6;

const AUTH_SECRET = 'a secret of the tests that is long enough';
const gateway = await bootGateway({
  environment: {
    AUTH_SECRET,
    REQUEST_SECONDS: '2',
    CONNECTIONS_PER_CLIENT: String(MOST_CONNECTIONS),
    TRUST_PROXY: '127.0.0.1',
  },
});
const tokenOf = async (sub: string) =>
  `Bearer ${await signWith(new TextEncoder().encode(AUTH_SECRET), { alg: 'HS256' }, claimsWith({ sub }))}`;
const honest = await tokenOf('asha');
const mallory = { authorization: await tokenOf('mallory') };

const tally = tallyOf('floods');

/** Counts the TCP sockets of this process, which runs the gateway and its clients. */
const openSockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

/**
 * Makes a thousand items (MANY), fifty at a time: with more, the accept queue would overflow, which delays connections
 * by a second (SYN retransmission).
 */
async function many<T>(make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < MANY)
    made.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => make(index)))));
  return made;
}

/** Sends a query as an honest client on every transport; returns how many milliseconds the slowest answer took. */
async function served(): Promise<number> {
  const since = performance.now();
  const asking = Object.values(TRANSPORTS).map(async (send) => {
    const { data } = await send(gateway, { query: '{ viewer { id } }' }, honest);
    expect(data.viewer.id).toBe('asha');
  });
  await Promise.all(asking);
  return performance.now() - since;
}

/** Sends queries as an honest client until a promise settles; prints the waits and returns their median in ms. */
async function waitedUntil(done: Promise<unknown>, what: string): Promise<number> {
  let isDone = false;
  const waits: number[] = [];
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) waits.push(await served());
  await done;
  waits.sort((a, b) => a - b);
  const [median, most] = [waits[waits.length >> 1], waits.at(-1)] as [number, number];
  process.stdout.write(
    `${what}: an honest client was served ${waits.length} times, within ${median.toFixed(1)} ms (median) and ${most.toFixed(1)} ms (at most)\n`,
  );
  return median;
}

/** What useless connections without a WebSocket send: nothing, or part of a request. */
const HALVES = [
  '',
  'POST /graphql HTTP/1.1\r\nHost: x\r\n',
  'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
];

/** Functions that open a useless connection, which the gateway must close by itself. */
const WORTHLESS: Record<string, (index: number) => Promise<RawPeer>> = {
  async 'that send nothing, or half a request'(index) {
    const peer = await rawPeer(gateway.url);
    peer.send(HALVES[index % HALVES.length] as string);
    return peer;
  },
  // Uses another address than the honest client, since the gateway limits WebSockets that have not signed in per
  // address.
  'that become WebSockets and do not sign in': () =>
    rawWebSocket(gateway.url, { 'X-Forwarded-For': '192.0.2.1' }),
};

test('a thousand connections with no or half a request, and a thousand WebSockets without sign-in, are closed, and an honest client is served within a second', {
  timeout,
}, async () => {
  const flood = Object.values(WORTHLESS).map(async (make) => {
    const peers = await many(make);
    await Promise.all(peers.map(({ ended }) => ended));
  });

  const waited = await waitedUntil(
    Promise.all(flood),
    `${MANY} connections each ${Object.keys(WORTHLESS).join(' and ')}`,
  );

  for (const name of Object.keys(WORTHLESS)) tally.note(name, waited > SERVED_WITHIN_MS);
  expect(waited).toBeLessThan(SERVED_WITHIN_MS);
});

/**
 * Functions that connect with the attacker's token and stay connected until `held` aborts. Each resolves with whether
 * the gateway admitted the connection.
 */
const OF_ONE_TOKEN: Record<string, (held: AbortSignal) => Promise<boolean>> = {
  async WebSockets(held) {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    held.addEventListener('abort', () => socket.terminate());
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: mallory }));
    const acknowledged = once(socket, 'message').then(() => true);
    return Promise.race([acknowledged, once(socket, 'close').then(() => false)]);
  },
  async streams(held) {
    const url = `${gateway.url}/graphql/stream?query=subscription{feed{__typename}}`;
    const asking = get(url, { headers: mallory, signal: held, agent: false }).on('error', () => {});
    const [response] = await once(asking, 'response');
    response.on('error', () => {}).resume();
    return response.statusCode === 200;
  },
};

test.each(Object.entries(OF_ONE_TOKEN))(
  'of a thousand %s opened with one token, only as many as CONNECTIONS_PER_CLIENT are admitted',
  { timeout },
  async (name, come) => {
    const before = openSockets();
    const held = new AbortController();
    setMaxListeners(0, held.signal);
    const flood = many(() => come(held.signal));

    const waited = await waitedUntil(flood, `${MANY} ${name} of one token`);
    const letIn = (await flood).filter(Boolean).length;
    tally.note(name, letIn > MOST_CONNECTIONS || waited > SERVED_WITHIN_MS);
    expect(letIn).toBe(MOST_CONNECTIONS);
    expect(waited).toBeLessThan(SERVED_WITHIN_MS);
    held.abort();
    await eventually(async () => openSockets() <= before + SPARE_SOCKETS);
    const again = new AbortController();
    atTheEnd(async () => again.abort());
    await eventually(() => come(again.signal));
  },
);

test('the gateway stops reading from a WebSocket peer that does not read its answers, and still serves other clients', {
  timeout,
}, async () => {
  const peer = await rawWebSocket(gateway.url);
  await peer.hears('\r\n\r\n');
  peer.send(frameOf({ payload: { type: 'connection_init', payload: mallory } }));
  await peer.hears('connection_ack');
  peer.socket.pause();
  const ping = frameOf({ payload: { type: 'ping', payload: { text: 'x'.repeat(60_000) } } });
  let sent = 0;
  const send = () => {
    while (sent < FLOOD_BYTES && peer.socket.write(ping)) sent += ping.length;
  };
  peer.socket.on('drain', send);
  send();

  for (let round = 0; round < ROUNDS && sent < FLOOD_BYTES; round += 1) await served();
  process.stdout.write(
    `the gateway took ${Math.round(sent / 1e6)} MB of pings from a peer that does not read\n`,
  );
  tally.note('pings', sent > HEARD_AT_MOST_BYTES);
  expect(sent).toBeLessThan(HEARD_AT_MOST_BYTES);
});

tally.close(Object.keys(WORTHLESS).length + Object.keys(OF_ONE_TOKEN).length + 1);
