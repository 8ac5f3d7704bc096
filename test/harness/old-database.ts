/** Test helpers: databases in the state of earlier releases. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { runMigrations } from '../../src/db/run-migrations.ts';
import { atTheEnd } from './gateway.ts';
import { databaseUrl } from './postgres.ts';

export interface OldDatabase {
  readonly url: string;
  readonly client: pg.Client;
}

let count = 0;

/** Creates a database without tables, with these options. Its connection is closed when the test ends. */
export async function emptyDatabase(options = ''): Promise<OldDatabase> {
  count += 1;
  const name = `old_${process.pid}_${Date.now()}_${count}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${name} ${options}`);
  await admin.end();
  const url = databaseUrl(inject('postgresUrl'), name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atTheEnd(() => client.end());
  return { url, client };
}

/** Creates a database in the state of an earlier release: with all migrations up to `lastMigration`. */
export async function databaseAsOf(lastMigration: string): Promise<OldDatabase> {
  const database = await emptyDatabase();
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  const journal = JSON.parse(await readFile('migrations/meta/_journal.json', 'utf8'));
  const last = journal.entries.findIndex(({ tag }: { tag: string }) => tag === lastMigration);
  const entries = journal.entries.slice(0, last + 1);
  expect(entries).not.toHaveLength(0);
  await writeFile(join(copy, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }));
  await runMigrations(database.client, copy);
  // Resets the lock timeout that the migrations set, because tests wait for row locks.
  await database.client.query('reset lock_timeout');
  return database;
}

const SESSION = `status, sub_status, version, last_sequence, disputed, waiting_on, decided_here, provider_status,
  provider_sub_status, provider_webhooks, provider_heard_at, unsettled, created_at, updated_at`;
const OF_A_SESSION = `'PRE_VIDEO_CALL', 'USER_QUEUED', 3, 3, false, 'AGENT', false, '', '', 0, now(), false`;

/**
 * Inserts sessions `old.1`, `old.2` … with three transitions each, a day apart, as a release before migration 0004
 * wrote them.
 */
export async function fillWithSessions(client: pg.Client, sessions: number): Promise<void> {
  await client.query(
    `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'u', '', now())`,
  );
  await client.query(
    `insert into vkyc_session (id, verification_id, user_id, ${SESSION})
     select gen_random_uuid(), 'old.' || n, u.id, ${OF_A_SESSION}, '2026-01-01', '2026-01-03' from vkyc_user u, generate_series(1, $1::int) n where u.user_id = 'u'`,
    [sessions],
  );
  await client.query(`insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
    select id, n, 'PRE_VIDEO_CALL', 'USER_QUEUED', 'MOVED', 'WEBHOOK', timestamptz '2025-12-31Z' + n * interval '1 day'
    from vkyc_session, generate_series(1, 3) n where verification_id like 'old.%'`);
}

/** Starts a session as a release before migration 0004 does, without `status_since`. */
export const startAsBefore = (client: pg.Client, verificationId: string) =>
  client.query(
    `insert into vkyc_session (id, verification_id, user_id, ${SESSION})
     select gen_random_uuid(), $1, id, ${OF_A_SESSION}, now(), now() from vkyc_user`,
    [verificationId],
  );

/**
 * Changes the status of a session as a release before migration 0004 does, without setting `status_since`.
 */
export const moveAsBefore = (client: pg.Client, verificationId: string) =>
  client.query(
    `with moved as (
       update vkyc_session set version = last_sequence + 1, last_sequence = last_sequence + 1, updated_at = now() where verification_id = $1 returning *
     )
     insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
     select id, version, status, sub_status, 'MOVED', 'WEBHOOK', updated_at from moved`,
    [verificationId],
  );
