import { expect, test } from 'vitest';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

const TRANSITION = '... on StatusTransition { sequence subStatus cursor session { version } }';
const SESSION_LIVE = `subscription ($id: ID!, $after: String) {
  sessionLive(sessionId: $id, after: $after) {
    __typename
    ... on SessionSnapshot { cursor resync session { id subStatus version availableActions } }
    ${TRANSITION}
    ... on Heartbeat { cursor serverTime }
  }
}`;
const FEED = `subscription ($filter: TransitionFilter, $after: String) {
  feed(filter: $filter, after: $after) {
    __typename
    ${TRANSITION}
    ... on Heartbeat { cursor }
    ... on FeedReset { cursor }
  }
}`;

/** Advances a session of the sandbox by some steps and waits until their transitions are in the log. */
async function walk(gateway: Gateway, verificationId: string, steps: number): Promise<void> {
  const count = async () => {
    const { rows } = await gateway.database.query(
      'select count(*)::int as count from status_transition t join vkyc_session s on s.id = t.session_id where verification_id = $1',
      [verificationId],
    );
    return rows[0].count as number;
  };
  const before = await count();
  await gateway.advance(verificationId, steps);
  await eventually(async () => (await count()) === before + steps);
}

const TRANSPORTS = {
  WebSocket: (gateway: Gateway) => gateway.subscribe,
  'server-sent events': (gateway: Gateway) => gateway.stream,
};

for (const [transport, over] of Object.entries(TRANSPORTS)) {
  test(`${transport}: a sessionLive subscription begins with a snapshot and a heartbeat, and continues with transitions without a gap`, async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('screen.happy-path');
    await walk(gateway, 'screen.happy-path', 3);

    const screen = over(gateway)(SESSION_LIVE, { id });
    const [snapshot, heartbeat] = await screen.take(2);
    await walk(gateway, 'screen.happy-path', 2);
    const transitions = await screen.take(2);

    expect(snapshot).toMatchObject({ __typename: 'SessionSnapshot', resync: false, session: { version: 4 } });
    expect(snapshot.session.availableActions).toContain('SCHEDULE_MEETING');
    expect(heartbeat).toMatchObject({ __typename: 'Heartbeat', cursor: snapshot.cursor });
    expect(transitions.map((each) => each.sequence)).toEqual([5, 6]);
  });

  test(`${transport}: a sessionLive subscription that resumes from a cursor gets only the transitions after the cursor`, async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('screen.happy-path');
    const before = over(gateway)(SESSION_LIVE, { id });
    const [snapshot] = await before.take(1);
    await before.stop();
    await walk(gateway, 'screen.happy-path', 2);

    const back = await over(gateway)(SESSION_LIVE, { id, after: snapshot.cursor }).take(3);

    expect(back.map((each) => each.sequence ?? each.__typename)).toEqual([2, 3, 'Heartbeat']);
    expect(back[2].cursor).toBe(back[1].cursor);
  });

  test(`${transport}: to a cursor of an earlier log epoch (before a restore), sessionLive answers with a new snapshot, and feed with a FeedReset`, async () => {
    const gateway = await bootGateway();
    const { id, startCursor } = await gateway.start('screen.happy-path');
    await gateway.database.query('update log_identity set epoch = epoch + 1');
    const restored = await bootGateway({ database: gateway.databaseUrl });
    await restored.start('other.happy-path', { user: { phone: '9988776644' } });

    const [snapshot] = await over(restored)(SESSION_LIVE, { id, after: startCursor }).take(1);
    const floor = over(restored)(FEED, { after: startCursor });
    const [reset] = await floor.take(1);
    const again = over(restored)(FEED, { after: reset.cursor });
    // Waits for a heartbeat of each subscription, which shows that the subscription is live, before the next
    // transition.
    const inStep = [await floor.take(1), await again.take(1)].flat();
    await walk(restored, 'other.happy-path', 1);

    expect(snapshot).toMatchObject({ __typename: 'SessionSnapshot', resync: true, session: { id } });
    expect(reset.__typename).toBe('FeedReset');
    expect(inStep.map((each) => each.__typename)).toEqual(['Heartbeat', 'Heartbeat']);
    for (const stream of [floor, again]) expect((await stream.take(1))[0].sequence).toBe(2);
  });

  test(`${transport}: to a cursor beyond the end of the log, statusTransitions answers with CURSOR_EXPIRED, sessionLive with a snapshot, and feed with a FeedReset`, async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('short.happy-path');
    await walk(gateway, 'short.happy-path', 2);
    const screen = over(gateway)(SESSION_LIVE, { id });
    const [{ cursor }] = await screen.take(1);
    await screen.stop();
    // Simulates a restore from a backup (without a new log epoch) that lost the transition of the cursor.
    await gateway.database.query(`
      delete from feed where sequence = 3; delete from provider_sighting where sequence = 3;
      delete from status_transition where sequence = 3; update vkyc_session set last_sequence = 2, version = 2`);
    const refusal = (query: string, variables: object) =>
      over(gateway)(query, { ...variables, after: cursor })
        .next()
        .catch((error) => error.extensions.code);

    const watch =
      'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }';
    expect(await refusal(watch, { id })).toBe('CURSOR_EXPIRED');
    expect(await refusal(watch, {})).toBe('CURSOR_EXPIRED');
    expect(await refusal(SESSION_LIVE, { id })).toMatchObject({ resync: true, session: { version: 2 } });
    expect(await refusal(FEED, {})).toMatchObject({ __typename: 'FeedReset' });
  });

  test(`${transport}: heartbeats of a feed subscription advance its cursor even if its filter matches no transition`, async () => {
    const gateway = await bootGateway();
    await gateway.start('floor.happy-path');
    const { data } = await gateway.graphql('{ feedCursor }');
    await walk(gateway, 'floor.happy-path', 3);
    const filter = { status: ['AUDITOR_REVIEWED'] };

    const [heartbeat] = await over(gateway)(FEED, { filter, after: data.feedCursor }).take(1);
    const after = await gateway.graphql('{ feedCursor }');

    expect(heartbeat).toMatchObject({ __typename: 'Heartbeat', cursor: after.data.feedCursor });
  });
}

