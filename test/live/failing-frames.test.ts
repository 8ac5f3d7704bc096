/**
 * Tests that a failed frame is executed again. If the frame keeps failing, the connection is closed, and the
 * client resumes.
 */
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { resuming } from '../../src/client/resuming.ts';
import { atTheEnd, bootGateway, eventually, type Gateway } from '../harness/gateway.ts';

/**
 * Database tables that loaders (DataLoader) read, each with a subscription selection that needs the loader of the
 * table.
 */
const LOADED = {
  vkyc_user: 'session { user { id userId } }',
  meeting: 'session { meetings(first: 5) { nodes { id startsAt } } }',
  review: 'session { reviews { id stage } }',
  status_transition: 'session { transitions(last: 5) { nodes { sequence } } }',
  vkyc_session: 'session { id version replacedBy { id } replaces { id } }',
} as const;

const watch = (selection: string) => `subscription ($id: ID!, $after: String) {
  sessionLive(sessionId: $id, after: $after) {
    __typename
    ... on SessionSnapshot { cursor previousCursor }
    ... on Heartbeat { cursor previousCursor }
    ... on StatusTransition { sequence cursor previousCursor ${selection} }
  }
}`;
const soon = {
  retryWait: async () => {},
  retry: () => new Promise<void>((resolve) => setImmediate(resolve)),
};
const TRANSPORTS = {
  WebSocket: (url: string) =>
    resuming(createClient, {
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      ...soon,
    }),
  'server-sent events': (url: string) =>
    resuming(createStreamClient, { url: `${url}/graphql/stream`, ...soon }),
};

interface Watched {
  readonly frames: any[];
  /** Frames with GraphQL errors; the test expects none. */
  readonly broken: unknown[];
  readonly ends: unknown[];
}

function follow(
  gateway: Gateway,
  transport: keyof typeof TRANSPORTS,
  query: string,
  variables: object,
): Watched {
  const client = TRANSPORTS[transport](gateway.url) as ReturnType<typeof createClient>;
  atTheEnd(async () => void Promise.resolve(client.dispose()).catch(() => {}));
  const watched: Watched = { frames: [], broken: [], ends: [] };
  client.subscribe(
    { query, variables: variables as Record<string, unknown> },
    {
      next: (result) => {
        if (result.errors) watched.broken.push(result);
        watched.frames.push(...Object.values(result.data ?? {}));
      },
      error: (error) => watched.ends.push(error),
      complete: () => watched.ends.push('complete'),
    },
  );
  return watched;
}

/** Sends a webhook with a new event time, so that it records one more transition of the session. */
async function report(gateway: Gateway, verificationId: string, minute: number): Promise<void> {
  const status = await gateway.webhook({
    event_time: new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString(),
    data: { verification_id: verificationId, status: 'PRE_VIDEO_CALL', sub_status: 'USER_QUEUED' },
  });
  expect(status).toBe(200);
}

/** Renames a table, so that every read of the table fails, until the returned function renames it back. */
async function breakTable(database: pg.Pool, table: string): Promise<() => Promise<void>> {
  await database.query(`alter table ${table} rename to ${table}_away`);
  return async () => void (await database.query(`alter table ${table}_away rename to ${table}`));
}

const isRecorded = async (gateway: Gateway, sequence: number): Promise<boolean> => {
  const { rowCount } = await gateway.database.query('select from feed where sequence = $1', [sequence]);
  return rowCount === 1;
};
const metric = async (gateway: Gateway, name: string): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))?.[1] ?? 0);
};

