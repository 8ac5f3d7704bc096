import { gql as apolloGql } from '@apollo/client';
import { gql as urqlGql } from '@urql/core';
import { afterEach, expect, test, vi } from 'vitest';
import type { FeedState } from 'vkyc-gateway/client';
import { WebSocket } from 'ws';
import { cuttable } from '../client/cuttable.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { createApolloClient } from './apollo.ts';
import { createUrqlClient } from './urql.ts';

const SESSION = `query ($id: ID!) { session(id: $id) { id startCursor } }`;
const WATCH = `subscription Watch($id: ID!, $after: String) {
  statusTransitions(sessionId: $id, after: $after) { id cursor sequence }
}`;
const ALL = Array.from({ length: 14 }, (_, index) => index + 1);

type Transition = { sequence: number };
/**
 * Page of an application: queries a session, and then subscribes to its transitions from the cursor in the
 * answer. Returns a function that leaves the page.
 */
type Page = (id: string, onTransition: (transition: Transition) => void) => Promise<() => void>;
type Recipe = (url: string, getToken: () => Promise<string>, onState: (state: FeedState) => void) => Page;

const apollo: Recipe = (url, getToken, onState) => {
  const client = createApolloClient(url, getToken, onState);
  return async (id, onTransition) => {
    const { data } = await client.query<any>({ query: apolloGql(SESSION), variables: { id } });
    const variables = { id, after: data.session.startCursor };
    const watching = client
      .subscribe<any>({ query: apolloGql(WATCH), variables })
      .subscribe(({ data }) => onTransition(data.statusTransitions));
    return () => watching.unsubscribe();
  };
};

const urql: Recipe = (url, getToken, onState) => {
  const client = createUrqlClient(url, getToken, onState);
  return async (id, onTransition) => {
    const { data } = await client.query(urqlGql(SESSION), { id }).toPromise();
    const variables = { id, after: data.session.startCursor };
    const watching = client
      .subscription(urqlGql(WATCH), variables)
      .subscribe(({ data }) => onTransition(data.statusTransitions));
    return () => watching.unsubscribe();
  };
};

afterEach(() => vi.unstubAllGlobals());

test.each([
  ['apollo.ts', apollo],
  ['urql.ts', urql],
])(
  'a page that uses the recipe %s gets every transition once and in order, although its connection is cut',
  async (file, recipe) => {
    // Node 20 has no global WebSocket; browsers do.
    vi.stubGlobal('WebSocket', WebSocket);
    const gateway = await bootGateway();
    const proxy = await cuttable(gateway.url);
    const verificationId = `${file}.happy-path`;
    const { id } = await gateway.start(verificationId);
    const states: FeedState[] = [];
    let tokens = 0;
    const getToken = () => {
      tokens += 1;
      return gateway.token({ sub: 'vera', roles: ['VIEWER'] });
    };
    const open = recipe(`http://${proxy.host}/graphql`, getToken, (state) => states.push(state));

    const seen: number[] = [];
    const leave = await open(id, ({ sequence }) => seen.push(sequence));
    atTheEnd(async () => leave());
    await gateway.advance(verificationId, 5);
    await eventually(async () => seen.length === 6);
    const tokensBefore = tokens;
    proxy.cut();
    await gateway.advance(verificationId, 8);
    await eventually(async () => seen.length === 14);

    expect(seen).toEqual(ALL);
    expect(tokens).toBe(tokensBefore + 1);
    expect(states.join(', ')).toMatch(/^catching up, (live, )?stale, (stale, )?catching up/);
    await eventually(async () => states.at(-1) === 'live');
  },
);
