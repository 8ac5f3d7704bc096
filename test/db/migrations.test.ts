import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import {
  databaseAsOf,
  emptyDatabase,
  fillWithSessions,
  moveAsBefore,
  startAsBefore,
} from '../harness/old-database.ts';

test('the migrations create exactly the schema of src/db/schema/tables.ts; `npm run migrate:new` writes a missing migration', async () => {
  // Copies the migrations to a git-ignored folder in the project, because drizzle-kit takes relative paths only.
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  const before = await readdir(copy);

  const args = [
    'drizzle-kit',
    'generate',
    '--dialect=postgresql',
    '--schema=./src/db/schema/tables.ts',
    `--out=${join(copy)}`,
  ];
  await promisify(execFile)('npx', args);

  expect(await readdir(copy)).toEqual(before);
});

const SINCE = 'select verification_id as id, status_since as since from vkyc_session order by 1';

test("migration 0004 sets status_since to the time of the transition whose sequence is the session's version, even if there is a newer transition", async () => {
  const { url, client } = await databaseAsOf('0003_reads_and_erasing');
  await fillWithSessions(client, 2);
  await client.query(`update vkyc_session set version = 2 where verification_id = 'old.2'`);

  await migrate(url);

  expect((await client.query(SINCE)).rows).toEqual([
    { id: 'old.1', since: new Date('2026-01-03Z') },
    { id: 'old.2', since: new Date('2026-01-02Z') },
  ]);
});

test('rows that an earlier release writes after migration 0004 get their status_since (time of the current status) from triggers', async () => {
  const { url, client } = await databaseAsOf('0003_reads_and_erasing');
  await fillWithSessions(client, 2);
  await migrate(url);

  await startAsBefore(client, 'old.3');
  await moveAsBefore(client, 'old.1');
  await client.query(`update vkyc_session set next_poll_at = now() where verification_id = 'old.2'`);

  const { rows } = await client.query(
    'select verification_id as id, status_since = updated_at as dated, updated_at > created_at + interval $$3 days$$ as moved from vkyc_session order by 1',
  );
  expect(rows).toEqual([
    { id: 'old.1', dated: true, moved: true },
    { id: 'old.2', dated: true, moved: false },
    { id: 'old.3', dated: true, moved: false },
  ]);
  expect((await client.query(SINCE)).rows[1].since).toEqual(new Date('2026-01-03Z'));
});

/** The first version of migration 0004, which some databases have run. */
const AS_FIRST_WRITTEN = `alter table vkyc_session add column status_since timestamp (3) with time zone;
  update vkyc_session s set status_since = recorded_at from status_transition t where t.session_id = s.id and t.sequence = s.version;
  alter table vkyc_session alter column status_since set not null;`;

/** Returns all columns, indexes, constraints and triggers as the database describes them. */
async function shapeOf(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(`
    select c.relname as of, a.attname as name, format_type(a.atttypid, a.atttypmod) || a.attnotnull || coalesce(pg_get_expr(d.adbin, d.adrelid), '') as what
      from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    union all select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
    union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid) || convalidated from pg_constraint where connamespace = 'public'::regnamespace
    union all select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal and tgrelid::regclass::text not like 'graphile%'
    order by 1, 2, 3`);
  return rows;
}

test('a database that ran the first version of migration 0004 is migrated to the same schema as a new one', async () => {
  const [fresh, earlier] = [await emptyDatabase(), await databaseAsOf('0003_reads_and_erasing')];
  await fillWithSessions(earlier.client, 2);
  await earlier.client.query(AS_FIRST_WRITTEN);
  const { entries } = JSON.parse(await readFile('migrations/meta/_journal.json', 'utf8'));
  await earlier.client.query(
    `insert into drizzle.__drizzle_migrations (hash, created_at) values ('as first written', $1)`,
    [entries[4].when],
  );

  await Promise.all([migrate(fresh.url), migrate(earlier.url)]);

  expect(await shapeOf(earlier.client)).toEqual(await shapeOf(fresh.client));
  await moveAsBefore(earlier.client, 'old.1');
  expect((await earlier.client.query(SINCE)).rows[0].since).not.toEqual(new Date('2026-01-03Z'));
});

