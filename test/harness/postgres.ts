/** Before all tests: one throw-away PostgreSQL with a migrated template, and the build that process tests run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrate } from '../../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the server's superuser. */
    postgresUrl: string;
  }
}

export const TEMPLATE = 'vkyc_template';
const ENOUGH_MEMORY_BYTES = 2 * 1024 ** 3;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)('npm', ['run', '--silent', 'build']);
  const folder = await mkdtemp(join(await fastFolder(), 'vkyc-test-'));
  const postgres = await startTestPostgres({ dir: join(folder, 'postgres'), durable: false });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  await migrate(databaseUrl(postgres.url, TEMPLATE));
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
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

/** Memory where there is enough of it: databases are made and thrown away many times. */
export async function fastFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => null);
  return memory && memory.bavail * memory.bsize > ENOUGH_MEMORY_BYTES ? '/dev/shm' : tmpdir();
}
