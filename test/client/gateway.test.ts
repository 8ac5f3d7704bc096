import { readdir, readFile } from 'node:fs/promises';
import * as sse from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  type FeedState,
  type ResumingOptions,
  resuming,
  SignInEndedError,
} from '../../src/client/resuming.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { type Cuttable, cuttable } from './cuttable.ts';

const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) { cursor previousCursor sequence }
}`;
const LIVE = `subscription ($sessionId: ID!, $after: String) {
  sessionLive(sessionId: $sessionId, after: $after) {
    ... on SessionSnapshot { cursor previousCursor session { version } } ... on StatusTransition { cursor previousCursor sequence } ... on Heartbeat { cursor previousCursor }
  }
}`;
const FEED = `subscription ($after: String) {
  feed(after: $after) {
    ... on StatusTransition { cursor previousCursor sequence } ... on Heartbeat { cursor previousCursor } ... on FeedReset { cursor previousCursor }
  }
}`;
const SECRET = 'a secret of the tests that is long enough';
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const atOnce = () => new Promise<void>((resolve) => setImmediate(resolve));

const offers = await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');

function overWebSocket(
  { host }: Cuttable,
  onState: (state: FeedState) => void = () => {},
  params = () => ({}),
  webSocketImpl: typeof WebSocket = WebSocket,
) {
  const client = resuming(
    createClient,
    {
      url: `ws://${host}/graphql`,
      webSocketImpl,
      connectionParams: params,
      retryWait: atOnce,
    },
    { onState, quietMs: 300 },
  );
  atTheEnd(async () => client.dispose());
  return client;
}

interface Watching {
  subscribe(
    payload: { query: string; variables: Record<string, unknown> },
    sink: { next(frame: any): void; error(error: unknown): void; complete(): void },
  ): () => void;
}

/**
 * Subscribes. Returns two lists that grow: sequences of transitions that arrived, and errors or completions that ended
 * the stream.
 */
function watch(client: Watching, query: string, variables: Record<string, unknown>) {
  const seen: number[] = [];
  const ends: unknown[] = [];
  const leave = client.subscribe(
    { query, variables },
    {
      next: ({ data, errors }) => {
        const [root] = Object.values<any>(data ?? {});
        if (root?.sequence) seen.push(root.sequence);
        if (errors) ends.push(...errors);
      },
      error: (error) => ends.push(error),
      complete: () => ends.push('complete'),
    },
  );
  atTheEnd(async () => leave());
  return { seen, ends };
}

async function walk(gateway: Gateway, name: string) {
  const verificationId = `${name}.happy-path`;
  const { id, startCursor } = await gateway.start(verificationId);
  return { id, startCursor, advance: (steps: number) => gateway.advance(verificationId, steps) };
}

test('a client gets every transition once and in order although its connection is cut five times, the first time before the first frame', async () => {
  const gateway = await bootGateway();
  const proxy = await cuttable(gateway.url);
  const session = await walk(gateway, 'cut');
  const states: FeedState[] = [];
  const client = overWebSocket(proxy, (state) => states.push(state));
  const cutAtFirst = client.on('connected', () => {
    cutAtFirst();
    proxy.cut();
  });

  const { seen } = watch(client, WATCH, { sessionId: session.id, after: session.startCursor });
  await eventually(async () => seen.length === 1 && states.at(-1) === 'live');
  for (let round = 1; round <= 4; round += 1) {
    proxy.cut();
    await session.advance(3);
    await eventually(async () => seen.length === round * 3 + 1 && states.at(-1) === 'live');
  }

  expect(seen).toEqual(upTo(13));
  const rounds = Array(5).fill(['stale', 'catching up', 'live']).flat();
  expect(states).toEqual(['catching up', ...rounds]);
});

test('after the gateway refused one subscription of a client, another subscription of the client still resumes after a cut', async () => {
  const gateway = await bootGateway();
  const proxy = await cuttable(gateway.url);
  const session = await walk(gateway, 'refused');
  const client = overWebSocket(proxy);
  const { id: sessionId, startCursor: after } = session;
  // Holds data back, so that the refusal and the completion of the refused stream arrive in one chunk.
  const holdOnce = client.on('connected', () => {
    holdOnce();
    proxy.hold();
  });
  const { ends } = watch(client, WATCH, { sessionId, after: 'no cursor' });
  await eventually(async () => proxy.held.includes('"type":"complete"'));
  proxy.release();
  await eventually(async () => ends.length === 2);

  const { seen } = watch(client, WATCH, { sessionId, after });
  await eventually(async () => seen.length === 1);
  proxy.cut();
  await session.advance(3);

  await eventually(async () => seen.length === 4);
  expect(seen).toEqual(upTo(4));
});

