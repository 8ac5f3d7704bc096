/** Errors that explain why the embedded PostgreSQL cannot use its folder or does not start, and what to do. */
import { readdir, readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../config.ts';

const OTHER_FOLDER = 'Set DATA_DIR to another folder';
const FULL_BELOW_BYTES = 1024 ** 2;
const MAX_LOG_CHARACTERS = 2_000;

/** Checks that the folder was not filled by another PostgreSQL version or another program. @throws StartError */
export async function checkClusterFolder(
  cluster: string,
  postgres: string,
  runsVersion: () => Promise<string>,
) {
  const found = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => null);
  if (found === null) {
    const files = await readdir(cluster).catch(() => []);
    if (files.length === 0) return;
    throw new StartError(
      `${cluster} is the data folder of the embedded PostgreSQL, but contains other files (${files[0]}).\n` +
        `${OTHER_FOLDER}, or move those files away.`,
    );
  }
  const [, version = ''] = (await runsVersion()).match(/(\d+)/) ?? [];
  if (found.trim() === version) return;
  throw new StartError(
    `${cluster} contains the data of PostgreSQL ${found.trim()}, but ${postgres} is PostgreSQL ${version}.\n` +
      `${OTHER_FOLDER}, or run a PostgreSQL ${found.trim()} on it and set DATABASE_URL.`,
  );
}

/** Explains from the output of `initdb` why it failed. */
export async function explainInitdbFailure(cluster: string, payload: string): Promise<StartError> {
  const [, uid] = payload.match(/could not look up effective user ID (\d+)/) ?? [];
  if (uid !== undefined)
    return new StartError(
      `The embedded PostgreSQL needs a named user, but this process runs as user ${uid}, which /etc/passwd does not list.\n` +
        'Run the gateway as a listed user, or set DATABASE_URL to a PostgreSQL 14 or later.',
    );
  const full = await explainFullDisk(cluster, payload);
  return (
    full ??
    new StartError(
      `The embedded PostgreSQL could not create its folder ${cluster}: ${payload}\n` +
        `${OTHER_FOLDER} that is writable, or set DATABASE_URL to another PostgreSQL.`,
    )
  );
}

/** Explains, from the server's log file, why the server exited before it accepted connections. */
export async function explainServerStartFailure(cluster: string, logFile: string): Promise<StartError> {
  const payload = await readFile(logFile, 'utf8').catch(() => '');
  const full = await explainFullDisk(cluster, payload);
  if (full) return full;
  return new StartError(
    `The embedded PostgreSQL did not start; see ${logFile}:\n${payload.trim().slice(-MAX_LOG_CHARACTERS)}`,
  );
}

/**
 * Explains that the data folder belongs to another program: its server refuses the superuser `postgres`
 * without a password, whom the gateway's own servers accept.
 */
export const explainRefusedConnection = (cluster: string, error: Error): StartError =>
  new StartError(
    `${cluster} contains a PostgreSQL that the gateway did not create and that refuses its connection (${error.message}).\n` +
      `${OTHER_FOLDER}, or run that PostgreSQL separately and set DATABASE_URL.`,
  );

/**
 * Returns an error that explains a full disk; null if the disk is not full. Also checks the free space, since
 * a server on a full disk may be unable to log its error.
 */
async function explainFullDisk(cluster: string, payload: string): Promise<StartError | null> {
  const disk = await statfs(join(cluster, '..')).catch(() => null);
  const isFull = disk !== null && disk.bavail * disk.bsize < FULL_BELOW_BYTES;
  if (!isFull && !payload.includes('No space left on device')) return null;
  return new StartError(
    `The disk of DATA_DIR is full: the embedded PostgreSQL cannot write to ${cluster}.\n` +
      'Free space on it (a new database takes 60 MB), or set DATA_DIR to a folder on another disk.',
  );
}
