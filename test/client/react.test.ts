/** Tests the React hooks of the client package, in a page of happy-dom, against a gateway. */
import { createClient } from 'graphql-ws';
import { Window } from 'happy-dom';
import { createElement, Fragment, type ReactNode, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type LiveClient, useFeedState, useLiveSession, useLiveSessions } from '../../src/client/react.ts';
import { resuming, type TypedDocumentText } from '../../src/client/resuming.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

const ROW = `fragment Row on VkycSession { id verificationId version updatedAt statusInfo { subStatus waitingOn } }`;

interface Row {
  id: string;
  verificationId: string;
  version: number;
  statusInfo: { subStatus: string; waitingOn: string };
}

const WATCH = `subscription ($sessionId: ID!, $after: String) {
  sessionLive(sessionId: $sessionId, after: $after) {
    __typename
    ... on SessionSnapshot { cursor previousCursor resync session { ...Row } }
    ... on StatusTransition { cursor previousCursor session { ...Row } }
    ... on Heartbeat { cursor previousCursor }
  }
} ${ROW}` as TypedDocumentText<
  { sessionLive: { __typename: 'SessionSnapshot'; session: Row } | { __typename: 'Heartbeat' } },
  { sessionId: string }
>;
const LIST = `query ($filter: SessionFilter, $orderBy: SessionOrder) {
  feedCursor
  sessions(first: 10, filter: $filter, orderBy: $orderBy) {
    totalCount pageInfo { hasNextPage } nodes { ...Row }
  }
} ${ROW}` as TypedDocumentText<
  {
    feedCursor: string;
    sessions: { totalCount: number | null; pageInfo: { hasNextPage: boolean }; nodes: Row[] };
  },
  { filter?: object; orderBy?: object }
>;
const WATCH_FEED = `subscription ($after: String) {
  feed(after: $after) {
    __typename
    ... on StatusTransition { cursor previousCursor session { ...Row } }
    ... on Heartbeat { cursor previousCursor }
    ... on FeedReset { cursor previousCursor }
  }
} ${ROW}`;

const browser = new Window();

// React reads these globals of a browser when it is loaded, and when it renders.
beforeAll(() => {
  vi.stubGlobal('window', browser);
  vi.stubGlobal('document', browser.document);
  vi.stubGlobal('navigator', browser.navigator);
  return async () => void (await browser.happyDOM.close());
});
afterAll(() => void vi.unstubAllGlobals());
afterEach(() => void vi.restoreAllMocks());

/** Client of a gateway that counts its open subscriptions and queries. */
function createLive({ url }: Gateway) {
  const live = resuming(
    createClient,
    { url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket },
    { quietMs: 300 },
  );
  atTheEnd(async () => live.dispose());
  const counts = { opened: 0, open: 0 };
  const subscribe = (...given: any[]) => {
    counts.opened += 1;
    counts.open += 1;
    const leave = (live.subscribe as (...given: any[]) => () => void)(...given);
    return () => {
      counts.open -= 1;
      leave();
    };
  };
  return { client: { ...live, subscribe } as LiveClient, counts };
}

/** Renders components into a new element of the page. Collects what React reports as an error. */
async function mount(node: ReactNode) {
  const { createRoot } = await import('react-dom/client');
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
  const element = browser.document.createElement('div');
  const root = createRoot(element as never);
  root.render(createElement(StrictMode, null, node));
  atTheEnd(async () => root.unmount());
  return {
    complaints,
    unmount: () => root.unmount(),
    text: () => element.textContent ?? '',
    shows: (text: string) => eventually(async () => element.textContent === text),
  };
}

function Session({ client, id }: { client: LiveClient | null; id: string | null }) {
  const { session, status } = useLiveSession(client, WATCH, id);
  return createElement(
    'p',
    null,
    session ? `${session.version} ${session.statusInfo.subStatus}` : 'nothing',
    ` ${status.state}`,
  );
}

function Sessions({ client, filter }: { client: LiveClient | null; filter: object }) {
  const { sessions, totalCount, isSettled } = useLiveSessions(
    client,
    { list: LIST, watch: WATCH_FEED },
    { filter, orderBy: { field: 'UPDATED_AT', direction: 'DESC' } },
  );
  const names = sessions.map(({ verificationId }) => verificationId.split('.')[0]).join(' ');
  return createElement('p', null, `${totalCount}: ${names} ${isSettled ? 'settled' : 'changing'}`);
}

