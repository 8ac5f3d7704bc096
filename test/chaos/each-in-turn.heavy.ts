import { expect } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { natsTest } from '../harness/nats.ts';
import { accountOf, everyoneHasRead, inWords, NOTHING_WRONG, readLog } from './account.ts';
import { balanceOf, enter } from './book.ts';
import { startStack } from './stack.ts';
import { differences, makeTraffic } from './stack-traffic.ts';
import {
  connectionsOf,
  deliveriesTo,
  everyoneIsConnected,
  Names,
  type Subscriber,
  subscribe,
} from './subscribers.ts';
import { pause } from './trouble.ts';
import { wishOf } from './wishes.ts';
import { allRecorded, fetchFeedCursor } from './world.ts';
import { recordPlainly } from './writers.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SESSIONS = 30;
const SUBSCRIBERS = 80;
const PROGRESS_EVERY_MS = 3_000;
const RETRY_MS = [50, 500] as const;
/** Minimum counts of new work between two kills, so that every kill interrupts traffic. */
const ENOUGH = { webhooks: 10, answers: 15, starts: 1, deliveries: 100 };
const say = (line: string) => process.stderr.write(`${line}\n`);

natsTest(
  'while three gateways, NATS, PostgreSQL and the load balancer are killed in turn, subscribers get each transition once and in order, and no query or mutation gets a wrong answer',
  async () => {
    say(`each in turn, CHAOS_SEED=${SEED}`);
    const stack = await startStack(SEED, SESSIONS);
    const { database, sessions, url, kills } = stack;
    const names = new Names();
    const random = createSeededRandom('each in turn', SEED);
    const feedEnd = await fetchFeedCursor(stack);
    const retry = () => pause(random.between(...RETRY_MS));
    const join = () => {
      const wish = wishOf(sessions, random);
      const after = wish.session?.startCursor ?? feedEnd;
      return subscribe({ url, wish, after, names, clientOptions: { retryWait: retry, retry } });
    };
    const subscribers: Subscriber[] = await Promise.all(Array.from({ length: SUBSCRIBERS }, join));
    await everyoneIsConnected(subscribers);

    const traffic = makeTraffic(stack, SEED);
    const done = () => ({ ...traffic.count, deliveries: deliveriesTo(subscribers) });
    const progress = setInterval(() => {
      const live = subscribers.filter(({ state }) => state !== 'stale').length;
      say(`  ${live} of ${SUBSCRIBERS} live, ${inWords(done())}`);
    }, PROGRESS_EVERY_MS);
    atTheEnd(async () => clearInterval(progress));
    const goesOnWell = async () => {
      const before = done();
      await everyoneIsConnected(subscribers);
      const kinds = Object.keys(ENOUGH) as (keyof typeof ENOUGH)[];
      await eventually(async () => kinds.every((kind) => done()[kind] - before[kind] >= ENOUGH[kind]));
    };
    await goesOnWell();
    for (const [name, kill] of Object.entries(kills)) {
      const killedAt = performance.now();
      const before = traffic.count.unanswered;
      await kill();
      const backMs = performance.now() - killedAt;
      await goesOnWell();
      const wellMs = performance.now() - killedAt;
      say(
        `${name} killed: runs again after ${(backMs / 1000).toFixed(1)} s, traffic and subscribers recovered after ${(wellMs / 1000).toFixed(1)} s; ${traffic.count.unanswered - before} requests were not answered`,
      );
    }
    await traffic.stop();
    await allRecorded(database);
    await Promise.all(sessions.map(({ id }, index) => recordPlainly(database, id, index)));
    await allRecorded(database);
    const log = await readLog(database, names);
    await everyoneHasRead(subscribers, log);

    const account = accountOf(subscribers, log, names);
    const { lost, repeated } = await differences(database, traffic);
    const { webhooks, answers, unanswered, starts } = traffic.count;
    const beside = {
      requests: webhooks + answers + unanswered + starts + connectionsOf(subscribers),
      faults: Object.keys(kills).length,
      lost: lost.length,
      repeated: repeated.length,
      wrong: traffic.wrong.length,
    };
    enter('each-in-turn', balanceOf(account, beside));
    for (const complaint of [...account.complaints, ...traffic.wrong, ...lost]) say(complaint);
    say(
      `${log.entries.length} transitions, ${inWords(done())}\n${inWords(account)}; of the accepted webhooks and started sessions ${lost.length} lost, ${repeated.length} repeated, ${traffic.wrong.length} answers wrong`,
    );
    expect(account, `CHAOS_SEED=${SEED}`).toEqual(NOTHING_WRONG);
    expect({ lost, repeated, wrong: traffic.wrong }).toEqual({ lost: [], repeated: [], wrong: [] });
    expect(stack.gateways.map(({ deaths }) => deaths)).toEqual([1, 1, 1]);
    for (const gateway of stack.gateways) expect((await gateway.present()).child.exitCode).toBeNull();
    await expectFolds(database);
    await expectFeedOfLog(database);
  },
);
