/** Writes transitions in ways that are hard for the feed: slow transactions, late commits, rollbacks. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect } from 'vitest';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import type { Collector } from './collector.ts';

/** Creates sessions without transitions. Returns their ids. */
export async function createSessions(pool: pg.Pool, count: number): Promise<string[]> {
  const user = randomUUID();
  await pool.query(`insert into vkyc_user (id, user_id, personal, created_at) values ($1, 'u', '', now())`, [
    user,
  ]);
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) {
    await pool.query(
      `insert into vkyc_session (id, verification_id, user_id, status, sub_status, version, last_sequence, disputed, waiting_on, decided_here,
         provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, status_since, created_at, updated_at)
       values ($1::uuid, $1::text, $2, 'RECEIVED', 'LINK_GENERATED', 1, 0, false, 'CUSTOMER', false, '', '', 0, now(), false, now(), now(), now())`,
      [id, user],
    );
  }
  return ids;
}

/**
 * Records a transition in a transaction of its own, and commits or rolls back. Returns the sequence of the transition.
 */
export async function record(
  pool: pg.Pool,
  session: string,
  { dawdleMs = 0, rollback = false } = {},
): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Assigns the transaction id early, as if the transaction did other work first, so that the order of ids
    // differs from the order of commits.
    await client.query('select pg_current_xact_id()');
    await client.query('select pg_sleep($1)', [dawdleMs / 1000]);
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
    await client.query('select pg_sleep($1)', [(dawdleMs % 3) / 1000]);
    await client.query(rollback ? 'rollback' : 'commit');
    return sequence;
  } finally {
    client.release();
  }
}

/** Returns a random source that differs in every run, and its seed, which tests print in failure messages. */
export function newChance(): { random: SeededRandom; seed: number } {
  const seed = Math.floor(Math.random() * 2 ** 31);
  return { random: createSeededRandom(seed), seed };
}

interface Recording {
  readonly pool: pg.Pool;
  readonly sessions: readonly string[];
  readonly random: SeededRandom;
  readonly transitions: number;
  /** Number of concurrent transactions. The pool must have this many connections. */
  readonly writers: number;
  /** Notifies the feed. Called after each transaction, even after a rollback. */
  readonly ring: (sessionId: string, sequence: number) => void;
}

export async function recordAtRandom(recording: Recording): Promise<void> {
  const { pool, sessions, random, transitions, writers, ring } = recording;
  let left = transitions;
  const write = async () => {
    while (left > 0) {
      left -= 1;
      const session = sessions[random.integer(0, sessions.length - 1)] as string;
      const dawdleMs = random.integer(0, 19);
      const sequence = await record(pool, session, { dawdleMs, rollback: random.chance(0.1) });
      ring(session, sequence);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/**
 * Expects the feed to deliver every transition of the log once, and the transitions of each session in order.
 */
export async function expectOnceAndInOrder(pool: pg.Pool, feed: Collector, seed: number): Promise<void> {
  const { rows } = await pool.query('select session_id, sequence from status_transition');
  const written = rows.map((row) => `${row.session_id} ${row.sequence}`).toSorted();
  const seen = await feed.count(written.length);
  expect(seen.map((row) => `${row.sessionId} ${row.sequence}`).toSorted(), `seed ${seed}`).toEqual(written);
  for (const session of new Set(seen.map((row) => row.sessionId))) {
    const sequences = seen.filter((row) => row.sessionId === session).map((row) => row.sequence);
    expect(sequences, `seed ${seed}`).toEqual(sequences.map((_, index) => index + 1));
  }
}
