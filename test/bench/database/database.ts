import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/postgres/embedded-postgres.ts';
import type { Release } from '../harness/releases.ts';
import { seed } from './seed.ts';

/** The compiled module, because migrations are found relative to its location. */
const MIGRATE = new URL('../../../../db/migrate.js', import.meta.url).href;

/** PostgreSQL of the bench's own, filled with sessions, with production durability (fsync on). */
export interface BenchDatabase {
  readonly url: string;
  /** Directory for the gateway's files outside the database. */
  readonly dataDir: string;
  readonly pool: pg.Pool;
  readonly postmaster: number;
  /** Number of seeded sessions. */
  readonly sessions: number;
  /** Counts the rows of a table. */
  count(table: string): Promise<number>;
}

interface Options {
  readonly sessions: number;
  readonly onEnd: (release: Release) => void;
  readonly say: (line: string) => void;
}

/** Starts a database and seeds it. */
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
  // Stopping the database during a run breaks idle connections; an unhandled `error` event would end the process.
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
