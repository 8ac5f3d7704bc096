import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { runMigrations } from '../../src/db/run-migrations.ts';
import { ALL_PAIRS, STATUSES, SUB_STATUSES } from '../../src/domain/status.ts';
import { type PairName, parsePairsFromMigrations } from '../../src/gate/status-pairs.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';
import { emptyDatabase } from '../harness/old-database.ts';
import { complaintsAbout } from './migration-rules.ts';

const PAIRS = ALL_PAIRS.map(({ status, subStatus }): PairName => `${status}/${subStatus}`);
const WHAT_TO_DO =
  'The migrations allow other status pairs than src/domain/status.ts: run npm run migrate:new, which writes the missing migration';

/** Returns the SQL of all migrations in a folder, in order. */
const migrationsIn = async (folder: string): Promise<string[]> => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
};

/** Copies the migrations to a git-ignored folder in the project, since drizzle-kit takes relative paths. */
async function copyOfMigrations(): Promise<string> {
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  return copy;
}

const migrateNew = async (folder: string): Promise<string> =>
  (await promisify(execFile)('node', ['.build/commands/migrate-new.js', '--out', folder])).stdout;

test('the migrations let the database store exactly the status pairs of the status table in src/domain/status.ts', async () => {
  expect(parsePairsFromMigrations(await migrationsIn('migrations')).toSorted(), WHAT_TO_DO).toEqual(
    PAIRS.toSorted(),
  );
});

test('the database constraints accept exactly the status pairs (status and sub-status) of the status table', async () => {
  const database = new pg.Client({ connectionString: await freshDatabase() });
  await database.connect();
  atTheEnd(() => database.end());
  const { rows } = await database.query(`
    select conrelid::regclass::text as "table", pg_get_constraintdef(oid) as definition
    from pg_constraint where conname in ('vkyc_session_status_pair', 'status_transition_status_pair')`);
  expect(rows.map((row) => row.table).toSorted()).toEqual(['status_transition', 'vkyc_session']);

  for (const { definition } of rows) {
    const condition = definition.replace(/^CHECK /, '');
    const { rows: accepted } = await database.query(
      `select status, sub_status from unnest($1::text[]) status cross join unnest($2::text[]) sub_status where ${condition}`,
      [STATUSES, SUB_STATUSES],
    );
    const pairs = accepted.map((row) => `${row.status}/${row.sub_status}`);
    expect(pairs.toSorted(), WHAT_TO_DO).toEqual(PAIRS.toSorted());
  }
});

test('`npm run migrate:new` writes migrations for a new sub-status that can run next to the last release', {
  timeout: 60_000,
}, async () => {
  const copy = await copyOfMigrations();
  // Removes VKYC_EXPIRED from the copied migrations, so that the status table in the source seems to have a
  // new sub-status.
  const journal = JSON.parse(await readFile(join(copy, 'meta/_journal.json'), 'utf8'));
  for (const name of await readdir(copy)) {
    if (!/^0005_|status_pairs/.test(name)) continue;
    const sql = await readFile(join(copy, name), 'utf8');
    const [pair, terminal] = [/\('EXPIRED', 'VKYC_EXPIRED'\),\s*/, ", 'VKYC_EXPIRED'"];
    await writeFile(join(copy, name), sql.replace(pair, '').replace(terminal, ''));
  }
  const snapshot = join(copy, `meta/${String(journal.entries.at(-1).idx).padStart(4, '0')}_snapshot.json`);
  await writeFile(snapshot, (await readFile(snapshot, 'utf8')).replaceAll(", 'VKYC_EXPIRED'", ''));
  const before = await readdir(copy);

  const told = await migrateNew(copy);

  expect(told).toContain('lets the database store EXPIRED/VKYC_EXPIRED');
  const written = (await readdir(copy))
    .filter((name) => name.endsWith('.sql') && !before.includes(name))
    .sort();
  expect(written).toHaveLength(2);
  for (const name of written) expect(complaintsAbout(await readFile(join(copy, name), 'utf8'))).toEqual([]);
  expect(parsePairsFromMigrations(await migrationsIn(copy))).toEqual(PAIRS);
  const { client } = await emptyDatabase();
  await runMigrations(client, copy);
  const { rows } = await client.query(
    `select is_status_pair('EXPIRED', 'VKYC_EXPIRED') as stored, pg_get_indexdef('vkyc_session_ongoing'::regclass) as index`,
  );
  expect(rows).toEqual([{ stored: true, index: expect.stringContaining('VKYC_EXPIRED') }]);
  expect(await migrateNew(copy)).toContain('No migration is needed');
});

test('`npm run migrate:new` refuses to remove a status pair that the database may hold', {
  timeout: 60_000,
}, async () => {
  const copy = await copyOfMigrations();
  const name = (await readdir(copy)).filter((each) => each.endsWith('status_pairs.sql')).at(-1) as string;
  const sql = await readFile(join(copy, name), 'utf8');
  await writeFile(join(copy, name), sql.replace("('FAILED'", "('VIDEO_CALL', 'USER_WAVED'), ('FAILED'"));

  await expect(migrateNew(copy)).rejects.toThrow(
    'src/domain/status.ts lacks VIDEO_CALL/USER_WAVED, which the database may contain',
  );
});
