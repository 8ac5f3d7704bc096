import { expect, test } from 'vitest';
import { bootGateway, type Gateway, type Stream } from '../harness/gateway.ts';
import { createSessions, record } from '../harness/log-writer.ts';

const LINK = '__typename cursor previousCursor';
const FEED = `subscription ($filter: TransitionFilter, $after: String) {
  feed(filter: $filter, after: $after) {
    ... on StatusTransition { ${LINK} sequence } ... on Heartbeat { ${LINK} } ... on FeedReset { ${LINK} }
  }
}`;
const SESSION_LIVE = `subscription ($id: ID!, $after: String) {
  sessionLive(sessionId: $id, after: $after) {
    ... on SessionSnapshot { ${LINK} } ... on StatusTransition { ${LINK} sequence } ... on Heartbeat { ${LINK} }
  }
}`;
const LOG = `subscription ($id: ID, $after: String) {
  statusTransitions(sessionId: $id, after: $after) { ${LINK} sequence }
}`;
const TRANSPORTS = {
  WebSocket: (gateway: Gateway) => gateway.subscribe,
  'server-sent events': (gateway: Gateway) => gateway.stream,
};

interface Link {
  readonly __typename: string;
  readonly cursor: string;
  readonly previousCursor: string | null;
  readonly sequence?: number;
}

/** Takes frames up to a sequence; expects each `previousCursor` to be the `cursor` of the previous frame. */
async function takeLinked(stream: Stream<Link>, last: number, after: string | null): Promise<Link[]> {
  const frames: Link[] = [];
  while (frames.at(-1)?.sequence !== last) frames.push(await stream.next());
  expect(frames.map(({ previousCursor }) => previousCursor)).toEqual([
    after,
    ...frames.slice(0, -1).map(({ cursor }) => cursor),
  ]);
  return frames;
}

const globalId = (key: string): string => Buffer.from(`VkycSession:${key}`).toString('base64url');

for (const [transport, over] of Object.entries(TRANSPORTS)) {
  test(`${transport}: previousCursor of a frame is the cursor of the frame before; in the first frame, it is the argument "after"`, async () => {
    const gateway = await bootGateway();
    const [key] = (await createSessions(gateway.database, 1)) as [string];
    const id = globalId(key);
    const subscribe = over(gateway);
    const fresh = [subscribe(FEED), subscribe(SESSION_LIVE, { id }), subscribe(LOG, { id })] as const;
    const [[heartbeat], [snapshot]] = await Promise.all([fresh[0].take(1), fresh[1].take(1)]);
    for (let count = 0; count < 3; count += 1) await record(gateway.database, key);

    expect([heartbeat.previousCursor, snapshot.previousCursor]).toEqual([null, null]);
    const feed = await takeLinked(fresh[0], 3, heartbeat.cursor);
    const live = await takeLinked(fresh[1], 3, snapshot.cursor);
    const log = await takeLinked(fresh[2], 3, null);
    const { cursor: after } = log[0] as Link;
    for (const stream of [
      subscribe(FEED, { after }),
      subscribe(SESSION_LIVE, { id, after }),
      subscribe(LOG, { id, after }),
      subscribe(LOG, { after }),
    ])
      await takeLinked(stream, 3, after);
    // sessionLive, and statusTransitions of one session, issue the same cursors. A cursor of `feed` also contains a
    // feed position; statusTransitions accepts such a cursor, too.
    expect(live.at(-1)?.cursor).toBe(log.at(-1)?.cursor);
    await takeLinked(subscribe(LOG, { id, after: feed[0]?.cursor }), 3, feed[0]?.cursor as string);
  });

  test(`${transport}: a suffix "~…" of the argument "after" is ignored; clients add the suffix so that routers do not share one stream among clients`, async () => {
    const gateway = await bootGateway();
    const [key] = (await createSessions(gateway.database, 1)) as [string];
    const id = globalId(key);
    await record(gateway.database, key);
    const subscribe = over(gateway);
    const [snapshot] = await subscribe(SESSION_LIVE, { id, after: '~a mark of mine' }).take(1);
    await record(gateway.database, key);

    expect(snapshot).toMatchObject({ __typename: 'SessionSnapshot', previousCursor: null });
    const marked = `${snapshot.cursor}~a mark of mine`;
    await takeLinked(subscribe(SESSION_LIVE, { id, after: marked }), 2, snapshot.cursor);
    await takeLinked(subscribe(FEED, { after: marked }), 2, snapshot.cursor);
    await takeLinked(subscribe(LOG, { after: marked }), 2, snapshot.cursor);
    for (const after of ['', 'nonsense', 'nonsense~a mark'])
      await expect(subscribe(LOG, { after }).next()).rejects.toMatchObject({
        extensions: { code: 'BAD_USER_INPUT' },
      });
  });
}

test('subscribers with the same selection but different filters or viewers each get their own previousCursor', async () => {
  const gateway = await bootGateway();
  const keys = (await createSessions(gateway.database, 3)) as [string, string, string];
  const customer = async (key: string) => ({
    authorization: `Bearer ${await gateway.token({ sub: key, roles: ['CUSTOMER'], verification_ids: [key] })}`,
  });
  const streams = [
    gateway.subscribe<Link>(FEED),
    gateway.subscribe<Link>(FEED, { filter: { status: ['PRE_VIDEO_CALL'] } }),
    gateway.subscribe<Link>(FEED, { filter: { appliedOnly: true } }),
    ...(await Promise.all(keys.map(async (key) => gateway.subscribe<Link>(FEED, {}, await customer(key))))),
  ];
  const firsts = await Promise.all(streams.map((stream) => stream.next()));
  for (let sequence = 1; sequence <= 4; sequence += 1)
    for (const key of keys) await record(gateway.database, key);

  for (const [index, stream] of streams.entries()) {
    const { cursor } = firsts[index] as Link;
    const all = await takeLinked(stream, 4, cursor);
    expect(all.filter(({ sequence }) => sequence).length).toBeGreaterThanOrEqual(4);
  }
});

test('previousCursor is null in the result of a query and in transitions that are nested in a frame', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('nested.happy-path');
  const nested = 'transitions(first: 5) { nodes { previousCursor } }';
  const { data } = await gateway.graphql(`query ($id: ID!) { session(id: $id) { ${nested} } }`, { id });
  const frame = await gateway
    .subscribe(
      `subscription ($after: String) {
        statusTransitions(after: $after) { one: previousCursor other: previousCursor session { ${nested} } }
      }`,
      { after: startCursor },
    )
    .next();

  expect(data.session.transitions.nodes).toEqual([{ previousCursor: null }]);
  expect(frame).toEqual({
    one: startCursor,
    other: startCursor,
    session: { transitions: { nodes: [{ previousCursor: null }] } },
  });
});

test('if a cursor has expired, the snapshot or FeedReset that is sent has the expired cursor as previousCursor', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('expired.happy-path');
  await gateway.database.query('update log_identity set epoch = epoch + 1');
  const restored = await bootGateway({ database: gateway.databaseUrl });

  const [snapshot, heartbeat] = await restored.subscribe(SESSION_LIVE, { id, after: startCursor }).take(2);
  const [reset] = await restored.subscribe(FEED, { after: startCursor }).take(1);

  expect(snapshot).toMatchObject({ __typename: 'SessionSnapshot', previousCursor: startCursor });
  expect(heartbeat).toMatchObject({ __typename: 'Heartbeat', previousCursor: snapshot.cursor });
  expect(reset).toMatchObject({ __typename: 'FeedReset', previousCursor: startCursor });
});