for (const transport of Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])
  test(`${transport}: a subscription frame whose loader fails is executed again until it has no errors, for every loader`, async () => {
    const gateway = await bootGateway();
    const { id, startCursor } = await gateway.start('frames.1');
    const all = Object.fromEntries(
      Object.entries(LOADED).map(([table, selection]) => [
        table,
        follow(gateway, transport, watch(selection), { id, after: startCursor }),
      ]),
    );
    await eventually(async () => Object.values(all).every(({ frames }) => frames.length >= 2));

    let sequence = 1;
    for (const [table, watched] of Object.entries(all)) {
      // Replays a recorded transition. Recording a new transition would read some of the renamed tables, and fail as
      // well.
      const failed = await metric(gateway, 'vkyc_feed_failed_frames_total');
      const mend = await breakTable(gateway.database, table);
      const again = follow(gateway, transport, watch(LOADED[table as keyof typeof LOADED]), {
        id,
        after: startCursor,
      });
      // Without vkyc_session or status_transition the log cannot be read, so no frame is executed that could
      // fail.
      if (table !== 'vkyc_session' && table !== 'status_transition')
        await eventually(async () => (await metric(gateway, 'vkyc_feed_failed_frames_total')) > failed);
      await mend();
      await eventually(async () => again.frames.some((frame) => frame.sequence === sequence));
      expect([again.broken, again.ends, watched.broken, watched.ends], table).toEqual([[], [], [], []]);
    }
    await report(gateway, 'frames.1', 1);
    sequence += 1;
    await eventually(async () => isRecorded(gateway, sequence));
    for (const { frames } of Object.values(all)) {
      await eventually(async () => frames.some((frame) => frame.sequence === sequence));
      const whole = frames.filter(({ __typename }) => __typename === 'StatusTransition');
      expect(whole.map((frame) => frame.sequence)).toEqual([1, 2]);
      expect(whole.every((frame) => frame.session !== null)).toBe(true);
    }
  }, 60_000);

test('a subscription frame that keeps failing closes the connection; the client resumes and gets the frame after the fault', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('frames.1');
  const watched = follow(gateway, 'WebSocket', watch(LOADED.meeting), { id, after: startCursor });
  await eventually(async () => watched.frames.length >= 2);

  const mend = await breakTable(gateway.database, 'meeting');
  await report(gateway, 'frames.1', 1);
  await eventually(async () => gateway.logs.some((line) => line.includes('a subscription failed')));
  expect(watched.frames.filter(({ sequence }) => sequence === 2)).toEqual([]);
  await mend();
  await eventually(async () => watched.frames.some(({ sequence }) => sequence === 2));

  expect(watched.frames.find(({ sequence }) => sequence === 2)).toMatchObject({
    session: { meetings: { nodes: [] } },
  });
  expect([watched.broken, watched.ends]).toEqual([[], []]);
}, 60_000);

test('while all database connections of the gateway are terminated every 250 ms under load, no subscription frame is lost or sent with errors', async () => {
  const gateway = await bootGateway({ environment: { DATABASE_POOL: '4' } });
  const sessions = await Promise.all(['a', 'b', 'c'].map((name) => gateway.start(`frames.${name}`)));
  const watched = sessions.map(({ id, startCursor }) =>
    follow(
      gateway,
      'WebSocket',
      watch(`${LOADED.meeting} ${LOADED.vkyc_user.replace('session', 'owner: session')}`),
      {
        id,
        after: startCursor,
      },
    ),
  );
  let ended = 0;
  const killer = setInterval(() => {
    gateway.database
      .query(
        `select count(pg_terminate_backend(pid))::int as count from pg_stat_activity
         where datname = current_database() and application_name = 'vkyc-gateway'`,
      )
      .then(({ rows }) => {
        ended += rows[0].count;
      })
      .catch(() => {});
  }, 250);
  atTheEnd(async () => clearInterval(killer));

  for (let minute = 1; minute <= 20; minute += 1)
    for (const name of ['a', 'b', 'c']) {
      // Sends the webhook until it is answered with 200, as the provider does.
      await eventually(async () => {
        const status = await gateway
          .webhook({
            event_time: new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString(),
            data: { verification_id: `frames.${name}`, status: 'PRE_VIDEO_CALL', sub_status: 'USER_QUEUED' },
          })
          .catch(() => 503);
        return status === 200;
      });
    }
  await eventually(async () => ended > 10);
  clearInterval(killer);
  const last = 1 + 20;
  for (const { frames } of watched)
    await eventually(async () => frames.some(({ sequence }) => sequence >= last));

  for (const { frames, broken, ends } of watched) {
    const transitions = frames.filter(({ __typename }) => __typename === 'StatusTransition');
    expect(transitions.map(({ sequence }) => sequence)).toEqual(transitions.map((_, index) => index + 1));
    expect(transitions.every(({ session, owner }) => session?.meetings && owner?.user)).toBe(true);
    expect([broken, ends]).toEqual([[], []]);
  }
}, 60_000);
