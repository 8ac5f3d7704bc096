/** PostgreSQL primary and streaming standby behind one address, which leads to the standby after a failover. */
import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { migrate } from '../../src/db/migrate.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/postgres/embedded-postgres.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { fastFolder } from '../harness/postgres.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { type LaggingWire, startLaggingWire } from './lagging-wire.ts';

const run = promisify(execFile);

/** SYNCHRONOUS: a commit returns only when the standby has received it. Without a standby, commits wait. */
export type Replication = 'SYNCHRONOUS' | 'ASYNCHRONOUS';

/** A killed primary, whose data can still be read. */
export interface FallenPrimary {
  /** Recovers the data folder, runs `read` on it, and stops the server again. */
  inspect<T>(read: (url: string) => Promise<T>): Promise<T>;
}

/** Copy of a server's files at one moment. */
export interface BaseCopy {
  readonly dir: string;
}

export interface Cluster {
  /** URL for clients, whichever server is primary. The database is migrated. */
  readonly url: string;
  /** Copies the running primary, and starts the copy as its standby; resolves once the standby streams WAL. */
  addStandby(): Promise<void>;
  /** Resolves when the standby has received all WAL that the primary has written so far. */
  standbyHasAll(): Promise<unknown>;
  /** Delays all data from the primary to the standby by `ms` from now on. */
  lag(ms: number): void;
  /** Kills every process of the primary (SIGKILL), and drops the data in flight to the standby. */
  killPrimary(): Promise<FallenPrimary>;
  /** Promotes the standby; resolves when the address leads to the standby. */
  promote(): Promise<void>;
  /** Copies the running primary, like a physical backup. */
  copy(): Promise<BaseCopy>;
  /** Starts a copy as the primary, at the same address, on the timeline (WAL history) of the copied server. */
  restore(copy: BaseCopy): Promise<void>;
}

interface Server {
  readonly dir: string;
  readonly postgres: EmbeddedPostgres;
}

const SETTINGS = {
  // Makes commits fast. Even without fsync, killing processes loses no commits; only a crash of the machine would.
  fsync: 'off',
  // Keeps enough WAL for a standby that is still being copied.
  wal_keep_size: '512MB',
  // Disabled: on a busy machine a timeout would end the replication.
  wal_sender_timeout: '0',
  wal_receiver_timeout: '0',
  wal_retrieve_retry_interval: '100ms',
};
const WAIT_FOR_STANDBY = { synchronous_standby_names: '*' };
const WAIT_FOR_NOBODY = { synchronous_standby_names: '' };

/** Starts a primary without a standby; everything is stopped when the test ends. */
export async function startCluster(replication: Replication): Promise<Cluster> {
  const home = await mkdtemp(join(fastFolder(), 'vkyc-cluster-'));
  const running = new Set<EmbeddedPostgres>();
  const replicas = replication === 'SYNCHRONOUS' ? WAIT_FOR_STANDBY : WAIT_FOR_NOBODY;
  let servers = 0;
  let standby: Server | null = null;
  let wire: LaggingWire | null = null;

  const nextDir = () => join(home, String(++servers), 'postgres');
  const start = async (dir: string, settings: Record<string, string>): Promise<Server> => {
    const postgres = await startEmbeddedPostgres({ dir, settings: { ...SETTINGS, ...settings } });
    running.add(postgres);
    return { dir, postgres };
  };
  const stop = async ({ postgres }: Server) => {
    running.delete(postgres);
    await postgres.stop();
  };

  atTheEnd(async () => {
    await Promise.all([...running].map((postgres) => postgres.stop()));
    await rm(home, { recursive: true, force: true });
  });
  // Leaves out `synchronous_standby_names`: `alter system` could not override a setting of the command line.
  let primary = await start(nextDir(), {});
  await migrate(primary.postgres.url);
  const address = await startTcpProxy(primary.postgres.url);
  const leadTo = (server: Server) => {
    primary = server;
    address.redirect(server.postgres.url);
    address.mend();
  };

  return {
    url: address.url,

    async addStandby() {
      const { url } = primary.postgres;
      const dir = nextDir();
      await copyRunning(primary, dir, 'WITHOUT_WAL');
      await writeAs(dir, 'standby.signal', '');
      const { host, user } = new pg.Client({ connectionString: url });
      wire = await startLaggingWire(join(host, '.s.PGSQL.5432'));
      const primary_conninfo = `host=127.0.0.1 port=${wire.port} user=${user} sslmode=disable gssencmode=disable`;
      standby = await start(dir, { ...replicas, primary_conninfo });
      if (replication === 'SYNCHRONOUS') await waitForStandbyFromNowOn(url);
      const wanted = replication === 'SYNCHRONOUS' ? 'sync' : 'async';
      await eventually(async () => {
        const [found] = await query(url, 'select state, sync_state from pg_stat_replication');
        return found?.state === 'streaming' && found.sync_state === wanted;
      });
    },

    async standbyHasAll() {
      const { url } = primary.postgres;
      const [now] = await query(url, 'select pg_current_wal_flush_lsn() as lsn');
      const received = `select from pg_stat_replication where flush_lsn >= '${now.lsn}'`;
      await eventually(async () => (await query(url, received)).length > 0);
    },

    lag(ms) {
      wire?.lag(ms);
    },

    async killPrimary() {
      const fallen = primary;
      // Kills the primary before it cuts the wire to the standby. In the other order, a commit could be acknowledged
      // that a synchronous standby did not receive.
      await killEveryProcess(fallen.dir);
      wire?.cut();
      address.cut();
      await stop(fallen);
      return {
        async inspect(read) {
          const recovered = await start(fallen.dir, WAIT_FOR_NOBODY);
          try {
            return await read(recovered.postgres.url);
          } finally {
            await stop(recovered);
          }
        },
      };
    },

    async promote() {
      if (!standby) throw new Error('No standby to promote: call addStandby first');
      const [promoted] = await query(
        standby.postgres.url,
        `select pg_promote(true, ${PROMOTE_SECONDS}) as done`,
      );
      if (!promoted?.done) throw new Error(`The standby was not promoted within ${PROMOTE_SECONDS} s`);
      leadTo(standby);
      standby = null;
    },

    async copy() {
      const dir = nextDir();
      await copyRunning(primary, dir, 'WITH_WAL');
      return { dir };
    },

    async restore({ dir }) {
      leadTo(await start(dir, WAIT_FOR_NOBODY));
    },
  };
}

