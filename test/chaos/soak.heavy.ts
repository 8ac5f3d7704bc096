import { expect, test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { eventually } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { inWords } from './account.ts';
import { balanceOf, enter } from './book.ts';
import { descriptorsGrownBy, memoryGrownBy, settled, slopesOf, watchLives } from './lives.ts';
import { WATCHED } from './process-figures.ts';
import type { Wear } from './proxy.ts';
import { makeSoakTraffic, type Rates } from './soak-traffic.ts';
import { differences } from './stack-traffic.ts';
import { reckon } from './storm.ts';
import { connectionsOf, everyoneIsConnected, Names, type Subscriber, subscribe } from './subscribers.ts';
import { killListeners, pause } from './trouble.ts';
import { oneOf, type Wish, wishOf } from './wishes.ts';
import { fetchFeedCursor, startWorld } from './world.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
interface Size extends Rates {
  readonly subscribers: number;
  readonly sessions: number;
  readonly wear: Wear;
  /** Minimum and maximum seconds between two kills. */
  readonly gatewayKillsEvery: readonly [number, number];
  readonly listenerKillsEvery: readonly [number, number];
}

const FULL: Size = {
  webhooksPerSecond: 50,
  queriesPerSecond: 200,
  subscribers: 1_000,
  sessions: 200,
  wear: { early: 0.02, meanLifeMs: 180_000 },
  gatewayKillsEvery: [90, 240],
  listenerKillsEvery: [30, 90],
};
const SMALL: Size = {
  webhooksPerSecond: 10,
  queriesPerSecond: 40,
  subscribers: 100,
  sessions: 20,
  wear: { early: 0.1, meanLifeMs: 20_000 },
  gatewayKillsEvery: [12, 20],
  listenerKillsEvery: [5, 10],
};
const SIZE = process.env.SOAK_SECONDS ? FULL : SMALL;
const SECONDS = Number(process.env.SOAK_SECONDS ?? 40);
/**
 * Number of first seconds of each process that are left out of its slopes (memory and descriptors per hour); fewer if
 * the whole test is short.
 */
const WARM_UP_SECONDS = Math.min(120, SECONDS / 4);
const LOOK_EVERY_SECONDS = Math.min(15, SECONDS / 12);
/** Added to the timeout: time for start-up, delayed work, and the comparison with the log at the end. */
const ALLOWANCE_SECONDS = 400 + SECONDS;
/** Share of subscribers that follow many sessions. It is small, because fan-out would otherwise dominate the load. */
const FOLLOW_MANY = 0.05;
const JOINING_AT_ONCE = 50;
/** Tolerance: a rate counts as reached if the measured rate is at most this share below the wanted rate. */
const MISSING = 0.03;
const say = (line: string) => process.stderr.write(`${line}\n`);

test(
  'under a steady load with faults, subscribers get each transition once and in order, no answer is wrong, and neither file descriptors nor (in runs over 20 minutes) memory grow',
  async () => {
    say(`soak, CHAOS_SEED=${SEED}, ${SECONDS} s of ${JSON.stringify(SIZE)}`);
    // Kills only the second gateway, so that the process of the first lives long enough to show leaks.
    const world = await startWorld({ ...SIZE, seed: SEED, gateways: 2, environment: WATCHED });
    const { database, sessions, gateways, proxy } = world;
    const random = createSeededRandom('soak', SEED);
    const names = new Names();
    const feedEnd = await fetchFeedCursor(world);
    const wish = (many: boolean): Wish => {
      for (;;) {
        const some = wishOf(sessions, random);
        if ((some.scope !== 'SESSION') === many) return some;
      }
    };
    const retry = () => pause(random.between(50, 500));
    const join = () => {
      const own = wish(random.chance(FOLLOW_MANY));
      const after = own.session?.startCursor ?? feedEnd;
      const clientOptions = { retryWait: retry, retry };
      return subscribe({ url: proxy.url, wish: own, after, names, clientOptions });
    };
    const subscribers: Subscriber[] = [];
    while (subscribers.length < SIZE.subscribers) {
      subscribers.push(...(await Promise.all(Array.from({ length: JOINING_AT_ONCE }, join))));
      await everyoneIsConnected(subscribers);
    }

    const faults = { listenerKills: 0 };
    const faultsSoFar = () => ({
      cuts: proxy.cuts,
      kills: gateways.reduce((sum, { deaths }) => sum + deaths, 0),
      ...faults,
    });
    const startedAt = performance.now();
    const elapsed = () => (performance.now() - startedAt) / 1000;
    const traffic = makeSoakTraffic(world, { ...SIZE, seed: SEED, seconds: SECONDS, after: feedEnd });
    const lives = watchLives(gateways);
    let before = { at: 0, ...traffic.count };
    const untilThen = (seconds: number) => pause((Math.min(seconds, SECONDS) - elapsed()) * 1000);
    const look = async (act: () => Promise<void>) => {
      while (elapsed() < SECONDS) {
        await untilThen((Math.floor(elapsed() / LOOK_EVERY_SECONDS) + 1) * LOOK_EVERY_SECONDS);
        await act();
      }
    };
    const every = async ([from, to]: readonly [number, number], act: () => unknown) => {
      for (;;) {
        await untilThen(elapsed() + random.between(Math.min(from, SECONDS / 6), Math.min(to, SECONDS / 3)));
        if (elapsed() >= SECONDS) return;
        await act();
      }
    };
    await Promise.all([
      every(SIZE.gatewayKillsEvery, () => oneOf(gateways.slice(1), random).kill()),
      every(SIZE.listenerKillsEvery, async () => {
        faults.listenerKills += await killListeners(database);
      }),
      look(async () => {
        const now = { at: elapsed(), ...traffic.count };
        const rate = (kind: 'webhooks' | 'answers') =>
          ((now[kind] - before[kind]) / (now.at - before.at)).toFixed(1);
        const live = subscribers.filter(({ state }) => state !== 'stale').length;
        say(
          `${now.at.toFixed(0)} s: ${rate('webhooks')} webhooks/s, ${rate('answers')} queries/s, queries ${traffic.answering.recent()}, webhook to frame ${traffic.telling.recent()}, ${live} live; ${await lives.look(now.at)}; ${inWords(faultsSoFar())}`,
        );
        before = now;
      }),
    ]);
    const took = elapsed();
    await traffic.stop();
    await Promise.all(gateways.map((gateway) => gateway.present()));
    const { count, wrong } = traffic;
    const reached = { webhooks: count.webhooks / took, queries: count.answers / took };
    // Waits until the inbox is empty, because a machine that is too slow for the rate has a large backlog.
    await eventually(async () => {
      const { rowCount } = await database.query(`select from webhook_inbox where state = 'PENDING' limit 1`);
      return rowCount === 0;
    });
    say(`all accepted webhooks were recorded ${(elapsed() - took).toFixed(1)} s after the end`);
    const { log, account } = await reckon(world, subscribers, names);
    const kept = await differences(database, { taken: traffic.taken, started: [] });

    const warm = lives.all.flatMap((life) => settled(life, WARM_UP_SECONDS) ?? []);
    for (const complaint of [...account.complaints, ...wrong, ...kept.lost, ...kept.repeated]) say(complaint);
    for (const life of warm) say(slopesOf(life));
    say(`${lives.all.length - warm.length} gateway processes lived too briefly for a slope`);
    say(
      `${log.entries.length} transitions; queries ${traffic.answering.whole()}, webhook to frame ${traffic.telling.whole()}; ${inWords(faultsSoFar())}; ${count.unanswered} queries were not answered`,
    );
    const short =
      reached.webhooks < SIZE.webhooksPerSecond * (1 - MISSING) ||
      reached.queries < SIZE.queriesPerSecond * (1 - MISSING);
    say(
      `${short ? 'THE RATES WERE NOT REACHED on this machine' : 'the rates were reached'}: ${reached.webhooks.toFixed(1)} of ${SIZE.webhooksPerSecond} webhooks/s, ${reached.queries.toFixed(1)} of ${SIZE.queriesPerSecond} queries/s; ${traffic.leftOut} webhooks and queries were skipped, because too many were in flight`,
    );
    const balance = balanceOf(account, {
      requests: count.webhooks + count.answers + count.unanswered + connectionsOf(subscribers),
      faults: Object.values(faultsSoFar()).reduce((sum, number) => sum + number, 0),
      lost: kept.lost.length,
      repeated: kept.repeated.length,
      wrong: wrong.length,
    });
    enter('soak', balance);
    say(inWords(balance));
    const zeros = { lost: 0, repeated: 0, outOfOrder: 0, wrong: 0 };
    expect(balance, `CHAOS_SEED=${SEED}`).toMatchObject(zeros);
    for (const life of warm) expect(descriptorsGrownBy(life), `descriptors of ${life.name}`).toBe(0);
    for (const life of lives.all) {
      const grownBy = memoryGrownBy(life);
      if (grownBy === null) continue;
      say(`${life.name}: memory in use grew by ${grownBy.toFixed(0)} MB since the middle of its life`);
      expect(grownBy, `memory of ${life.name}`).toBe(0);
    }
    expect(warm.length).toBeGreaterThan(0);
    await expectFolds(database);
    await expectFeedOfLog(database);
  },
  (SECONDS + ALLOWANCE_SECONDS) * 1000,
);
