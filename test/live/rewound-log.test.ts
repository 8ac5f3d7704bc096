/**
 * Tests a restore of the database from a backup while the gateway runs: the log loses its newest transitions.
 */
import { expect, test } from 'vitest';
import { createCursorCodec, getSessionStartPosition } from '../../src/feed/cursor.ts';
import { takeBackup } from '../harness/backup.ts';
import { bootGateway, eventually, type Gateway, type Stream } from '../harness/gateway.ts';

const FEED = `subscription ($after: String) { feed(after: $after) {
  __typename
  ... on StatusTransition { sequence cursor previousCursor subStatus }
  ... on Heartbeat { cursor previousCursor }
  ... on FeedReset { cursor previousCursor cause reason }
} }`;
const SCREEN = `subscription ($id: ID!, $after: String) { sessionLive(sessionId: $id, after: $after) {
  __typename
  ... on SessionSnapshot { resync cursor session { subStatus version } }
  ... on StatusTransition { sequence cursor subStatus }
  ... on Heartbeat { cursor }
} }`;
const LOG = `subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence cursor subStatus } }`;

/** Sends a webhook with a sub-status and waits until it is recorded. */
async function report(gateway: Gateway, verificationId: string, subStatus: string, minute: number) {
  const count = async () => {
    const { rows } = await gateway.database.query(
      'select last_sequence from vkyc_session where verification_id = $1',
      [verificationId],
    );
    return rows[0].last_sequence as number;
  };
  const before = await count();
  const status = await gateway.webhook({
    event_time: new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString(),
    data: { verification_id: verificationId, status: 'PRE_VIDEO_CALL', sub_status: subStatus },
  });
  expect(status).toBe(200);
  await eventually(async () => (await count()) === before + 1);
}

/** Returns the next frame that is not a heartbeat. */
async function nextNews(stream: Stream<any>): Promise<any> {
  for (;;) {
    const frame = await stream.next();
    if (frame.__typename !== 'Heartbeat') return frame;
  }
}

/** Returns the code of the error that ends a stream, or the next frame if the stream does not end. */
const endOf = (stream: Stream<any>): Promise<unknown> =>
  nextNews(stream).catch((error) => error.extensions.code);

const OVER = {
  WebSocket: (gateway: Gateway) => gateway.subscribe,
  'server-sent events': (gateway: Gateway) => gateway.stream,
};

for (const [transport, over] of Object.entries(OVER))
  test(`${transport}: after a restore, subscribers that saw a lost transition get a reset, snapshot or CURSOR_EXPIRED; others continue without a gap`, async () => {
    const gateway = await bootGateway();
    const [hurt, spared] = [await gateway.start('hurt.1'), await gateway.start('spared.1')];
    await report(gateway, 'hurt.1', 'USER_DEVICE_CHECK_SUCCESS', 1);
    const subscribe = over(gateway);
    const [feed, screen, log, other] = [
      subscribe(FEED),
      subscribe(SCREEN, { id: hurt.id }),
      subscribe(LOG, { id: hurt.id }),
      subscribe(SCREEN, { id: spared.id, after: spared.startCursor }),
    ];
    await Promise.all([feed.next(), screen.take(2), other.take(2)]);
    const restore = await takeBackup(gateway.database);
    await report(gateway, 'hurt.1', 'AADHAAR_VERIFICATION_SUCCESS', 2);
    const lost = await nextNews(feed);
    expect(lost).toMatchObject({ subStatus: 'AADHAAR_VERIFICATION_SUCCESS', sequence: 3 });
    expect([await nextNews(screen), await log.next()]).toMatchObject([{ sequence: 3 }, { sequence: 3 }]);

    await restore();
    await report(gateway, 'hurt.1', 'USER_QUEUED', 3);

    expect(await nextNews(feed)).toMatchObject({
      __typename: 'FeedReset',
      cause: 'LOG_REWOUND',
      reason: expect.stringContaining('failover or a restore'),
      previousCursor: lost.cursor,
    });
    expect(await nextNews(screen)).toMatchObject({ __typename: 'SessionSnapshot', resync: true });
    expect(await endOf(log)).toBe('CURSOR_EXPIRED');
    await report(gateway, 'hurt.1', 'USER_MEETING_SCHEDULED', 4);
    expect(await nextNews(feed)).toMatchObject({ subStatus: 'USER_MEETING_SCHEDULED' });
    await report(gateway, 'spared.1', 'USER_QUEUED', 5);
    expect(await nextNews(feed)).toMatchObject({ subStatus: 'USER_QUEUED' });
    expect(await nextNews(other)).toMatchObject({ __typename: 'StatusTransition', sequence: 2 });
    expect(await gateway.graphql('{ feedCursor }')).toMatchObject({ status: 200 });
    expect(gateway.logs.filter((line) => line.includes('database lost transitions'))).toHaveLength(1);
  });

