import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { databaseUrl } from '../harness/postgres.ts';

/** A database as a release left it whose last migration was this one. */
async function databaseAsOf(lastMigration: string): Promise<{ url: string; client: pg.Client }> {
  const name = `test_as_of_${lastMigration}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  const journal = JSON.parse(await readFile('migrations/meta/_journal.json', 'utf8'));
  const last = journal.entries.findIndex(({ tag }: { tag: string }) => tag === lastMigration);
  const entries = journal.entries.slice(0, last + 1);
  expect(entries).not.toHaveLength(0);
  await writeFile(join(copy, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }));
  const url = databaseUrl(inject('postgresUrl'), name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atTheEnd(() => client.end());
  await runMigrations(drizzle(client), { migrationsFolder: copy });
  return { url, client };
}

test('the migrations are all that the tables need; where one is missing, `npm run migrate:new` writes it', async () => {
  // Within the project, since the tool takes paths relative to it; as a dot-folder, which git ignores.
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  const before = await readdir(copy);

  const args = [
    'drizzle-kit',
    'generate',
    '--dialect=postgresql',
    '--schema=./src/db/tables.ts',
    `--out=${join(copy)}`,
  ];
  await promisify(execFile)('npx', args);

  expect(await readdir(copy)).toEqual(before);
});

test('sessions from before are in their state since the last transition that moved them, not since the newest', async () => {
  const { url, client } = await databaseAsOf('0003_reads_and_erasing');
  await client.query(
    `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'u', '', now())`,
  );
  await client.query(`insert into vkyc_session (id, verification_id, user_id, status, sub_status, version, last_sequence, disputed, waiting_on, decided_here,
      provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled, created_at, updated_at)
    select gen_random_uuid(), named.id, u.id, 'PRE_VIDEO_CALL', 'USER_QUEUED', named.version, 3, false, 'AGENT', false, '', '', 0, now(), false, '2026-01-01', '2026-01-03'
    from vkyc_user u, (values ('moved', 3), ('told.late', 2)) named(id, version)`);
  await client.query(`insert into status_transition (session_id, sequence, status, sub_status, verdict, source, recorded_at)
    select id, n, 'PRE_VIDEO_CALL', 'USER_QUEUED', case when n > version then 'LATE' else 'MOVED' end, 'WEBHOOK', timestamptz '2025-12-31Z' + n * interval '1 day'
    from vkyc_session, generate_series(1, 3) n`);

  await migrate(url);

  const { rows } = await client.query(
    'select verification_id as id, status_since as since from vkyc_session order by 1',
  );
  expect(rows).toEqual([
    { id: 'moved', since: new Date('2026-01-03Z') },
    { id: 'told.late', since: new Date('2026-01-02Z') },
  ]);
});
