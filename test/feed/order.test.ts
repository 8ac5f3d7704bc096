import pg from 'pg';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createDatabasePools, type Database } from '../../src/db/connection/client.ts';
import { assignFeedPositions } from '../../src/db/sessions/feed.ts';
import { findSessionsById, type SessionRow } from '../../src/db/sessions/sessions.ts';
import { systemClock } from '../../src/domain/ports.ts';
import { FEED_START_POSITION, getSessionStartPosition } from '../../src/feed/cursor.ts';
import { createLocalDoorbell } from '../../src/feed/doorbell.ts';
import { Hub } from '../../src/feed/hub.ts';
import { type Collector, createCollector } from '../harness/collector.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';
import {
  createSessions,
  expectOnceAndInOrder,
  newChance,
  record,
  recordAtRandom,
} from '../harness/log-writer.ts';

const WRITERS = 16;

// Invariant 7 of ARCHITECTURE.md
test('with 16 slow writers and rollbacks, the feeds of two replicas show every transition once and in order', async () => {
  const url = await freshDatabase();
  const pool = new pg.Pool({ connectionString: url, max: WRITERS });
  const sessions = await createSessions(pool, 12);
  const log = pino({ level: 'silent' });
  const replicas = Array.from({ length: 2 }, () => {
    const connection = createDatabasePools(url, 6, () => {});
    const doorbell = createLocalDoorbell();
    return { connection, doorbell, hub: new Hub({ db: connection.db, clock: systemClock, doorbell, log }) };
  });
  atTheEnd(async () => {
    for (const { hub, connection } of replicas) {
      await hub.stop();
      await connection.close();
    }
    await pool.end();
  });
  const feeds = replicas.map(() => createCollector());
  for (const [index, { hub }] of replicas.entries())
    await hub.followAll(
      { at: FEED_START_POSITION, number: 0, fingerprint: null },
      (feeds[index] as Collector).subscriber,
    );
  const oneSession = sessions[0] as string;
  const [row] = await findSessionsById(replicas[1]?.connection.db as Database, [oneSession]);
  const sessionFeed = createCollector();
  replicas[1]?.hub.followSession(
    row as SessionRow,
    getSessionStartPosition(oneSession),
    sessionFeed.subscriber,
  );

  const { random, seed } = newChance();
  // Loses one in three notifications; each of the others reaches one replica, chosen at random.
  const ring = (session: string) => {
    if (random.integer(0, 2) > 0) replicas[random.integer(0, 1)]?.doorbell.ring(session, 0);
  };
  await recordAtRandom({ pool, sessions, random, transitions: 600, writers: WRITERS, ring });

  for (const feed of feeds) await expectOnceAndInOrder(pool, feed, seed);
  const { rows: own } = await pool.query(
    'select sequence from status_transition where session_id = $1 order by sequence',
    [oneSession],
  );
  const sequences = (await sessionFeed.count(own.length)).map(({ sequence }) => sequence);
  expect(sequences, `seed ${seed}`).toEqual(own.map((row) => row.sequence));

  const { rows: positions } = await pool.query(
    'select count(*)::int as count, max(position)::int as newest, (select count(*)::int from status_transition) as written from feed',
  );
  const [{ written }] = positions;
  expect(positions[0]).toEqual({ written, count: written, newest: written });
});

test('feed positions that are assigned in batches of two keep the order of transitions within each session', async () => {
  const url = await freshDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const connection = createDatabasePools(url, 2, () => {});
  atTheEnd(async () => {
    await connection.close();
    await pool.end();
  });
  const [first, second] = (await createSessions(pool, 2)) as [string, string];
  for (const session of [first, second, first, first, second]) await record(pool, session);

  const numbered = [];
  for (
    let places = await assignFeedPositions(connection.db, 2);
    places?.length;
    places = await assignFeedPositions(connection.db, 2)
  )
    numbered.push(places.length);

  expect(numbered).toEqual([2, 2, 1]);
  const { rows } = await pool.query('select session_id, sequence from feed order by position');
  expect(rows.map((row) => [row.session_id, row.sequence])).toEqual([
    [first, 1],
    [second, 1],
    [first, 2],
    [first, 3],
    [second, 2],
  ]);
});
