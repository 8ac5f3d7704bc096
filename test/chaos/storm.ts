/**
 * Runs subscribers on two gateways while all kinds of faults happen concurrently, and compares what the subscribers
 * received with the log.
 */
import type pg from 'pg';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { type Account, accountOf, everyoneHasRead, inWords, type Log, readLog } from './account.ts';
import type { Wear } from './proxy.ts';
import { deliveriesTo, Names, type Subscriber, subscribe } from './subscribers.ts';
import { type Happened, makeTrouble, pause, type TroublePlan } from './trouble.ts';
import { oneOf, wishOf } from './wishes.ts';
import { allRecorded, fetchFeedCursor, startWorld, type World } from './world.ts';
import { recordPlainly } from './writers.ts';

export interface StormPlan extends TroublePlan {
  readonly sessions: number;
  readonly subscribers: number;
  readonly wear: Wear;
  /** Called every few seconds with a progress line. */
  readonly onProgress?: (line: string) => unknown;
}

export interface Tally extends Happened {
  readonly transitions: number;
  readonly deliveries: number;
  readonly cuts: number;
  readonly kills: number;
  readonly reconnects: number;
  readonly resets: number;
}

export interface Aftermath {
  readonly account: Account;
  readonly tally: Tally;
  readonly database: pg.Pool;
}

/** Share of subscribers that connect only during the first half of the faults. */
const LATECOMERS = 0.25;
const FROM_A_SESSIONS_START = 0.3;
const GAP_PROOFS = 0.5;
const PROGRESS_EVERY_MS = 3_000;
const RETRY_MS = [50, 500] as const;

/**
 * Runs the faults, then waits until every subscriber has received all expected transitions, or no more frames arrive.
 */
export async function runStorm(plan: StormPlan): Promise<Aftermath> {
  const world = await startWorld({ ...plan, gateways: 2 });

  const { database, sessions, proxy } = world;
  const names = new Names();
  const subscribers: Subscriber[] = [];
  const random = createSeededRandom('subscribers', plan.seed);
  const join = async () => {
    const wish = wishOf(sessions, random, GAP_PROOFS);
    const fromStart = wish.session ?? (random.chance(FROM_A_SESSIONS_START) ? oneOf(sessions, random) : null);
    const after = fromStart?.startCursor ?? (await fetchFeedCursor(world));
    const retry = () => pause(random.between(...RETRY_MS));
    const clientOptions = { retryWait: retry, retry };
    subscribers.push(await subscribe({ url: proxy.url, wish, after, names, clientOptions }));
  };
  const latecomers = Math.round(plan.subscribers * LATECOMERS);
  await Promise.all(Array.from({ length: plan.subscribers - latecomers }, join));

  const trouble = makeTrouble(world, plan);
  reportProgress(plan, () => tallyOf(world, subscribers, trouble.happened), subscribers);
  const late: Promise<void>[] = [];
  while (late.length < latecomers) {
    await pause((plan.seconds * 500) / latecomers);
    late.push(join());
  }
  await Promise.all([trouble.over, ...late]);
  const { log, account } = await reckon(world, subscribers, names);
  const tally = { ...tallyOf(world, subscribers, trouble.happened), transitions: log.entries.length };
  return { account, tally, database };
}

/** Waits for all work to finish, and compares the transitions that subscribers received with the log. */
export async function reckon(
  { database, sessions, proxy }: World,
  subscribers: readonly Subscriber[],
  names: Names,
): Promise<{ log: Log; account: Account }> {
  proxy.calm();
  await allRecorded(database);

  // Makes all subscribers resume once more, then adds transitions: a subscriber with a wrong cursor now misses or
  // repeats a transition.
  proxy.cutAll();
  await Promise.all(sessions.map(({ id }, index) => recordPlainly(database, id, index)));
  await allRecorded(database);

  const log = await readLog(database, names);
  await everyoneHasRead(subscribers, log);
  return { log, account: accountOf(subscribers, log, names) };
}

function tallyOf(
  { proxy, gateways }: World,
  subscribers: readonly Subscriber[],
  happened: Happened,
): Omit<Tally, 'transitions'> {
  return {
    deliveries: deliveriesTo(subscribers),
    ...happened,
    cuts: proxy.cuts,
    kills: sum(gateways.map(({ deaths }) => deaths)),
    reconnects: sum(subscribers.map(({ connections }) => Math.max(connections - 1, 0))),
    resets: sum(subscribers.map(({ resets }) => resets)),
  };
}

function reportProgress(
  { onProgress }: StormPlan,
  tally: () => object,
  subscribers: readonly Subscriber[],
): void {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const live = subscribers.filter(({ state }) => state !== 'stale').length;
    onProgress?.(`${seconds} s: ${live} of ${subscribers.length} live, ${inWords(tally())}`);
  }, PROGRESS_EVERY_MS);
  atTheEnd(async () => clearInterval(timer));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
