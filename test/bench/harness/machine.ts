/** Resources of the machine: CPU cores to which processes are pinned, and the limit of open files. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * CPU core of the servers, and CPU core of all other processes: on a core of its own, the load generator does not
 * slow the server down.
 */
export interface Cores {
  readonly servers: number;
  readonly others: number;
}

/**
 * Returns two cores that this process may use; null if it may use fewer, or if the command `taskset` is missing.
 */
export async function chooseCores(): Promise<Cores | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const ranges = status.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1]?.split(',') ?? [];
  const allowed = ranges.flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const hasTaskset = await run('taskset', ['--version']).then(Boolean, () => false);
  const [servers, others] = allowed;
  return hasTaskset && servers !== undefined && others !== undefined ? { servers, others } : null;
}

/** Pins this process, and all processes that it starts later, to a core. */
export async function keepTo(core: number): Promise<void> {
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)]);
}

/**
 * Raises the limit of open files for processes that this process starts from now on. Returns whether such a process may
 * open `count` files.
 */
export async function allowOpenFiles(count: number): Promise<boolean> {
  if ((await openFileLimit()) >= count) return true;
  await run('prlimit', ['--pid', String(process.pid), `--nofile=${count}`]).catch(() => {});
  return (await openFileLimit()) >= count;
}

/**
 * Returns this process's limit of open files. Reading the soft limit is enough, because Node raises it to the
 * hard limit when it starts.
 */
async function openFileLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const soft = limits.match(/^Max open files\s+(\S+)/m)?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Returns a line about the machine for the report: figures of different machines cannot be compared. */
export const describeMachine = (): string =>
  `Node ${process.versions.node}, ${cpus().length} cores, ${cpus()[0]?.model.trim() ?? process.arch}`;

/**
 * Chooses a core for the servers if the machine has two, and pins this process to the other core. `placing` is
 * the text about this choice for the report.
 */
export async function placeProcesses(): Promise<{ cores: Cores | null; placing: string }> {
  if (process.platform !== 'linux') throw new Error('This bench reads /proc and runs on Linux only.');
  chosen ??= chooseCores();
  const cores = await chosen;
  if (cores) await keepTo(cores.others);
  const placing = cores
    ? `servers on core ${cores.servers}, load generators and PostgreSQL on core ${cores.others}`
    : 'processes NOT pinned to cores: only one core may be used, or the command taskset is missing';
  return { cores, placing };
}

/**
 * Cores chosen at the first call, cached because this process sees only one core once it is pinned.
 */
let chosen: Promise<Cores | null> | null = null;