test('the client detects no gap (lost frame) in the streams of a real gateway, despite repeated cuts', async () => {
  const gateway = await bootGateway();
  const proxy = await cuttable(gateway.url);
  const session = await walk(gateway, 'gapless');
  const sent: string[] = [];
  class Recording extends WebSocket {
    override send(data: unknown): void {
      sent.push(String(data));
      super.send(data as string);
    }
  }
  const client = overWebSocket(proxy, undefined, undefined, Recording);
  const filter = { subStatus: ['USER_QUEUED', 'AGENT_APPROVED', 'AUDITOR_APPROVED'] };
  const filtered = `subscription ($filter: TransitionFilter, $after: String) {
    feed(filter: $filter, after: $after) {
      ... on StatusTransition { cursor previousCursor sequence } ... on Heartbeat { cursor previousCursor }
    }
  }`;
  const { id: sessionId, startCursor: after } = session;
  const watching = [
    watch(client, WATCH, { sessionId, after }),
    watch(client, LIVE, { sessionId }),
    watch(client, FEED, { after }),
    watch(client, FEED, {}),
    watch(client, filtered, { filter, after }),
  ];
  for (let round = 0; round < 13; round += 1) {
    await session.advance(1);
    await eventually(async () => [0, 2].every((each) => watching[each]?.seen.at(-1) === round + 2));
    if (round % 3 === 0) proxy.cut();
  }
  await eventually(async () => watching.every(({ seen }) => seen.at(-1) === 14));

  expect(watching[0]?.seen).toEqual(upTo(14));
  expect(watching[2]?.seen).toEqual(upTo(14));
  const afters = sent.map((message) => JSON.parse(message).payload?.variables?.after).filter(Boolean);
  expect(afters.length).toBeGreaterThan(watching.length);
  expect(afters.filter((cursor) => cursor.includes('~'))).toEqual([]);
});

test('after a cut, two subscriptions on one socket each resume from their own cursor', async () => {
  const gateway = await bootGateway();
  const proxy = await cuttable(gateway.url);
  const client = overWebSocket(proxy);
  const [one, other] = [await walk(gateway, 'one'), await walk(gateway, 'other')];
  const first = watch(client, WATCH, { sessionId: one.id, after: one.startCursor });
  const second = watch(client, WATCH, { sessionId: other.id, after: other.startCursor });
  await one.advance(6);
  await other.advance(2);
  await eventually(async () => first.seen.length === 7 && second.seen.length === 3);
  expect(proxy.connections).toBe(1);

  proxy.cut();
  await one.advance(7);
  await other.advance(11);
  await eventually(async () => first.seen.length === 14 && second.seen.length === 14);

  expect([first.seen, second.seen]).toEqual([upTo(14), upTo(14)]);
});

