import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { accountOf, everyoneHasRead, inWords, readLog } from './account.ts';
import { figuresOf, residentMb, setApart, WATCHED } from './process-figures.ts';
import { deliveriesTo, everyoneIsConnected, Names, subscribe } from './subscribers.ts';
import { oneOf, type Wish } from './wishes.ts';
import { allRecorded, fetchFeedCursor, startWorld } from './world.ts';
import { recordPlainly } from './writers.ts';

const LIVELY = 50;
const STALLED = 5;
const BURST = 10_000;
const SESSIONS = 50;
const WRITERS = 8;
const MOST_MB_MORE = 50;
const MOST_RESIDENT_MB_MORE = 100;
const MOST_DELAY_MS = 50;
const WEIGH_EVERY_MS = 100;
const say = (line: string) => process.stderr.write(`${line}\n`);

const ALL: Wish = {
  scope: 'ALL',
  session: null,
  filter: {},
  operation: 'statusTransitions',
  transport: 'WEBSOCKET',
  gapProof: false,
};

const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1);

/** Subscription with large frames, so that the data for a client that does not read fills the socket buffers. */
const EVERYTHING = `subscription ($after: String) {
  statusTransitions(after: $after) { ${Array.from({ length: 12 }, (_, index) => `s${index}: statusInfo { status subStatus explanation recommendedAction waitingOn }`).join(' ')} }
}`;

/** Starts a client that stops reading from its socket after the first frame; resolves after that frame. */
async function stall(url: string, after: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => {});
  atTheEnd(async () => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  const payload = { query: EVERYTHING, variables: { after } };
  socket.send(JSON.stringify({ id: 'stalled', type: 'subscribe', payload }));
  await once(socket, 'message');
  socket.pause();
  return socket;
}

test('clients that stop reading during a burst of 10,000 transitions cost the gateway little memory; other clients get every transition, and the event loop is not delayed', async () => {
  const world = await startWorld({ seed: 'stalled', gateways: 1, sessions: SESSIONS, environment: WATCHED });
  const { database, sessions, gateways } = world;
  const gateway = await (gateways[0] as (typeof gateways)[number]).present();
  say(
    (await setApart(gateway))
      ? 'the gateway has a core of its own'
      : 'the gateway shares its cores with the test',
  );
  const names = new Names();
  const beforeAll = sessions[0]?.startCursor as string;
  const after = await fetchFeedCursor(world);
  const lively = await Promise.all(
    Array.from({ length: LIVELY }, () => subscribe({ url: gateway.url, wish: ALL, after, names })),
  );
  await everyoneIsConnected(lively);
  await Promise.all(Array.from({ length: STALLED }, () => stall(gateway.url, beforeAll)));
  const { heldMb: heldBefore } = await figuresOf(gateway);
  const before = await residentMb(gateway);
  let most = before;
  const weighing = setInterval(async () => {
    most = Math.max(most, await residentMb(gateway).catch(() => 0));
  }, WEIGH_EVERY_MS);
  atTheEnd(async () => clearInterval(weighing));

  const startedAt = performance.now();
  const random = createSeededRandom('stalled reader');
  let left = BURST;
  const write = async () => {
    while (left > 0) {
      left -= 1;
      await recordPlainly(database, oneOf(sessions, random).id, left);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const writtenAt = performance.now();
  say(`written in ${seconds(startedAt, writtenAt)} s, ${deliveriesTo(lively)} deliveries by then`);
  await allRecorded(database);
  const log = await readLog(database, names);
  await everyoneHasRead(lively, log);
  const readAt = performance.now();
  clearInterval(weighing);
  const afterwards = await residentMb(gateway);
  const { eventLoopDelayMs: delay, heldMb } = await figuresOf(gateway);

  const account = accountOf(lively, log, names);
  say(`received by all ${seconds(writtenAt, readAt)} s later`);
  say(
    `resident: ${Math.round(before)} MB before, ${Math.round(most)} at most, ${Math.round(afterwards)} after; in use: ${Math.round(heldBefore)} MB before, ${Math.round(heldMb)} after`,
  );
  say(
    `event loop delay: p50 ${delay.p50} ms, p99 ${delay.p99} ms, at most ${delay.max} ms; ${inWords(account)}`,
  );
  expect(account.complaints).toEqual([]);
  expect(heldMb - heldBefore, 'growth of memory in use (MB)').toBeLessThan(MOST_MB_MORE);
  // Allows more than for memory in use: freed pages that the process has not returned to the system count as resident.
  expect(most - before, 'growth of resident memory (MB)').toBeLessThan(MOST_RESIDENT_MB_MORE);
  expect(delay.p99, 'p99 event loop delay (ms)').toBeLessThan(MOST_DELAY_MS);
});
