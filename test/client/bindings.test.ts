/** Tests the bindings of the client package against a gateway: an older answer never overwrites a newer one. */
import type { InMemoryCache } from '@apollo/client';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createApolloClient, toDocument } from '../../src/client/apollo.ts';
import { resuming, type TypedDocumentText } from '../../src/client/resuming.ts';
import { liveExchange, orderGuardExchange } from '../../src/client/urql.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';

type Session = { id: string; version: number; statusInfo: { subStatus: string; explanation?: string } };

const SESSION = `query ($id: ID!) {
  session(id: $id) { __typename id version updatedAt statusInfo { __typename subStatus explanation } }
}` as TypedDocumentText<{ session: Session }, { id: string }>;
const WATCH = `subscription ($id: ID!, $after: String) {
  sessionLive(sessionId: $id, after: $after) {
    __typename
    ... on SessionSnapshot { cursor previousCursor session { ...Row } }
    ... on StatusTransition { cursor previousCursor session { ...Row } }
    ... on Heartbeat { cursor previousCursor }
  }
}
fragment Row on VkycSession { __typename id version updatedAt statusInfo { __typename subStatus } }` as TypedDocumentText<
  { sessionLive: { session?: Session } },
  { id: string; after?: string }
>;

/** Holds the first answer to the query back after the gateway has sent it, until `release`. */
function holdFirstAnswer() {
  const real = globalThis.fetch;
  const held = { arrived: false, count: 0, release: () => {} };
  const released = new Promise<void>((resolve) => {
    held.release = resolve;
  });
  vi.stubGlobal('fetch', async (...request: Parameters<typeof fetch>) => {
    if (!String(request[1]?.body).includes('explanation')) return real(...request);
    held.count += 1;
    const isFirst = held.count === 1;
    const response = await real(...request);
    const text = await response.text();
    held.arrived = true;
    if (isFirst) await released;
    return new Response(text, { status: response.status, headers: { 'content-type': 'application/json' } });
  });
  return held;
}

/** Application that queries a session and watches it, through a binding. */
interface App {
  query(id: string): Promise<Session | undefined>;
  watch(id: string, onSession: (session: Session) => void): () => void;
  /** Returns the session as the cache has it; undefined if the binding has no cache of objects. */
  cached?(id: string): unknown;
}

const createLive = (url: string) => {
  const live = resuming(createClient, { url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  atTheEnd(async () => live.dispose());
  return live;
};

function createApolloApp(url: string): App {
  const client = createApolloClient({ url, live: createLive(url) });
  return {
    query: async (id) =>
      (await client.query({ query: toDocument(SESSION), variables: { id } })).data?.session,
    watch: (id, onSession) => {
      const watching = client
        .subscribe({ query: toDocument(WATCH), variables: { id } })
        .subscribe(({ data }) => data?.sessionLive.session && onSession(data.sessionLive.session));
      return () => watching.unsubscribe();
    },
    cached: (id) => (client.cache as InMemoryCache).extract()[`VkycSession:${id}`],
  };
}

function createUrqlApp(url: string): App {
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [cacheExchange, orderGuardExchange(), fetchExchange, liveExchange(createLive(url))],
  });
  return {
    query: async (id) =>
      (await client.query<{ session: Session }>(SESSION, { id }).toPromise()).data?.session,
    watch: (id, onSession) =>
      client
        .subscription<{ sessionLive: { session?: Session } }>(WATCH, { id })
        .subscribe(({ data }) => data?.sessionLive.session && onSession(data.sessionLive.session))
        .unsubscribe,
  };
}

afterEach(() => vi.unstubAllGlobals());

test.each([
  ['Apollo Client', createApolloApp],
  ['urql', createUrqlApp],
])(
  'with the binding for %s, a slow query that frames have overtaken shows the newest state, with the fields that only it asked for',
  async (name, createApp) => {
    const gateway = await bootGateway();
    const verificationId = `${name.replace(' ', '-')}.happy-path`;
    const { id } = await gateway.start(verificationId);
    const app = createApp(`${gateway.url}/graphql`);
    const held = holdFirstAnswer();

    const slow = app.query(id);
    await eventually(async () => held.arrived);
    const versions: number[] = [];
    const leave = app.watch(id, ({ version }) => versions.push(version));
    atTheEnd(async () => leave());
    await eventually(async () => versions.length === 1);
    await gateway.advance(verificationId, 5);
    await eventually(async () => versions.at(-1) === 6);
    held.release();
    const session = await slow;

    expect(session).toMatchObject({ version: 6, statusInfo: { subStatus: 'USER_QUEUED' } });
    expect(session?.statusInfo.explanation).toBeTypeOf('string');
    // The frames did not select the explanation, so the query was sent again.
    expect(held.count).toBe(2);
    if (app.cached)
      expect(app.cached(id)).toMatchObject({ version: 6, statusInfo: { subStatus: 'USER_QUEUED' } });
  },
);