const PROMOTE_SECONDS = 60;

/**
 * Makes commits of the first primary wait for its standby. The first primary was started without a standby; every
 * later primary gets this setting at its start.
 */
async function waitForStandbyFromNowOn(url: string): Promise<void> {
  await query(url, `alter system set synchronous_standby_names to '*'`);
  await query(url, 'select pg_reload_conf()');
}

async function query(url: string, statement: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Files of the running server that a base backup must not contain: a server that is started on the copy creates its
 * own.
 */
const OWN_TO_A_SERVER = /^(postmaster\.(pid|opts)|\.s\.PGSQL\..*|pg_wal)$/;

/** Makes a base backup with the low-level API (`pg_basebackup` is not part of the embedded package). */
async function copyRunning(
  { dir, postgres }: Server,
  to: string,
  wal: 'WITH_WAL' | 'WITHOUT_WAL',
): Promise<void> {
  const { uid, gid } = await stat(dir);
  for (const folder of [to, join(to, 'pg_wal')]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chown(folder, uid, gid);
  }
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query(`select pg_backup_start('copy', true)`);
    const names = (await readdir(dir)).filter((name) => !OWN_TO_A_SERVER.test(name));
    await copyFiles(
      names.map((name) => join(dir, name)),
      to,
    );
    const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
    if (wal === 'WITH_WAL') await copyFiles([join(dir, 'pg_wal')], to);
    await writeAs(to, 'backup_label', rows[0].labelfile);
  } finally {
    await client.end();
  }
}

/**
 * Copies files with their owners and modes. Ignores files that the server removes during the copy, because WAL replay
 * would remove them from the copy, too.
 */
const copyFiles = (paths: readonly string[], to: string): Promise<unknown> =>
  run('cp', ['-a', ...paths, to], { env: { ...process.env, LC_ALL: 'C' } }).catch(
    (error: { stderr?: string }) => {
      const complaints = (error.stderr ?? '').split('\n').filter(Boolean);
      if (complaints.length === 0 || !complaints.every((line) => line.includes('No such file or directory')))
        throw error;
    },
  );

/** Writes a file with the owner of the data folder, so that the server may rename and remove the file. */
async function writeAs(dir: string, name: string, text: string): Promise<void> {
  const { uid, gid } = await stat(dir);
  await writeFile(join(dir, name), text);
  await chown(join(dir, name), uid, gid);
}

/**
 * Kills the postmaster and its backends. If only the postmaster were killed, a backend could still commit for a moment.
 */
async function killEveryProcess(dir: string): Promise<void> {
  const [first] = (await readFile(join(dir, 'postmaster.pid'), 'utf8')).split('\n');
  const postmaster = Number(first);
  process.kill(postmaster, 'SIGSTOP');
  const children = (await processes()).filter(({ parent }) => parent === postmaster);
  for (const { pid } of children) killIfAlive(pid);
  killIfAlive(postmaster);
  const pids = new Set([postmaster, ...children.map(({ pid }) => pid)]);
  await eventually(
    async () => !(await processes()).some(({ pid, state }) => pids.has(pid) && !/^Z/.test(state)),
  );
}

async function processes(): Promise<{ pid: number; parent: number; state: string }[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
