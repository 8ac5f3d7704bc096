/**
 * Folders of one test run. They are removed when the run ends or is interrupted. If a run is killed, the next run on
 * this machine removes the folders of the killed run, once no process uses these.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENOUGH_MEMORY_BYTES = 2 * 1024 ** 3;
/**
 * Longest path of a base folder. Unix sockets of databases are created deep inside, and socket paths are
 * limited to 103 bytes.
 */
const MAX_BASE_LENGTH = 25;
const PREFIX = 'vkyc-test-';
const SERVER_END_TIMEOUT_MS = 5_000;

export interface RunFolder {
  /** Folder in memory, if there is enough, because databases are created and dropped many times. */
  readonly fast: string;
  /** Folder on disk, for all files that tests create under `tmpdir()`. */
  readonly disk: string;
  remove(): Promise<void>;
}

/** Creates the folders of this test run. They are removed however the process ends, except by SIGKILL. */
export async function openRunFolder(): Promise<RunFolder> {
  const disk = tmpdir().length <= MAX_BASE_LENGTH ? tmpdir() : '/tmp';
  const memory = await statfs('/dev/shm').catch(() => null);
  const fast = memory && memory.bavail * memory.bsize > ENOUGH_MEMORY_BYTES ? '/dev/shm' : disk;
  const bases = [...new Set([fast, disk, '/dev/shm'])];
  await sweepStaleFolders(bases);

  const all: string[] = [];
  const onExit = () => {
    for (const folder of all) endServer(join(folder, 'postgres'));
    all.forEach(removeAtOnce);
  };
  // Exits on SIGHUP, too: the test runner itself exits only on SIGINT and SIGTERM.
  const onHangUp = () => process.exit(129);
  process.once('exit', onExit);
  process.once('SIGHUP', onHangUp);
  // Creates the folders synchronously, so that no signal can arrive between the creation of a folder and the
  // registration for its removal.
  const folders = { fast: makeFolder(fast), disk: makeFolder(disk) };
  all.push(folders.fast, folders.disk);
  return {
    ...folders,
    async remove() {
      await Promise.all(all.map((folder) => rm(folder, { recursive: true, force: true })));
      process.off('exit', onExit);
      process.off('SIGHUP', onHangUp);
    },
  };
}

/**
 * Creates a folder whose name contains the pid of its owner, so that a later run can tell whether the owner
 * is alive.
 */
function makeFolder(base: string): string {
  const folder = mkdtempSync(join(base, `${PREFIX}${process.pid}-${processNamespace()}-`));
  // Lets PostgreSQL, which may run as another user, enter the folder.
  chmodSync(folder, 0o711);
  return folder;
}

/**
 * Returns the pid namespace. Pids are valid only within one namespace, and containers may share a /dev/shm.
 */
export function processNamespace(): string {
  try {
    const [inode] = readlinkSync('/proc/self/ns/pid').match(/\d+/) ?? ['0'];
    return Number(inode).toString(36);
  } catch {
    return '0';
  }
}

/** Removes the folders of test runs whose process is gone. A folder whose owner is not known is kept. */
export async function sweepStaleFolders(bases: readonly string[]): Promise<void> {
  const namespace = processNamespace();
  for (const base of bases)
    for (const name of await readdir(base).catch(() => [])) {
      const [, pid, owner] = name.match(/^vkyc-test-(\d+)-([0-9a-z]+)-/) ?? [];
      if (owner !== namespace || isAlive(Number(pid))) continue;
      const folder = join(base, name);
      const isOurs = (await stat(folder).catch(() => null))?.uid === process.getuid?.();
      if (isOurs && !(await servesDatabase(folder))) removeAtOnce(folder);
    }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Returns whether a PostgreSQL accepts connections at the folder's socket. A killed server leaves its socket
 * file behind, so the file alone proves nothing.
 */
async function servesDatabase(folder: string): Promise<boolean> {
  const socket = connect(join(folder, 'postgres/.s.PGSQL.5432'));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Removes a folder synchronously, because exit handlers cannot await. */
function removeAtOnce(folder: string): void {
  for (const disk of mountedUnder(folder)) spawnSync('umount', ['-l', disk]);
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  } catch (error) {
    process.stderr.write(
      `${folder} could not be removed (${(error as Error).message}): remove it by hand.\n`,
    );
  }
}

/**
 * Ends a PostgreSQL of this test run by an immediate shutdown (its data is throw-away), and waits until the process is
 * gone.
 */
function endServer(cluster: string): void {
  const [pid] = readText(join(cluster, 'postmaster.pid')).split('\n');
  const isServer = () => spawnSync('ps', ['-ww', '-o', 'command=', '-p', `${pid}`]).stdout.includes(cluster);
  if (!pid || !isServer()) return;
  process.kill(Number(pid), 'SIGQUIT');
  const deadline = Date.now() + SERVER_END_TIMEOUT_MS;
  while (isServer() && Date.now() < deadline) spawnSync('sleep', ['0.05']);
}

/** Returns the mount points in a folder, which interrupted tests have left behind. */
function mountedUnder(folder: string): string[] {
  const mounts = readText('/proc/mounts').split('\n');
  return mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${folder}/`));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