test.each(['WebSocket', 'server-sent events'])(
  'over %s, a client whose token has expired, and does not get newer, ends its subscriptions and says so once',
  async (transport) => {
    const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
    const token = await new SignJWT({ sub: 'ada', roles: ['ADMIN'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('-28s')
      .sign(new TextEncoder().encode(SECRET));
    const authorization = `Bearer ${token}`;
    const told: string[] = [];
    const options: ResumingOptions = {
      onStatus: ({ state, reason }) => told.push(`${state} ${reason}`),
      onUnauthorized: () => told.push('sign in again'),
    };
    const url = `${gateway.url.replace('http', 'ws')}/graphql`;
    const client =
      transport === 'WebSocket'
        ? resuming(
            createClient,
            {
              ...{ url, webSocketImpl: WebSocket, retryWait: atOnce },
              connectionParams: async () => ({ authorization }),
            },
            options,
          )
        : resuming(
            sse.createClient,
            { url: `${gateway.url}/graphql/stream`, headers: { authorization }, retry: atOnce },
            options,
          );
    atTheEnd(async () => client.dispose());

    const { ends } = watch(client as Watching, WATCH, {});
    await eventually(async () => ends.length > 0);

    expect(ends).toEqual([expect.any(SignInEndedError)]);
    expect(told.slice(-2)).toEqual(['over SIGN_IN_ENDED', 'sign in again']);
  },
);

test('a client whose token expired reconnects with a new token', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
  const sign = (expires: string) =>
    new SignJWT({ sub: 'ada', roles: ['ADMIN'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(SECRET));
  // The gateway allows 30 s of clock skew, so a token that expired 28 s ago is accepted for about two more seconds.
  const [short, long] = [await sign('-28s'), await sign('1h')];
  const proxy = await cuttable(gateway.url);
  const given: string[] = [];
  const client = overWebSocket(proxy, undefined, () => {
    given.push(given.length === 0 ? short : long);
    return { authorization: `Bearer ${given.at(-1)}` };
  });
  const closed: unknown[] = [];
  client.on('closed', (event) => closed.push((event as { code: number }).code));

  const { ends } = watch(client, WATCH, {});
  await eventually(async () => given.length === 2);

  expect(closed).toEqual([4403]);
  expect(ends).toEqual([]);
});

test('a subscription with an invalid cursor ends with the error and is not retried', async () => {
  const gateway = await bootGateway();
  const proxy = await cuttable(gateway.url);
  const { ends } = watch(overWebSocket(proxy), WATCH, { after: 'nonsense' });

  await eventually(async () => ends.includes('complete'));

  expect(ends).toEqual([
    expect.objectContaining({ message: expect.stringContaining('cursor was not issued') }),
    'complete',
  ]);
  expect(proxy.connections).toBe(1);
});

const TRANSPORTS = [
  [
    'WebSocket',
    (proxy: Cuttable, onState: (state: FeedState) => void): Watching => overWebSocket(proxy, onState),
  ],
  [
    'SSE',
    ({ host }: Cuttable, onState: (state: FeedState) => void): Watching =>
      resuming(sse.createClient, { url: `http://${host}/graphql/stream`, retry: atOnce }, { onState }),
  ],
] as const;

test.skipIf(!offers.includes('sessionLive')).each(TRANSPORTS)(
  'sessionLive and feed over %s resume after a cut without a gap or repeat and become live',
  async (_name, connectTo) => {
    const gateway = await bootGateway();
    const proxy = await cuttable(gateway.url);
    const session = await walk(gateway, 'live');
    const states: FeedState[] = [];
    const client = connectTo(proxy, (state) => states.push(state));
    const feed = watch(client, FEED, { after: session.startCursor });
    const live = watch(client, LIVE, { sessionId: session.id, after: session.startCursor });
    await session.advance(5);
    await eventually(
      async () => feed.seen.length === 6 && live.seen.length === 6 && states.at(-1) === 'live',
    );

    proxy.cut();
    await session.advance(8);
    await eventually(async () => feed.seen.length === 14 && live.seen.length === 14);

    expect([feed.seen, live.seen]).toEqual([upTo(14), upTo(14)]);
    await eventually(async () => states.at(-1) === 'live');
  },
);

/** Packages that a file of the client imports: each is an optional peer of the client package. */
const PEERS: Record<string, string[]> = {
  'apollo.ts': ['@apollo/client', 'graphql-ws', 'rxjs'],
  'react.ts': ['react'],
  'urql.ts': ['@urql/core', 'graphql-ws'],
};

test('the client helper imports nothing but its own files, and a binding only its peers besides', async () => {
  const folder = new URL('../../src/client/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts'));

  for (const file of files) {
    const source = await readFile(new URL(file, folder), 'utf8');
    const imported = [...source.matchAll(/\b(?:from\s|import\(|require\()\s*'([^']*)'/g)].map(
      ([, name]) => name as string,
    );
    const isPeer = (name: string) =>
      PEERS[file]?.some((peer) => name === peer || name.startsWith(`${peer}/`));
    const isOwn = (name: string) => files.some((own) => name === `./${own}`) && !(name.slice(2) in PEERS);
    expect(
      imported.filter((name) => !isOwn(name) && !isPeer(name)),
      file,
    ).toEqual([]);
  }
});