test('a feed subscriber that is 10,500 transitions behind gets a FeedReset; a statusTransitions subscriber gets all of them', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('far.awaits-review');
  const [{ key }] = (await gateway.database.query('select id as key from vkyc_session')).rows;
  await gateway.database.query(
    `insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
     select $1, n, 'PRE_VIDEO_CALL', 'USER_QUEUED', 'LATE', 'WEBHOOK', now() from generate_series(2, 10500) n`,
    [key],
  );
  await gateway.database.query(
    'insert into feed (position, session_id, sequence) select n, $1, n from generate_series(2, 10500) n',
    [key],
  );

  const [reset] = await gateway.subscribe(FEED, { after: startCursor }).take(1);
  const all = await gateway
    .subscribe('subscription ($after: String) { statusTransitions(after: $after) { sequence } }', {
      after: startCursor,
    })
    .take(10_500);

  expect(reset.__typename).toBe('FeedReset');
  expect(all.map((each) => each.sequence)).toEqual(all.map((_, index) => index + 1));
  expect(id).toBeDefined();
});

test('replayed subscription frames have extensions.replay, except the last frame of the replay', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('marked.happy-path');
  await walk(gateway, 'marked.happy-path', 2);
  const response = await fetch(`${gateway.url}/graphql/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query:
        'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }',
      variables: { id, after: startCursor },
    }),
  });
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader();

  let text = '';
  while (!text.includes('"sequence":3')) text += (await reader.read()).value;
  await reader.cancel();

  expect(text.match(/data: .*/g)?.map((line) => JSON.parse(line.slice(6)).extensions)).toEqual([
    { replay: true },
    { replay: true },
    undefined,
  ]);
});
