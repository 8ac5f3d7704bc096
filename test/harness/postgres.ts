/** Before all tests: one throw-away PostgreSQL with a migrated template, and the build that process tests run. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openRunFolder } from './run-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the server's superuser. */
    postgresUrl: string;
  }
}

export const TEMPLATE = 'vkyc_template';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await openRunFolder();
  // The workers, which start later, inherit both.
  process.env.TMPDIR = folder.disk;
  process.env.FAST_TMPDIR = folder.fast;
  await promisify(execFile)(process.execPath, ['src/launch/run.cjs', 'build']);
  const postgres = await startTestPostgres({ dir: join(folder.fast, 'postgres'), durable: false });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  await migrate(databaseUrl(postgres.url, TEMPLATE));
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await folder.remove();
  };
}

/**
 * Starts a PostgreSQL for tests: the version whose programs are in the folder POSTGRES_BIN, or the package's. Its planner
 * and JIT settings are the server's own defaults. `npm run test:postgres` sets POSTGRES_BIN to each version in turn.
 */
export const startTestPostgres: typeof startEmbeddedPostgres = (options) =>
  startEmbeddedPostgres({ programs: process.env.POSTGRES_BIN, ...options });

export const databaseUrl = (serverUrl: string, name: string): string =>
  serverUrl.replace(/\/postgres$/, `/${name}`);

/** The folder of this run for what is written much and thrown away, in memory if there is enough. */
export const fastFolder = (): string => process.env.FAST_TMPDIR ?? tmpdir();
