/** Resources of the machine that a bench uses: cores to pin processes to, and open files. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** CPU cores for the server and for its clients, so that clients do not slow down the server. */
export interface Cores {
  readonly servers: number;
  readonly others: number;
}

/** Returns two cores that this process may use; null if there are fewer or `taskset` is missing. */
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

/** Pins this process, and the processes it starts later, to a core. */
export async function keepTo(core: number): Promise<void> {
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)]);
}

/** Whether processes started from now on may open this many files; raises the limit if permitted. */
export async function allowOpenFiles(count: number): Promise<boolean> {
  if ((await openFileLimit()) >= count) return true;
  await run('prlimit', ['--pid', String(process.pid), `--nofile=${count}`]).catch(() => {});
  return (await openFileLimit()) >= count;
}

/** Node has already raised the soft limit to the hard one. */
async function openFileLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const soft = limits.match(/^Max open files\s+(\S+)/m)?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Describes the machine in one line: figures mean nothing without it. */
export const describeMachine = (): string =>
  `Node ${process.versions.node}, ${cpus().length} cores, ${cpus()[0]?.model.trim() ?? process.arch}`;

/** Chooses cores if there are two, pins this process to the core that servers do not use, and says so. */
export async function placeProcesses(): Promise<{ cores: Cores | null; placing: string }> {
  if (process.platform !== 'linux') throw new Error('This bench reads /proc and runs on Linux only.');
  chosen ??= chooseCores();
  const cores = await chosen;
  if (cores) await keepTo(cores.others);
  const placing = cores
    ? `servers on core ${cores.servers}, what drives them and PostgreSQL on core ${cores.others}`
    : 'processes NOT kept to cores of their own: there are not two, or there is no taskset';
  return { cores, placing };
}

/** Cached: afterwards this process is pinned and sees only one core. */
let chosen: Promise<Cores | null> | null = null;