function Badge({ client }: { client: LiveClient }) {
  return createElement('b', null, useFeedState(client)?.state ?? 'no feed');
}

test('useLiveSession shows every state of a session as it comes, with one subscription also in Strict Mode', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('one.happy-path');
  const { client, counts } = createLive(gateway);

  const page = await mount(createElement(Session, { client, id }));
  await page.shows('1 LINK_GENERATED live');
  await gateway.advance('one.happy-path', 5);
  await page.shows('6 USER_QUEUED live');

  expect(counts).toEqual({ opened: 1, open: 1 });
  expect(page.complaints).not.toHaveBeenCalled();
});

test('useLiveSession without a session id opens nothing', async () => {
  const gateway = await bootGateway();
  const { client, counts } = createLive(gateway);

  const page = await mount(createElement(Session, { client, id: null }));
  await page.shows('nothing connecting');

  expect(counts.opened).toBe(0);
});

test('useLiveSessions keeps filter, order and count right while sessions enter the list, move in it and leave it', async () => {
  const gateway = await bootGateway();
  for (const name of ['a', 'b']) await gateway.start(`${name}.happy-path`);
  const { client } = createLive(gateway);

  const page = await mount(createElement(Sessions, { client, filter: { waitingOn: ['CUSTOMER'] } }));
  await page.shows('2: b a settled');
  await gateway.start('c.happy-path');
  await page.shows('3: c b a settled');
  await gateway.advance('a.happy-path', 1);
  await page.shows('3: a c b settled');
  // The fifth step puts the customer into the queue, which waits for the agent.
  await gateway.advance('c.happy-path', 5);
  await page.shows('2: a b settled');

  expect(page.complaints).not.toHaveBeenCalled();
});

test('a component that is unmounted before the first answer leaves its subscription, and changes nothing afterwards', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('gone.happy-path');
  const { client, counts } = createLive(gateway);

  const page = await mount(createElement(Session, { client, id }));
  await eventually(async () => counts.opened === 1);
  page.unmount();
  await eventually(async () => counts.open === 0);
  await gateway.advance('gone.happy-path', 1);

  expect(page.text()).toBe('');
  expect(page.complaints).not.toHaveBeenCalled();
});

test('useFeedState shows the state of what the page follows, and null while it follows nothing', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('badge.happy-path');
  const { client } = createLive(gateway);
  const badge = await mount(createElement(Badge, { client }));
  await badge.shows('no feed');

  const page = await mount(createElement(Session, { client, id }));
  await badge.shows('live');
  page.unmount();

  await badge.shows('no feed');
});

test('on a server, the hooks render their first state and open no connection', () => {
  const subscribe = vi.fn(() => () => {});
  const client: LiveClient = { subscribe };

  const html = renderToString(
    createElement(
      Fragment,
      null,
      createElement(Session, { client, id: '1' }),
      createElement(Sessions, { client: null, filter: {} }),
      createElement(Badge, { client }),
    ),
  );

  expect(html.replaceAll(/<!--.*?-->/g, '')).toBe(
    '<p>nothing connecting</p><p>null:  changing</p><b>no feed</b>',
  );
  expect(subscribe).not.toHaveBeenCalled();
});

test('useLiveSessions shows why its subscription was refused, and follows again with a new cursor if the old one has expired', async () => {
  const gateway = await bootGateway();
  const { client } = createLive(gateway);
  const expired = [{ message: 'The cursor has expired.', extensions: { code: 'CURSOR_EXPIRED' } }];
  let refusals = 1;
  // Refuses the first subscription as a client of server-sent events reports it: by a result, and then the end.
  const refusing = {
    ...client,
    subscribe(payload: any, sink: any, ...more: any[]) {
      if (!payload.query.startsWith('subscription') || refusals-- <= 0)
        return (client.subscribe as any)(payload, sink, ...more);
      queueMicrotask(() => {
        sink.next({ errors: expired });
        sink.complete();
      });
      return () => {};
    },
  } as LiveClient;
  const List = () => {
    const { sessions, error, isSettled } = useLiveSessions(refusing, { list: LIST, watch: WATCH_FEED }, {});
    return createElement(
      'p',
      null,
      `${sessions.map(({ verificationId }) => verificationId)} ${error ? 'refused' : isSettled}`,
    );
  };

  const page = await mount(createElement(List));
  await page.shows(' refused');
  await page.shows(' true');
  await gateway.start('after.refusal');

  await page.shows('after.refusal true');
});
