/** Injects faults and writes transitions while subscribers listen. */
import type pg from 'pg';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { burstOf, newsOf, sendUntilTaken } from '../harness/news.ts';
import { oneOf } from './wishes.ts';
import type { World } from './world.ts';
import { recordSomehow } from './writers.ts';

export interface TroublePlan {
  readonly seed: string;
  readonly seconds: number;
  /** Webhooks per second. In addition, writers outside the gateways record as many transitions per second. */
  readonly transitionsPerSecond: number;
  /** Minimum and maximum seconds between two kills. */
  readonly gatewayKillsEvery: readonly [number, number];
  readonly listenerKillsEvery: readonly [number, number];
}

/** Counts of the webhooks and faults so far. */
export interface Happened {
  webhooks: number;
  lateCommits: number;
  rollbacks: number;
  listenerKills: number;
}

const WRITERS = 12;
const WEBHOOKS_IN_FLIGHT = 8;

/** Starts the faults; `over` resolves when the faults have ended and every gateway runs again. */
export function makeTrouble(world: World, plan: TroublePlan): { happened: Happened; over: Promise<void> } {
  const happened: Happened = { webhooks: 0, lateCommits: 0, rollbacks: 0, listenerKills: 0 };
  const endsAt = performance.now() + plan.seconds * 1000;
  const goesOn = () => performance.now() < endsAt;
  const random = (actor: string) => createSeededRandom('trouble', plan.seed, actor);
  const paceOf = (actors: number) => (actors * 2_000) / plan.transitionsPerSecond;

  const write = async (own: SeededRandom) => {
    while (goesOn()) {
      const fate = await recordSomehow(world.database, oneOf(world.sessions, own).id, own);
      if (fate === 'LATE') happened.lateCommits += 1;
      if (fate === 'ROLLED_BACK') happened.rollbacks += 1;
      await pause(own.between(0, paceOf(WRITERS)));
    }
  };

  const webhooks = webhooksOf(world, plan, random('news'));
  const sendWebhooks = async (own: SeededRandom) => {
    for (let body = webhooks.pop(); body !== undefined && goesOn(); body = webhooks.pop()) {
      await sendUntilTaken(body, world.reachable);
      happened.webhooks += 1;
      await pause(own.between(0, paceOf(WEBHOOKS_IN_FLIGHT)));
    }
  };

  const nowAndThen = async (own: SeededRandom, [from, to]: readonly [number, number], act: () => unknown) => {
    for (;;) {
      await pause(own.between(from, to) * 1000);
      if (!goesOn()) return;
      await act();
    }
  };
  const killer = random('killer');
  const passed = Promise.all([
    ...Array.from({ length: WRITERS }, (_, index) => write(random(`writer ${index}`))),
    ...Array.from({ length: WEBHOOKS_IN_FLIGHT }, (_, index) => sendWebhooks(random(`webhooks ${index}`))),
    nowAndThen(killer, plan.gatewayKillsEvery, () => oneOf(world.gateways, killer).kill()),
    nowAndThen(random('listeners'), plan.listenerKillsEvery, async () => {
      happened.listenerKills += await killListeners(world.database);
    }),
  ]);
  const over = passed.then(async () => {
    await Promise.all(world.gateways.map((gateway) => gateway.present()));
  });
  return { happened, over };
}

/** Returns enough webhooks for the whole duration, in random order, some of them twice. */
function webhooksOf({ sessions }: World, plan: TroublePlan, random: SeededRandom): string[] {
  const newsEach = Math.ceil((plan.transitionsPerSecond * plan.seconds) / sessions.length);
  const news = sessions.flatMap(({ verificationId }) => newsOf(verificationId, random, newsEach));
  return burstOf(news, random);
}

/** Terminates all LISTEN connections, so that notifications are lost; returns the number of terminated connections. */
export async function killListeners(database: pg.Pool): Promise<number> {
  const { rowCount } = await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query ilike 'listen%'`,
  );
  return rowCount ?? 0;
}

/** Waits between injected events. Never use this to wait for a result: `eventually` does that. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
