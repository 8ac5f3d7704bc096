/** Runs clients of one gateway behind faulty routers, and checks that each client sees every transition once. */
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type FeedState, resuming } from '../../src/client/resuming.ts';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, eventually, type Gateway } from '../harness/gateway.ts';
import { type SharingRouter, startSharingRouter } from './sharing-router.ts';

const LINK = '__typename cursor previousCursor';
const TRANSITION = `... on StatusTransition { ${LINK} id status }`;
const OPERATIONS = {
  feed: `subscription ($filter: TransitionFilter, $after: String) {
    feed(filter: $filter, after: $after) { ${TRANSITION} ... on Heartbeat { ${LINK} } ... on FeedReset { ${LINK} } }
  }`,
  sessionLive: `subscription ($sessionId: ID!, $after: String) {
    sessionLive(sessionId: $sessionId, after: $after) {
      ${TRANSITION} ... on Heartbeat { ${LINK} } ... on SessionSnapshot { ${LINK} resync }
    }
  }`,
  statusTransitions: `subscription ($sessionId: ID, $filter: TransitionFilter, $after: String) {
    statusTransitions(sessionId: $sessionId, filter: $filter, after: $after) { ${LINK} id status }
  }`,
};

interface Transition {
  readonly id: string;
  /** Cursors of the transition in the feed and in the streams of its session. */
  readonly cursors: string[];
  readonly status: string;
  readonly sessionId: string;
}

interface Seen {
  readonly __typename: string;
  readonly cursor: string;
  readonly id?: string;
}

interface Watcher {
  readonly name: string;
  readonly seen: Seen[];
  readonly ends: unknown[];
  state: FeedState | null;
  wants(transition: Transition): boolean;
}

const SESSIONS = ['one.happy-path', 'two.happy-path', 'three.happy-path'];
const STEPS = 12;
const atOnce = async () => {};

/**
 * Advances sessions while clients follow them behind one faulty router per seed, and expects each client to see every
 * transition that passes its filter. Returns how often each fault of the routers happened.
 */
export async function watchBehindRouters(
  gateway: Gateway,
  seeds: readonly number[],
): Promise<SharingRouter['count']> {
  const { data } = await gateway.graphql('{ feedCursor }');
  const log: Transition[] = [];
  const reference = gateway.subscribe(
    `subscription ($after: String) { statusTransitions(after: $after) { id cursor status session { id } } }`,
    { after: data.feedCursor },
  );
  const readUpTo = async (count: number) => {
    while (log.length < count) {
      const { id, status, cursor, session } = await reference.next();
      log.push({ id, status, cursors: [cursor], sessionId: session.id });
    }
  };
  const sessions: { id: string; startCursor: string }[] = [];
  for (const verificationId of SESSIONS) sessions.push(await gateway.start(verificationId));
  await readUpTo(SESSIONS.length);

  const worlds = await Promise.all(
    seeds.map(async (seed) => {
      const random = createSeededRandom('behind a router', seed);
      const router = await startSharingRouter(gateway.url, random);
      return { seed, random, router, watchers: [] as Watcher[] };
    }),
  );
  const joinAll = () => {
    for (const { router, watchers } of worlds) watchers.push(...join(router, sessions, data.feedCursor));
  };
  joinAll();
  const order = (worlds[0] as { random: SeededRandom }).random;
  const left = Object.fromEntries(SESSIONS.map((name) => [name, STEPS]));
  for (let step = 0; step < STEPS * SESSIONS.length; step += 1) {
    const name = order.pick(left);
    left[name] = (left[name] ?? 0) - 1;
    await gateway.advance(name, 1);
    await readUpTo(SESSIONS.length + step + 1);
    // Adds late clients with the same variables as the first clients, so that a router joins them to running streams.
    if (step === 10) joinAll();
  }
  for (const { router } of worlds) router.calmDown();
  // Advances each session once more, because a client notices lost frames only at the next frame.
  for (const name of SESSIONS) await gateway.advance(name, 1);
  await readUpTo(SESSIONS.length * (STEPS + 2));

  const [{ id: sessionId, startCursor }] = sessions as [{ id: string; startCursor: string }];
  const ofFirst = log.filter((transition) => transition.sessionId === sessionId);
  const alone = gateway.subscribe(OPERATIONS.statusTransitions, { sessionId, after: startCursor });
  for (const { id, cursor } of await alone.take(ofFirst.length))
    ofFirst.find((transition) => transition.id === id)?.cursors.push(cursor);

  for (const { seed, router, watchers } of worlds) {
    for (const watcher of watchers) {
      const label = `seed ${seed}, ${watcher.name}, ${JSON.stringify(router.count)}`;
      await eventually(async () => hasReachedTheEnd(watcher, log));
      expectWhole(watcher, log, label);
      await eventually(async () => watcher.state === 'live');
    }
  }
  const counts = worlds.map(({ router }) => router.count);
  const faults = Object.keys(counts[0] ?? {}) as (keyof SharingRouter['count'])[];
  return Object.fromEntries(
    faults.map((fault) => [fault, counts.reduce((total, count) => total + count[fault], 0)]),
  ) as SharingRouter['count'];
}

