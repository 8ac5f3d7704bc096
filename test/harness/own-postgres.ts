/** Test helper: a PostgreSQL server that a test can crash and restart at the same address. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/db/migrate.ts';
import type { EmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { atTheEnd, eventually } from './gateway.ts';
import { startTestPostgres } from './postgres.ts';

export interface OwnPostgres {
  /** Connection string of a migrated database. */
  readonly url: string;
  /**
   * Crashes the server by SIGQUIT (immediate shutdown): it writes no checkpoint and must recover from its WAL
   * at the next start. Resolves when the process is gone.
   */
  crash(): Promise<void>;
  /**
   * Stops the server by a fast shutdown, as at a planned restart: connections are closed and open
   * transactions rolled back.
   */
  stop(): Promise<void>;
  /** Starts the server again. Resolves when it accepts queries. */
  start(): Promise<void>;
}

/**
 * Starts PostgreSQL in a data folder (by default a new folder). Committed data survives restarts. The server is stopped
 * when the test ends.
 */
export async function startOwnPostgres(
  folder?: string,
  settings: Readonly<Record<string, string>> = {},
  startServer = startTestPostgres,
): Promise<OwnPostgres> {
  const parent = folder ?? (await mkdtemp(join(tmpdir(), 'vkyc-own-')));
  const dir = join(parent, 'postgres');
  const launch = () => startServer({ dir, settings });
  let server: EmbeddedPostgres | null = await launch();
  const stop = async () => {
    const stopping = server;
    server = null;
    await stopping?.stop();
  };
  atTheEnd(async () => {
    await stop();
    if (!folder) await rm(parent, { recursive: true, force: true });
  });
  const { url } = server;
  await migrate(url);
  return {
    url,
    stop,
    async crash() {
      const [pid] = (await readFile(join(dir, 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGQUIT');
      await eventually(async () => !isAlive(Number(pid)));
      server = null;
    },
    async start() {
      server = await launch();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