test('after a restore, the cursor of a lost transition has expired for every subscription and query, although its sequence is used again', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('hurt.1');
  await report(gateway, 'hurt.1', 'USER_DEVICE_CHECK_SUCCESS', 1);
  const restore = await takeBackup(gateway.database);
  await report(gateway, 'hurt.1', 'AADHAAR_VERIFICATION_SUCCESS', 2);
  const page = `query ($id: ID!, $after: String) { session(id: $id) { transitions(first: 9, after: $after) { nodes { cursor sequence subStatus } } } }`;
  const before = (await gateway.graphql(page, { id })).data.session.transitions.nodes;
  const feedEnd = (await gateway.graphql('{ feedCursor }')).data.feedCursor;

  await restore();
  await report(gateway, 'hurt.1', 'USER_QUEUED', 3);

  const [, kept, lost] = before.map((node: any) => node.cursor);
  const { errors } = await gateway.graphql(page, { id, after: lost });
  expect(errors?.[0]?.extensions.code).toBe('CURSOR_EXPIRED');
  for (const after of [kept, startCursor])
    expect((await gateway.graphql(page, { id, after })).data.session.transitions.nodes.at(-1)).toMatchObject({
      sequence: 3,
      subStatus: 'USER_QUEUED',
    });
  expect(await endOf(gateway.subscribe(LOG, { id, after: lost }))).toBe('CURSOR_EXPIRED');
  for (const after of [lost, feedEnd]) {
    expect(await endOf(gateway.subscribe(LOG, { after }))).toBe('CURSOR_EXPIRED');
    const reset = await gateway.subscribe(FEED, { after }).next();
    expect(reset).toMatchObject({ __typename: 'FeedReset', cause: 'LOG_REWOUND', previousCursor: after });
  }
  const screen = await gateway.subscribe(SCREEN, { id, after: lost }).next();
  expect(screen).toMatchObject({ __typename: 'SessionSnapshot', resync: true });
  expect(await gateway.subscribe(SCREEN, { id, after: kept }).next()).toMatchObject({ sequence: 3 });
  expect(await gateway.subscribe(FEED, { after: kept }).next()).toMatchObject({ sequence: 3 });
});

test('subscriptions to a session that was lost by a restore of the database end with CURSOR_EXPIRED', async () => {
  const gateway = await bootGateway();
  await gateway.start('kept.1');
  const restore = await takeBackup(gateway.database);
  const { id, startCursor } = await gateway.start('lost.1');
  const streams = [gateway.subscribe(SCREEN, { id }), gateway.subscribe(LOG, { id, after: startCursor })];
  await Promise.all(streams.map((stream) => stream.next()));

  await restore();

  for (const stream of streams) expect(await endOf(stream)).toBe('CURSOR_EXPIRED');
});

test('subscriptions resume from a cursor that an earlier release issued without a fingerprint', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('hurt.1');
  await report(gateway, 'hurt.1', 'USER_DEVICE_CHECK_SUCCESS', 1);
  const { rows } = await gateway.database.query('select epoch, cursor_key from log_identity');
  const cursors = createCursorCodec({ epoch: rows[0].epoch, cursorKey: rows[0].cursor_key });
  const key = Buffer.from(id, 'base64url').toString().split(':')[1] as string;
  const after = cursors.encode({ ...getSessionStartPosition(key), sequence: 1 });

  for (const query of [SCREEN, LOG])
    expect(await gateway.subscribe(query, { id, after }).next()).toMatchObject({ sequence: 2 });
  expect(await gateway.subscribe(FEED, { after }).next()).toMatchObject({ sequence: 2 });
});

test('after a restore, the gateway polls the provider for the lost transitions and records them again, even without a subscriber', async () => {
  const gateway = await bootGateway({ polling: true, environment: { PROVIDER_CALLS_PER_MINUTE: '6000' } });
  const { id } = await gateway.start('hurt.happy-path');
  await gateway.advance('hurt.happy-path', 1);
  const look = async () =>
    (await gateway.graphql(`{ session(id: "${id}") { subStatus version } }`)).data.session;
  await eventually(async () => (await look()).version === 2);
  const restore = await takeBackup(gateway.database);
  await gateway.advance('hurt.happy-path', 2);
  await eventually(async () => (await look()).version === 4);
  const { subStatus } = await look();

  await restore();
  await eventually(async () => (await look()).subStatus === subStatus);

  const { rows } = await gateway.database.query(
    `select source from status_transition order by recorded_at desc limit 1`,
  );
  expect(rows).toEqual([{ source: 'POLL' }]);
});
