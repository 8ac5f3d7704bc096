/**
 * Global setup of all tests: starts one throw-away PostgreSQL with a migrated template database, and makes
 * the build that process tests run.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { openRunFolder } from './run-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the test server's superuser. */
    postgresUrl: string;
    /** PostgreSQL's `autovacuum` setting: background VACUUM and ANALYZE. */
    autovacuum: 'on' | 'off';
  }
}

export const TEMPLATE = 'vkyc_template';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await openRunFolder();
  // Sets both variables before the test workers start, so that the workers inherit them.
  process.env.TMPDIR = folder.disk;
  process.env.FAST_TMPDIR = folder.fast;
  await promisify(execFile)(process.execPath, ['src/launch/run.cjs', 'build']);
  const postgres = await startTestPostgres({
    dir: join(folder.fast, 'postgres'),
    durable: false,
    settings: { autovacuum: project.config.provide.autovacuum ?? 'on' },
  });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE} ${process.env.POSTGRES_BIN ? await languageOf(admin) : ''}`);
  await admin.end();
  await migrate(databaseUrl(postgres.url, TEMPLATE));
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await folder.remove();
  };
}

/**
 * Starts a PostgreSQL for tests: the version whose programs are in the folder POSTGRES_BIN, or else the embedded one.
 * The planner and JIT settings are the server's defaults. `npm run test:postgres` sets POSTGRES_BIN to each installed
 * version in turn.
 */
export const startTestPostgres: typeof startEmbeddedPostgres = (options) =>
  startEmbeddedPostgres({ programs: process.env.POSTGRES_BIN, ...options });

/**
 * Returns SQL options for a database with English collation, as installed servers often have (the embedded
 * one sorts by bytes). Empty if the server does not support ICU collations.
 */
async function languageOf(server: pg.Client): Promise<string> {
  const { rows } = await server.query<{ icu: boolean }>(
    `select current_setting('server_version_num')::int >= 150000
       and exists (select from pg_collation where collname = 'en-US-x-icu') as icu`,
  );
  return rows[0]?.icu ? `template template0 locale_provider icu icu_locale 'en-US'` : '';
}

export const databaseUrl = (serverUrl: string, name: string): string =>
  serverUrl.replace(/\/postgres$/, `/${name}`);

/**
 * Returns the folder of this test run for short-lived data that is written often: a folder in memory if there is enough
 * memory.
 */
export const fastFolder = (): string => process.env.FAST_TMPDIR ?? tmpdir();
