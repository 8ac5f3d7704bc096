import { expect, test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { accountOf, everyoneHasRead, inWords, readLog } from './account.ts';
import { balanceOf, enter } from './book.ts';
import { drawHistogram, largestShare, stretchesOf } from './histogram.ts';
import { connectionsOf, everyoneIsConnected, Names, type Subscriber, subscribe } from './subscribers.ts';
import { pause } from './trouble.ts';
import { oneOf, wishOf } from './wishes.ts';
import { allRecorded, fetchFeedCursor, startWorld } from './world.ts';
import { recordPlainly } from './writers.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SUBSCRIBERS = Number(process.env.RESTARTED_SUBSCRIBERS ?? 2_000);
const SESSIONS = 200;
/** Seconds over which a stopping gateway spreads the reconnects of its clients, long because processes share cores. */
const WINDOW_SECONDS = 20;
const TRANSITIONS_PER_SECOND = 2;
/** Maximum share of all reconnects that may fall into one tenth of the window. */
const LARGEST_SHARE = 0.25;
const say = (line: string) => process.stderr.write(`${line}\n`);

test(`in a rolling restart, ${SUBSCRIBERS} subscribers get every transition, no subscriber is refused, and the reconnects are spread over time`, async () => {
  say(`rolling restart, CHAOS_SEED=${SEED}`);
  const environment = { SHUTDOWN_SECONDS: String(WINDOW_SECONDS) };
  const world = await startWorld({ seed: SEED, gateways: 2, sessions: SESSIONS, environment });
  const { database, sessions, gateways, proxy } = world;
  const random = createSeededRandom('rolling restart', SEED);
  const names = new Names();
  let sentAwayAt = 0;
  let comebacks: number[] = [];
  const onComeback = () => comebacks.push((performance.now() - sentAwayAt) / 1000);
  const feedEnd = await fetchFeedCursor(world);
  const join = () => {
    const wish = wishOf(sessions, random);
    return subscribe({
      url: proxy.url,
      wish,
      after: wish.session?.startCursor ?? feedEnd,
      names,
      onComeback,
    });
  };
  const subscribers: Subscriber[] = await Promise.all(Array.from({ length: SUBSCRIBERS }, join));
  await everyoneIsConnected(subscribers);

  let restarting = true;
  const record = async () => {
    for (let index = 0; restarting; index += 1) {
      await recordPlainly(database, oneOf(sessions, random).id, index);
      await pause(1_000 / TRANSITIONS_PER_SECOND);
    }
  };
  const recording = record();
  const shares: number[] = [];
  for (const gateway of gateways) {
    comebacks = [];
    sentAwayAt = performance.now();
    expect(await gateway.restart('SIGTERM')).toBe(0);
    say(
      `stopped after ${((performance.now() - sentAwayAt) / 1000).toFixed(1)} s; subscribers came back after`,
    );
    await gateway.present();
    await everyoneIsConnected(subscribers);
    const tenths = stretchesOf(comebacks, WINDOW_SECONDS / 10);
    say(drawHistogram(tenths, WINDOW_SECONDS / 10));
    shares.push(largestShare(tenths));
  }
  restarting = false;
  await recording;
  await allRecorded(database);
  const log = await readLog(database, names);
  await everyoneHasRead(subscribers, log);

  const account = accountOf(subscribers, log, names);
  const refusals = { refused: proxy.refused, dropped: proxy.dropped };
  const wrong = proxy.refused + proxy.dropped;
  enter(
    'rolling-restart',
    balanceOf(account, { requests: connectionsOf(subscribers), faults: gateways.length, wrong }),
  );
  say(`${log.entries.length} transitions, ${inWords(account)}, ${inWords(refusals)}`);
  expect(account.complaints, `CHAOS_SEED=${SEED}`).toEqual([]);
  expect(refusals).toEqual({ refused: 0, dropped: 0 });
  for (const share of shares) expect(share).toBeLessThanOrEqual(LARGEST_SHARE);
});
