import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/postgres/embedded-postgres.ts';
import type { Release } from '../harness/releases.ts';
import { seed } from './seed.ts';

/**
 * URL of the migration module in the gateway's build. A copy in the bench's build would look for the migration files in
 * the wrong folder, because the module finds them relative to its own location.
 */
const MIGRATE = new URL('../../../../db/migrate.js', import.meta.url).href;

/**
 * PostgreSQL server that only this bench uses, filled with sessions. Commits are durable like in production (fsync on):
 * without fsync, the measured times would be too short.
 */
export interface BenchDatabase {
  readonly url: string;
  /** Folder for files that the gateway stores outside the database. */
  readonly dataDir: string;
  readonly pool: pg.Pool;
  /** Process id of PostgreSQL's main process, whose CPU time is measured together with that of its backends. */
  readonly postmaster: number;
  /** Number of sessions with which the database was filled. */
  readonly sessions: number;
  /** Counts the rows of a table. */
  count(table: string): Promise<number>;
}

interface Options {
  readonly sessions: number;
  readonly onEnd: (release: Release) => void;
  readonly say: (line: string) => void;
}

/** Starts a PostgreSQL server, migrates it and fills it with sessions. */
export async function openDatabase({ sessions, onEnd, say }: Options): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-bench-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  const dir = join(folder, 'postgres');
  const postgres = await startEmbeddedPostgres({
    dir,
    settings: { shared_buffers: '512MB', max_wal_size: '4GB' },
  });
  onEnd(postgres.stop);
  const { migrate } = (await import(MIGRATE)) as typeof import('../../../src/db/migrate.ts');
  await migrate(postgres.url, postgres.url);
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  // Ignores errors of idle connections, which break when the database stops: without a listener, the `error`
  // event would end this process.
  pool.on('error', () => {});
  onEnd(() => pool.end());
  await seed(pool, sessions, say);
  const [postmaster = ''] = (await readFile(join(dir, 'postmaster.pid'), 'utf8')).split('\n');
  return {
    url: postgres.url,
    dataDir: folder,
    pool,
    postmaster: Number(postmaster),
    sessions,
    async count(table) {
      const { rows } = await pool.query(`select count(*)::int as count from ${pg.escapeIdentifier(table)}`);
      return rows[0].count;
    },
  };
}
