import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { findSessionsById, type SessionRow } from '../../src/db/sessions/sessions.ts';
import { systemClock } from '../../src/domain/ports.ts';
import { getSessionStartPosition } from '../../src/feed/cursor.ts';
import { Hub } from '../../src/feed/hub.ts';
import { DOORBELL_CHANNEL, type PostgresDoorbellTimings } from '../../src/feed/postgres-doorbell.ts';
import { createCollector } from '../harness/collector.ts';
import { listenTo } from '../harness/doorbell-listener.ts';
import { atTheEnd, eventually, freshDatabase } from '../harness/gateway.ts';
import { createSessions, record } from '../harness/log-writer.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { openReplica, type Replica } from './doorbells.ts';

const IMPATIENT: Partial<PostgresDoorbellTimings> = {
  connectTimeoutMs: 300,
  probeEveryMs: 50,
  probeTimeoutMs: 300,
  farewellMs: 100,
};

/** Opens a LISTEN connection on the doorbell's channel, and collects the payloads of all notifications. */
async function overhear(url: string): Promise<{ client: pg.Client; texts: string[] }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atTheEnd(() => client.end());
  const texts: string[] = [];
  client.on('notification', ({ payload }) => texts.push(payload ?? ''));
  await client.query(`listen ${DOORBELL_CHANNEL}`);
  return { client, texts };
}

/** Opens two replicas (near and far), a listener on the far doorbell, and a LISTEN connection on the channel. */
async function openPair() {
  const url = await freshDatabase();
  const [near, far, heard] = await Promise.all([openReplica(url), openReplica(url), overhear(url)]);
  return { near, far, ear: listenTo(far.doorbell), ...heard };
}

test('a transition recorded while the LISTEN connection is cut reaches subscribers after the reconnect', async () => {
  const url = await freshDatabase();
  const wire = await startTcpProxy(url);
  const near = await openReplica(url);
  const far = await openReplica(wire.url);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  atTheEnd(() => pool.end());
  const [session] = (await createSessions(pool, 1)) as [string];
  const log = pino({ level: 'silent' });
  const hub = new Hub({ db: near.connection.db, clock: systemClock, doorbell: far.doorbell, log });
  atTheEnd(() => hub.stop());
  const [row] = await findSessionsById(near.connection.db, [session]);
  const feed = createCollector();
  hub.followSession(row as SessionRow, getSessionStartPosition(session), feed.subscriber);
  const ear = listenTo(far.doorbell);

  wire.refuse();
  const { rowCount } = await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
  );
  expect(rowCount).toBe(2);
  await eventually(async () => !far.doorbell.connected);
  await eventually(async () => near.doorbell.connected);
  const sequence = await record(pool, session);
  near.doorbell.ring(session, sequence);
  expect(ear.misses).toBe(0);
  wire.mend();

  await eventually(async () => far.doorbell.connected);
  // Rings during the cut are lost, so after the reconnect listeners are told (once) that they missed rings.
  expect(ear.misses).toBe(1);
  expect(await feed.count(1)).toEqual([{ sessionId: session, sequence }]);
  expect(far.warnings[0]).toContain('LISTEN connection lost');
  near.doorbell.ring(session, 2);
  await eventually(async () => ear.knowsOf(new Map([[session, 2]])));
});

test('the PostgreSQL doorbell (notifications between replicas) detects and replaces a dead LISTEN connection, even one that dies while connecting', async () => {
  const url = await freshDatabase();
  const wire = await startTcpProxy(url);
  const near = await openReplica(url);
  const far = await openReplica(wire.url, IMPATIENT);
  const ear = listenTo(far.doorbell);
  const session = randomUUID();

  wire.freeze();
  await eventually(async () => !far.doorbell.connected);
  // Waits until new connections have failed, too: the frozen proxy accepts connections, but passes on no data.
  await eventually(async () => far.warnings.length >= 3);
  near.doorbell.ring(session, 1);
  expect(ear).toMatchObject({ rings: [], misses: 0 });
  wire.mend();

  await eventually(async () => ear.misses > 0);
  await eventually(async () => {
    near.doorbell.ring(session, 2);
    return ear.knowsOf(new Map([[session, 2]]));
  });
});

test('rings (notifications) for 5,000 sessions in the same tick are split into payloads that NOTIFY accepts, and reach the other replica', async () => {
  const url = await freshDatabase();
  const near = await openReplica(url);
  const far = await openReplica(url);
  const { texts } = await overhear(url);
  const ear = listenTo(far.doorbell);
  const highest = new Map(Array.from({ length: 5_000 }, () => [randomUUID(), 2 ** 31 - 1]));
  const named = new Map([...highest].slice(0, 1_000));

  for (const [session, sequence] of named) near.doorbell.ring(session, sequence);
  await eventually(async () => ear.knowsOf(named));
  expect(ear.misses).toBe(0);
  for (const [session, sequence] of highest) near.doorbell.ring(session, sequence);
  await eventually(async () => ear.misses > 0 || ear.knowsOf(highest));

  expect(near.warnings).toEqual([]);
  expect(texts.length).toBeGreaterThan(1);
  for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThan(8_000);
});