/** Returns whether a watcher got a frame at or after the last transition that passes its filter. */
function hasReachedTheEnd({ seen, wants }: Watcher, log: readonly Transition[]): boolean {
  const fromTheLast = log.slice(log.findLastIndex(wants)).flatMap(({ cursors }) => cursors);
  return seen.some(({ cursor }) => fromTheLast.includes(cursor));
}

/**
 * Expects that a watcher saw each wanted transition once and in order. Only a snapshot, a reset, or the first frame of
 * a watcher without a cursor may skip transitions.
 */
function expectWhole(watcher: Watcher, log: readonly Transition[], label: string): void {
  const placeOf = new Map(log.flatMap(({ cursors }, index) => cursors.map((cursor) => [cursor, index])));
  // Furthest index in the log that the watcher has reached; -1: a start cursor, before the first transition.
  let place = -1;
  for (const [index, frame] of watcher.seen.entries()) {
    const at = placeOf.get(frame.cursor) ?? -1;
    const isStart = frame.__typename === 'SessionSnapshot' || frame.__typename === 'FeedReset';
    const passed = log.slice(place + 1, at + (frame.id ? 0 : 1)).filter((entry) => watcher.wants(entry));
    const beganNow = index === 0 && watcher.name.includes('from now on');
    if (!isStart && !beganNow)
      expect(
        passed.map(({ id }) => id),
        `${label}: missing before frame ${index} (${frame.__typename})`,
      ).toEqual([]);
    if (frame.id) expect(at, `${label}: repeated or out of order at frame ${index}`).toBeGreaterThan(place);
    place = Math.max(place, at);
  }
  expect(watcher.ends, label).toEqual([]);
  const missing = log.slice(place + 1).filter((entry) => watcher.wants(entry));
  expect(
    missing.map(({ id }) => id),
    `${label}: missing at the end`,
  ).toEqual([]);
}

/**
 * Connects one watcher for each operation and transport to the router, which shares one stream among equal
 * subscriptions.
 */
function join(
  { host }: SharingRouter,
  [first]: readonly { id: string; startCursor: string }[],
  feedCursor: string,
): Watcher[] {
  if (!first) throw new Error('No session to watch');
  const { id: sessionId, startCursor } = first;
  const filter = { status: ['PRE_VIDEO_CALL', 'AUDITOR_REVIEWED'] };
  const all = () => true;
  const filtered = ({ status }: Transition) => filter.status.includes(status);
  const ofFirst = (transition: Transition) => transition.sessionId === sessionId;
  const wishes = [
    ['feed', { after: feedCursor }, all],
    ['feed', { filter, after: feedCursor }, filtered],
    ['feed', {}, all],
    ['sessionLive', { sessionId }, ofFirst],
    ['sessionLive', { sessionId, after: startCursor }, ofFirst],
    ['statusTransitions', { after: feedCursor }, all],
    [
      'statusTransitions',
      { sessionId, filter, after: startCursor },
      (each: Transition) => ofFirst(each) && filtered(each),
    ],
  ] as const;
  return wishes.flatMap(([operation, variables, wants]) =>
    (['WebSocket', 'SSE'] as const).map((transport): Watcher => {
      const from = 'after' in variables ? 'after a cursor' : 'from now on';
      const name = `${operation} ${from} over ${transport}`;
      const watcher: Watcher = { name, seen: [], ends: [], state: null, wants };
      const onState = (state: FeedState) => {
        watcher.state = state;
      };
      const client = (
        transport === 'WebSocket'
          ? resuming(
              ws.createClient,
              { url: `ws://${host}`, webSocketImpl: WebSocket, retryWait: atOnce },
              { onState },
            )
          : resuming(sse.createClient, { url: `http://${host}`, retry: atOnce }, { onState })
      ) as sse.Client;
      atTheEnd(async () => client.dispose());
      client.subscribe(
        { query: OPERATIONS[operation], variables },
        {
          next: ({ data, errors }) => {
            if (errors) watcher.ends.push(errors);
            watcher.seen.push(...(Object.values(data ?? {}) as Seen[]));
          },
          error: (error) => watcher.ends.push(error),
          complete: () => watcher.ends.push('complete'),
        },
      );
      return watcher;
    }),
  );
}
