/** Runs two gateways, traffic and subscribers on a database that fails over, and checks what subscribers received. */
import pg from 'pg';
import { toGlobalId } from '../../src/graphql/node.ts';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { everyoneHasRead, type Log, readLog } from '../chaos/account.ts';
import { everyoneIsConnected, Names, type Subscriber, subscribe } from '../chaos/subscribers.ts';
import { pause } from '../chaos/trouble.ts';
import { oneOf, type Wish, wishOf } from '../chaos/wishes.ts';
import { allRecorded, fetchFeedCursor, startWorld, type World } from '../chaos/world.ts';
import {
  accountOfFailovers,
  type Beat,
  type Era,
  type FailoverAccount,
  hasPlace,
  placeOf,
} from './account.ts';
import { type Cluster, type FallenPrimary, type Replication, startCluster } from './cluster.ts';
import { type RememberingProvider, startRememberingProvider } from './provider.ts';
import { findForgotten, findMissing, type Missing, startTraffic, type Traffic } from './traffic.ts';

export interface FloorPlan {
  readonly seed: string;
  readonly replication: Replication;
  readonly sessions: number;
  /** Number of subscribers that stay connected. */
  readonly live: number;
  /** Number of subscribers that disconnect before a failover and resume with their cursors after it. */
  readonly resuming: number;
  readonly webhooksPerSecond: number;
  readonly say: (line: string) => unknown;
}

export interface Proof {
  readonly account: FailoverAccount;
  /** Number of acknowledged webhooks, meetings and starts. */
  readonly acknowledged: number;
  /** Acknowledged work that the database lost. */
  readonly missing: Missing;
  /**
   * Verification ids of sessions whose status still differs from the provider's, although polls should have recovered
   * the loss.
   */
  readonly forgotten: readonly string[];
  /** Verification ids of lost starts for which a retry with the same input failed. */
  readonly unrepeatable: readonly string[];
  readonly wrong: readonly string[];
  readonly errors: ReadonlyMap<string, number>;
  readonly transitions: number;
  /** Number of transitions that failovers lost. */
  readonly gone: number;
  readonly database: pg.Pool;
}

export interface Floor {
  readonly cluster: Cluster;
  readonly world: World;
  readonly random: SeededRandom;
  readonly traffic: Traffic;
  /** Disconnects the subscribers that resume later, each at a random moment of the next `withinMs`. */
  leave(withinMs: number): Promise<void>;
  /**
   * Kills the database, runs `recover`, and waits until all subscribers are at a position that the recovered log has.
   */
  failOver(recover: () => Promise<void>): Promise<void>;
  /** Waits for all work to finish, and compares acknowledged work and received transitions with the logs. */
  prove(): Promise<Proof>;
}

/**
 * Timeout after a failover, long enough on any machine: a subscriber that has reached no position of the log within
 * this time is stuck.
 */
const IN_PLACE_WITHIN_MS = 45_000;
const LOOK_EVERY_MS = 500;
/**
 * Timeout, long enough to poll all sessions within the call budget: after a failover, polls of all sessions are due at
 * the same time.
 */
const RELEARNT_WITHIN_MS = 60_000;
const FROM_A_SESSIONS_START = 0.3;
const GAP_PROOFS = 0.5;
const RETRY_MS = [50, 500] as const;
const COME_BACK_WITHIN_MS = 3_000;

