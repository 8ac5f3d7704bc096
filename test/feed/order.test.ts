import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { connect, type Database } from '../../src/db/client.ts';
import { numberCommitted } from '../../src/db/feed.ts';
import { findSessions, type SessionRow } from '../../src/db/sessions.ts';
import { systemClock } from '../../src/domain/ports.ts';
import { LOG_START } from '../../src/feed/cursor.ts';
import { createLocalDoorbell } from '../../src/feed/doorbell.ts';
import { Hub } from '../../src/feed/hub.ts';
import { type Collector, createCollector } from '../harness/collector.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';

const SESSIONS = 12;
const WRITERS = 16;
const TRANSITIONS = 600;

/** Writes transitions as the recorder does, but with transactions that dawdle, commit late or roll back. */
async function record(pool: pg.Pool, session: string, dawdle: number, rollback: boolean): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Taken early, as by a transaction that does other things first: transaction ids say nothing about order.
    await client.query('select pg_current_xact_id()');
    await client.query('select pg_sleep($1)', [dawdle / 1000]);
    const { rows } = await client.query(
      'update vkyc_session set last_sequence = last_sequence + 1 where id = $1 returning last_sequence',
      [session],
    );
    const sequence = rows[0].last_sequence;
    await client.query(
      `insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
       values ($1, $2, 'PRE_VIDEO_CALL', 'USER_QUEUED', 'MOVED', 'WEBHOOK', now())`,
      [session, sequence],
    );
    await client.query('insert into transition_outbox (session_id, sequence) values ($1, $2)', [
      session,
      sequence,
    ]);
    await client.query('select pg_sleep($1)', [(dawdle % 3) / 1000]);
    await client.query(rollback ? 'rollback' : 'commit');
  } finally {
    client.release();
  }
}

async function createSessions(pool: pg.Pool): Promise<string[]> {
  const user = randomUUID();
  await pool.query(`insert into vkyc_user (id, user_id, personal, created_at) values ($1, 'u', '', now())`, [
    user,
  ]);
  const ids = Array.from({ length: SESSIONS }, () => randomUUID());
  for (const id of ids) {
    await pool.query(
      `insert into vkyc_session (id, verification_id, user_id, status, sub_status, version, last_sequence, disputed, waiting_on, decided_here,
         provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, created_at, updated_at)
       values ($1::uuid, $1::text, $2, 'RECEIVED', 'LINK_GENERATED', 1, 0, false, 'CUSTOMER', false, '', '', 0, now(), false, now(), now())`,
      [id, user],
    );
  }
  return ids;
}

test('with 16 writers that dawdle and roll back, two replicas both see every transition once and in order', async () => {
  const url = await freshDatabase();
  const pool = new pg.Pool({ connectionString: url, max: WRITERS });
  const sessions = await createSessions(pool);
  const log = pino({ level: 'silent' });
  const replicas = Array.from({ length: 2 }, () => {
    const connection = connect(url, 6, () => {});
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
    await hub.followAll({ at: LOG_START, number: 0 }, (feeds[index] as Collector).subscriber);
  const oneSession = sessions[0] as string;
  const [row] = await findSessions(replicas[1]?.connection.db as Database, [oneSession]);
  const sessionFeed = createCollector();
  replicas[1]?.hub.followSession(row as SessionRow, 0, sessionFeed.subscriber);

  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % below;
  };
  let left = TRANSITIONS;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (left > 0) {
        left -= 1;
        const session = sessions[random(SESSIONS)] as string;
        await record(pool, session, random(20), random(10) === 0);
        // Every third doorbell is lost, and either replica may be the one that hears it.
        if (random(3) > 0) replicas[random(2)]?.doorbell.ring(session, 0);
      }
    }),
  );

  const { rows } = await pool.query(
    'select session_id, sequence from status_transition order by session_id, sequence',
  );
  const written = rows.map((row) => `${row.session_id} ${row.sequence}`);
  for (const feed of feeds) {
    const seen = await feed.count(written.length);
    expect(seen.map((row) => `${row.sessionId} ${row.sequence}`).toSorted(), `seed ${seed}`).toEqual(
      written.toSorted(),
    );
    for (const session of sessions) {
      const sequences = seen.filter((row) => row.sessionId === session).map((row) => row.sequence);
      expect(sequences, `seed ${seed}`).toEqual(sequences.map((_, index) => index + 1));
    }
  }
  const own = written.filter((line) => line.startsWith(oneSession)).length;
  const sequences = (await sessionFeed.count(own)).map(({ sequence }) => sequence);
  expect(sequences, `seed ${seed}`).toEqual(sequences.map((_, index) => index + 1));

  const { rows: positions } = await pool.query(
    'select count(*)::int as count, max(position)::int as newest from feed',
  );
  expect(positions[0]).toEqual({ count: written.length, newest: written.length });
});

test('numbering in small batches keeps the order within each session', async () => {
  const url = await freshDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const connection = connect(url, 2, () => {});
  atTheEnd(async () => {
    await connection.close();
    await pool.end();
  });
  const [first, second] = (await createSessions(pool)) as [string, string];
  for (const session of [first, second, first, first, second]) await record(pool, session, 0, false);

  const numbered = [];
  for (
    let count = await numberCommitted(connection.db, 2);
    count;
    count = await numberCommitted(connection.db, 2)
  )
    numbered.push(count);

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