test('while a lock on vkyc_session delays migration 0004, it blocks neither writers nor another replica that waits for the migration lock', async () => {
  const { url, client } = await databaseAsOf('0003_reads_and_erasing');
  await fillWithSessions(client, 2);
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  atTheEnd(() => holder.end());
  await holder.query('begin');
  await holder.query('select from vkyc_session limit 1');
  const waiting = async (statement: string) => {
    const { rows } = await client.query(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike $1`,
      [`%${statement}%`],
    );
    return rows[0]?.pid;
  };

  const migrating = migrate(url);
  // Acts as a replica of an earlier release, which waits for its turn to migrate by `pg_advisory_lock`.
  const replica = new pg.Client({ connectionString: url });
  await replica.connect();
  atTheEnd(() => replica.end());
  await eventually(() => waiting('add column'));
  const turn = replica.query('select pg_advisory_lock(8529001)');
  await client.query(`set statement_timeout = '5s'`);
  await moveAsBefore(client, 'old.1');
  await turn;
  await replica.query('select pg_advisory_unlock(8529001)');
  await eventually(() => waiting('add column'));
  await holder.query('commit');
  await migrating;

  expect((await client.query(SINCE)).rows).toHaveLength(2);
});

test('after migration 0017, sessions whose customer dropped off wait on the merchant, even if a replica of the last release writes them later', async () => {
  const { url, client } = await databaseAsOf('0016_acting');
  await client.query(
    `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'u', '', now())`,
  );
  const write = (id: string, status: string, subStatus: string, waitingOn: string) =>
    client.query(
      `insert into vkyc_session (id, verification_id, user_id, status, sub_status, version, last_sequence, disputed, waiting_on,
         decided_here, provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, status_since, created_at, updated_at)
       select gen_random_uuid(), $1, id, $2, $3, 1, 1, false, $4, false, '', '', 0, now(), false, now(), now(), now() from vkyc_user`,
      [id, status, subStatus, waitingOn],
    );
  await write('before', 'VIDEO_CALL', 'USER_DROPPED_OFF', 'CUSTOMER');
  await write('other', 'VIDEO_CALL', 'AGENT_DROPPED_OFF', 'CUSTOMER');

  await migrate(url);
  await write('later', 'VIDEO_CALL', 'USER_DROPPED_OFF', 'CUSTOMER');
  await write('moves', 'VIDEO_CALL', 'USER_MISSED_MEETING', 'CUSTOMER');
  await client.query(
    `update vkyc_session set sub_status = 'USER_DROPPED_OFF' where verification_id = 'moves'`,
  );
  await write('closed', 'VIDEO_CALL', 'USER_DROPPED_OFF', 'NOBODY');

  const { rows } = await client.query(
    'select verification_id as id, waiting_on as party from vkyc_session order by created_at',
  );
  expect(rows).toEqual([
    { id: 'before', party: 'MERCHANT' },
    { id: 'other', party: 'CUSTOMER' },
    { id: 'later', party: 'MERCHANT' },
    { id: 'moves', party: 'MERCHANT' },
    { id: 'closed', party: 'NOBODY' },
  ]);
});

test('a migration rebuilds an index that an interrupted CREATE INDEX CONCURRENTLY has left invalid', async () => {
  const { url, client } = await databaseAsOf('0004_status_since');
  await client.query('create index vkyc_session_open on vkyc_session (status)');
  await client.query(
    `update pg_index set indisvalid = false where indexrelid = 'vkyc_session_open'::regclass`,
  );

  await migrate(url);

  const { rows } = await client.query(
    `select indisvalid as valid, pg_get_indexdef(indexrelid) as is from pg_index where indexrelid = 'vkyc_session_open'::regclass`,
  );
  expect(rows).toEqual([{ valid: true, is: expect.stringContaining('status_since') }]);
});

test('migration 0020 writes the terms of all sessions but one that is archived meanwhile', async () => {
  const { url, client } = await databaseAsOf('0019_filters_and_confirming');
  await fillWithSessions(client, 3);
  const statements = (await readFile('migrations/0020_session_search.sql', 'utf8')).split(
    '--> statement-breakpoint',
  );
  const backfill = statements.findIndex((statement) => statement.includes('DO $$'));
  for (const statement of statements.slice(0, backfill)) await client.query(statement);
  const archiver = new pg.Client({ connectionString: url });
  await archiver.connect();
  atTheEnd(() => archiver.end());
  await archiver.query('begin');
  await archiver.query(
    `delete from status_transition where session_id = (select id from vkyc_session where verification_id = 'old.2')`,
  );
  await archiver.query(`delete from vkyc_session where verification_id = 'old.2'`);
  const { rows } = await client.query('select pg_backend_pid() as pid');

  const filled = client.query(statements[backfill] as string);
  await eventually(async () => {
    const waiting = await archiver.query('select cardinality(pg_blocking_pids($1)) as count', [rows[0].pid]);
    return waiting.rows[0].count === 1;
  });
  await archiver.query('commit');
  await filled;
  await migrate(url);

  expect((await client.query('select term from session_term order by 1')).rows).toEqual([
    { term: 'old.1' },
    { term: 'old.3' },
  ]);
});