/** Boots the database, gateways, traffic and subscribers; they are stopped when the test ends. */
export async function startFloor(plan: FloorPlan): Promise<Floor> {
  const { seed, say } = plan;
  const [cluster, provider] = await Promise.all([startCluster(plan.replication), startRememberingProvider()]);
  const world = await startWorld({
    seed,
    gateways: 2,
    sessions: plan.sessions,
    database: cluster.url,
    provider,
  });
  const { database, sessions, proxy } = world;
  const random = createSeededRandom('floor', seed);
  const names = new Names();
  const eras: Era[] = [];
  const beats: Beat[] = [];
  const misled = new Set<Subscriber>();
  let gone = 0;

  const join = async (): Promise<Subscriber> => {
    const wish = wishOf(sessions, random, GAP_PROOFS);
    const fromStart = wish.session ?? (random.chance(FROM_A_SESSIONS_START) ? oneOf(sessions, random) : null);
    const after = fromStart?.startCursor ?? (await fetchFeedCursor(world));
    const retry = () => pause(random.between(...RETRY_MS));
    return subscribe({
      url: proxy.url,
      wish,
      after,
      names,
      clientOptions: { retryWait: retry, retry },
      findCursor: () => findCursor(world, wish),
      onFrame(frame, subscriber) {
        if (frame.__typename !== 'Heartbeat') return;
        beats.push({ subscriber, sentAt: Date.parse(frame.serverTime), place: placeOf(subscriber) });
      },
    });
  };
  const subscribers = await Promise.all(Array.from({ length: plan.live + plan.resuming }, join));
  const resuming = subscribers.slice(plan.live);
  await everyoneIsConnected(subscribers);
  const traffic = startTraffic({ ...plan, url: proxy.url, sessions, provider });

  /**
   * Waits until every subscriber is connected at a position that the log has. After a timeout, returns the subscribers
   * that are not.
   */
  const everyoneInPlace = async (): Promise<Subscriber[]> => {
    const deadline = performance.now() + IN_PLACE_WITHIN_MS;
    for (;;) {
      const log = await readLog(database, names).catch(() => null);
      const astray = subscribers.filter(
        (subscriber) =>
          !subscriber.ended && (!log || subscriber.state === 'stale' || !hasPlace(log, placeOf(subscriber))),
      );
      if (astray.length === 0 || performance.now() > deadline) return astray;
      await pause(LOOK_EVERY_MS);
    }
  };

  return {
    cluster,
    world,
    random,
    traffic,

    async leave(withinMs) {
      await Promise.all(
        resuming.map(async (subscriber) => {
          await pause(random.between(0, withinMs));
          subscriber.leave();
        }),
      );
    },

    async failOver(recover) {
      const toldBefore = toldIn(subscribers);
      const fallen = await cluster.killPrimary();
      const killedAt = Date.now();
      await recover();
      const log = await inspect(fallen, names);
      eras.push({ log, endedAt: killedAt });
      await Promise.all(
        resuming.map(async (subscriber) => {
          await pause(random.between(0, COME_BACK_WITHIN_MS));
          subscriber.comeBack();
        }),
      );
      const astray = await everyoneInPlace();
      for (const subscriber of astray) if (subscriber.state === 'live') misled.add(subscriber);
      if (astray.length > 0)
        say(
          `${astray.length} subscribers are still disconnected, or at a position that the log does not have`,
        );
      const now = await readLog(database, names);
      const lost = log.entries.filter(({ number }) => !now.hasTransition(number)).length;
      gone += lost;
      const told = toldIn(subscribers) - toldBefore;
      const seconds = ((Date.now() - killedAt) / 1000).toFixed(1);
      say(
        `${lost} of ${log.entries.length} transitions lost, ${told} resyncs of subscribers; ${seconds} s from the kill until the subscribers were checked`,
      );
    },

    async prove() {
      await traffic.stop();
      await allRecorded(database);
      const forgotten = await waitForRelearning(database, provider);
      const missing = await findMissing(database, traffic.acknowledged);
      const unrepeatable: string[] = [];
      for (const verificationId of missing.starts) {
        const code = await traffic.repeatStart(verificationId);
        if (code) unrepeatable.push(`${verificationId}: ${code}`);
      }

      // Makes all subscribers resume once more, then adds transitions: a subscriber with a wrong cursor now misses or
      // repeats a transition.
      proxy.cutAll();
      await traffic.lastWords();
      await allRecorded(database);
      const log = await readLog(database, names);
      await everyoneHasRead(subscribers, log);
      eras.push({ log, endedAt: Number.POSITIVE_INFINITY });
      const { webhooks, meetings, starts } = traffic.acknowledged;
      return {
        account: accountOfFailovers({ subscribers, eras, beats, misled: [...misled], names }),
        acknowledged: webhooks.length + meetings.length + starts.length,
        missing,
        forgotten,
        unrepeatable,
        wrong: traffic.wrong,
        errors: traffic.errors,
        transitions: log.entries.length,
        gone,
        database,
      };
    },
  };
}

const toldIn = (subscribers: readonly Subscriber[]): number =>
  subscribers.reduce((sum, { resets }) => sum + resets, 0);

/** Reads the log of a killed primary after crash recovery. */
const inspect = (fallen: FallenPrimary, names: Names): Promise<Log> =>
  fallen.inspect(async (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    // Ignores errors of connections that are still closing when the server stops.
    pool.on('error', () => {});
    try {
      return await readLog(pool, names);
    } finally {
      await pool.end();
    }
  });

const NEWEST_OF_SESSION =
  'query ($id: ID!) { session(id: $id) { transitions(last: 1) { nodes { cursor } } } }';

/** Recovers from CURSOR_EXPIRED like a good client: queries the current state, and returns the cursor of that state. */
async function findCursor(world: World, { session }: Wish): Promise<string> {
  if (!session) return fetchFeedCursor(world);
  for (;;) {
    const response = await fetch(`${world.proxy.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: NEWEST_OF_SESSION,
        variables: { id: toGlobalId('VkycSession', session.id) },
      }),
    }).catch(() => null);
    const answer: any = await response?.json().catch(() => null);
    const newest = answer?.data?.session?.transitions.nodes[0];
    if (newest) return newest.cursor;
    await pause(RETRY_MS[0]);
  }
}

/**
 * Waits until the database has the provider's status of every session; after a timeout, returns the sessions that still
 * differ.
 */
async function waitForRelearning(database: pg.Pool, provider: RememberingProvider): Promise<string[]> {
  const deadline = performance.now() + RELEARNT_WITHIN_MS;
  for (;;) {
    const forgotten = await findForgotten(database, provider);
    if (forgotten.length === 0 || performance.now() > deadline) return forgotten;
    await pause(LOOK_EVERY_MS);
  }
}
