import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { systemClock } from '../../src/domain/ports.ts';
import { FEED_START_POSITION } from '../../src/feed/cursor.ts';
import { Hub } from '../../src/feed/hub.ts';
import { createCollector } from '../harness/collector.ts';
import { listenTo } from '../harness/doorbell-listener.ts';
import { createFaultyDoorbell } from '../harness/faulty-doorbell.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import {
  createSessions,
  expectOnceAndInOrder,
  newChance,
  record,
  recordAtRandom,
} from '../harness/log-writer.ts';
import { ADAPTERS } from './doorbells.ts';

const WRITERS = 8;

describe.each(Object.entries(ADAPTERS))('doorbell (notifications) %s', (_name, { open, test }) => {
  test('a doorbell delivers a ring (notification of a session and its sequence) to listeners of its own replica synchronously, and to the other replica', async () => {
    const { doorbells } = await open();
    const [here, there] = [listenTo(doorbells[0]), listenTo(doorbells[1])];
    const session = randomUUID();

    doorbells[0].ring(session, 3);

    expect(here.rings).toEqual([[session, 3]]);
    await eventually(async () => there.knowsOf(new Map([[session, 3]])));
    expect(there.rings).toEqual([[session, 3]]);
  });

  test('if both replicas ring (notify) for the same sessions, a doorbell delivers the highest sequence of every session to both', async () => {
    const { doorbells } = await open();
    const ears = doorbells.map(listenTo);
    const sessions = Array.from({ length: 500 }, () => randomUUID());
    const highest = new Map(sessions.map((session, index) => [session, 3 + (index % 4)]));

    for (const [session, last] of highest)
      for (let sequence = last; sequence >= 1; sequence -= 1)
        doorbells[sequence % 2 === 0 ? 0 : 1].ring(session, sequence);

    for (const ear of ears) await eventually(async () => ear.knowsOf(highest));
  });

  test('a doorbell delivers no ring (notification) to a listener that unsubscribed, and still delivers rings to other listeners', async () => {
    const { doorbells } = await open();
    const [stayed, left] = [listenTo(doorbells[1]), listenTo(doorbells[1])];
    const [before, after] = [randomUUID(), randomUUID()];
    doorbells[0].ring(before, 1);
    await eventually(async () => left.knowsOf(new Map([[before, 1]])));
    left.forget();

    left.leave();
    doorbells[0].ring(after, 1);

    await eventually(async () => stayed.knowsOf(new Map([[after, 1]])));
    expect(left.rings).toEqual([]);
  });

  test('`ring`, which notifies the listeners of a doorbell, does not throw, even if a listener throws or the transport is broken', async () => {
    const { doorbells, breakTransport, mendTransport } = await open();
    doorbells[0].listen({
      onRing() {
        throw new Error('a listener that fails');
      },
      onGap() {
        throw new Error('a listener that fails');
      },
    });
    const [here, there] = [listenTo(doorbells[0]), listenTo(doorbells[1])];
    await breakTransport();
    const [during, after] = [randomUUID(), randomUUID()];

    for (let sequence = 1; sequence <= 50; sequence += 1) {
      doorbells[0].ring(during, sequence);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(here.rings).toHaveLength(50);
    await mendTransport();
    // Either the rings arrived, or the listener of the other replica learned (onGap) that it may have missed rings.
    expect(there.misses > 0 || there.knowsOf(new Map([[during, 50]]))).toBe(true);
    doorbells[0].ring(after, 1);
    await eventually(async () => there.knowsOf(new Map([[after, 1]])));
  });

  test('a stopped doorbell delivers no rings (notifications), and a second stop does not throw', async () => {
    const { doorbells } = await open();
    const ear = listenTo(doorbells[0]);

    for (const doorbell of doorbells) await doorbell.stop();
    doorbells[0].ring(randomUUID(), 1);

    expect(ear.rings).toEqual([]);
    for (const doorbell of doorbells) await doorbell.stop();
  });

  const { random, seed } = newChance();
  test(`replicas deliver every transition once although notifications between them (the doorbell) are lost, repeated, reordered and delayed (seed ${seed})`, async () => {
    const { databaseUrl, doorbells } = await open();
    const pool = new pg.Pool({ connectionString: databaseUrl, max: WRITERS });
    atTheEnd(() => pool.end());
    const sessions = await createSessions(pool, 12);
    const log = pino({ level: 'silent' });
    const replicas = doorbells.map((doorbell) => {
      const faulty = createFaultyDoorbell(doorbell, random);
      const connection = createDatabasePools(databaseUrl, 6, () => {});
      const hub = new Hub({ db: connection.db, clock: systemClock, doorbell: faulty, log });
      atTheEnd(async () => {
        await faulty.stop();
        await hub.stop();
        await connection.close();
      });
      return { faulty, hub, feed: createCollector() };
    });
    for (const { hub, feed } of replicas)
      await hub.followAll({ at: FEED_START_POSITION, number: 0, fingerprint: null }, feed.subscriber);
    const ring = (session: string, sequence: number) =>
      replicas[random.integer(0, 1)]?.faulty.ring(session, sequence);

    await recordAtRandom({ pool, sessions, random, transitions: 300, writers: WRITERS, ring });

    for (const { feed } of replicas) await expectOnceAndInOrder(pool, feed, seed);
    await eventually(async () => replicas.every(({ faulty }) => faulty.onTheirWay === 0));
    // Records the last transition without a ring: the hub must find the transition by polling.
    const known = replicas[0]?.feed.seen.length as number;
    const last = { sessionId: sessions[0], sequence: await record(pool, sessions[0] as string) };
    for (const { feed } of replicas) expect((await feed.count(known + 1)).at(-1)).toEqual(last);
    for (const { faulty } of replicas)
      for (const count of Object.values(faulty.faults)) expect(count).toBeGreaterThan(0);
  });
});
