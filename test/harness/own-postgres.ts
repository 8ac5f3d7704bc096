/** A PostgreSQL of the test's own: it can crash, and comes back at the same address. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/db/migrate.ts';
import type { EmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { atTheEnd, eventually } from './gateway.ts';
import { startTestPostgres } from './postgres.ts';

export interface OwnPostgres {
  /** Of a migrated database. */
  readonly url: string;
  /** Without a farewell to anybody, and without writing down what only memory knows; resolves when it is gone. */
  crash(): Promise<void>;
  /** As at a planned restart: connections are ended, what is open is rolled back. */
  stop(): Promise<void>;
  /** Resolves when it answers again. */
  start(): Promise<void>;
}

/** Starts it in a folder, which is made where none is given; what was committed survives. It ends with the test. */
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