test('a PostgreSQL doorbell has one NOTIFY in flight; rings (notifications) during that time are combined, one per session with the highest sequence', async () => {
  const { near, ear, texts } = await openPair();
  const { pool } = near.connection;
  const query = pool.query.bind(pool);
  const held: (() => void)[] = [];
  pool.query = ((statement: string) =>
    new Promise((resolve) => {
      held.push(() => resolve(query(statement)));
    })) as never;
  const [one, two] = [randomUUID(), randomUUID()];

  near.doorbell.ring(one, 1);
  await eventually(async () => held.length > 0);
  for (const sequence of [2, 4, 3]) near.doorbell.ring(one, sequence);
  await new Promise((resolve) => setImmediate(resolve));
  near.doorbell.ring(two, 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(held).toHaveLength(1);
  held[0]?.();
  await eventually(async () => held.length > 1);
  // Waits for the first notification: if both arrived together, the receiver would report only the newer one.
  await eventually(async () => ear.knowsOf(new Map([[one, 1]])));
  held[1]?.();
  await eventually(async () => ear.knowsOf(new Map([[two, 1]])));

  expect(ear.rings).toEqual([
    [one, 1],
    [one, 4],
    [two, 1],
  ]);
  await eventually(async () => texts.length === 2);
  expect(held).toHaveLength(2);
});

test('a replica gets no echo of its own rings (notifications) from PostgreSQL', async () => {
  const { near, far } = await openPair();
  const ear = listenTo(near.doorbell);
  const [own, other] = [randomUUID(), randomUUID()];
  const farEar = listenTo(far.doorbell);

  near.doorbell.ring(own, 1);
  await eventually(async () => farEar.knowsOf(new Map([[own, 1]])));
  far.doorbell.ring(other, 1);
  // PostgreSQL notifies in commit order, so an echo of the replica's own ring would have come before the other ring.
  await eventually(async () => ear.knowsOf(new Map([[other, 1]])));

  expect(ear.rings).toEqual([
    [own, 1],
    [other, 1],
  ]);
});

test('a NOTIFY with an invalid payload counts as a missed ring (notification), and causes no error', async () => {
  const { near, ear, client } = await openPair();
  const payloads = [
    '',
    'nonsense',
    'null',
    '[]',
    '{"from":"x"}',
    '{"from":"x","rings":[["a",1,2]]}',
    '{"from":"x","rings":[["a",-1]]}',
    '{"from":"x","rings":[["a","1"]]}',
    '{"from":1,"rings":null}',
  ];

  for (const payload of payloads) await client.query('select pg_notify($1, $2)', [DOORBELL_CHANNEL, payload]);
  const session = randomUUID();
  near.doorbell.ring(session, 1);

  await eventually(async () => ear.knowsOf(new Map([[session, 1]])));
  expect(ear.rings).toEqual([[session, 1]]);
  expect(ear.misses).toBeGreaterThan(0);
  expect(ear.misses).toBeLessThan(payloads.length);
});

test('if a NOTIFY fails, the PostgreSQL doorbell logs a warning, and still sends the next NOTIFY', async () => {
  const { near, ear } = await openPair();
  const { pool } = near.connection;
  const query = pool.query;
  pool.query = (() => Promise.reject(new Error('the database is unreachable'))) as never;
  const [lost, next] = [randomUUID(), randomUUID()];

  near.doorbell.ring(lost, 1);
  await eventually(async () => near.warnings.length > 0);
  pool.query = query;
  near.doorbell.ring(next, 1);

  await eventually(async () => ear.knowsOf(new Map([[next, 1]])));
  expect(ear.rings).toEqual([[next, 1]]);
  expect(near.warnings).toEqual([expect.stringContaining('NOTIFY failed')]);
});

interface Plight {
  readonly timings?: Partial<PostgresDoorbellTimings>;
  bring(wire: TcpProxy, replica: Replica): Promise<unknown>;
}

const PLIGHTS: Readonly<Record<string, Plight>> = {
  'while connected': { bring: async () => {} },
  'between attempts to connect': {
    timings: { firstRetryMs: 60_000, longestRetryMs: 60_000 },
    async bring(wire, { doorbell }) {
      wire.cut();
      await eventually(async () => !doorbell.connected);
    },
  },
  'on a connection that is silently dead': { bring: async (wire) => wire.freeze() },
  'while a connection attempt gets no answer': {
    timings: { connectTimeoutMs: 60_000 },
    async bring(wire, { doorbell }) {
      const before = wire.accepted;
      wire.freeze();
      await eventually(async () => !doorbell.connected && wire.accepted > before);
    },
  },
  'while a NOTIFY is being sent and gets no answer': {
    async bring(wire, { doorbell, connection }) {
      await connection.pool.query('select 1');
      wire.freeze();
      doorbell.ring(randomUUID(), 1);
    },
  },
};

test.each(Object.entries(PLIGHTS))(
  'a PostgreSQL doorbell stops within 2 s and leaves no connection: %s',
  async (_name, plight) => {
    const wire = await startTcpProxy(await freshDatabase());
    const replica = await openReplica(wire.url, { ...IMPATIENT, ...plight.timings });
    await plight.bring(wire, replica);
    const before = performance.now();

    await replica.doorbell.stop();

    expect(performance.now() - before).toBeLessThan(2_000);
    expect(replica.doorbell.connected).toBe(false);
    await eventually(async () => wire.open === replica.connection.pool.totalCount);
    // Cuts the connections of the pool, which would wait forever for an answer through the frozen proxy.
    wire.cut();
  },
);
