/** CPU time of processes and cores, read from Linux's /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second in /proc (USER_HZ): 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * Returns the fields of /proc/PID/stat after the process name, which may itself contain spaces and
 * parentheses.
 */
async function statOf(pid: number | string): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const ticks = (fields: readonly string[], ...at: number[]): number =>
  at.reduce((sum, index) => sum + Number(fields[index]), 0);

/**
 * Returns the CPU seconds that a process has used so far, with all its threads; without `pid`, those of this
 * process.
 */
export const cpuSecondsOf = async (pid: number | undefined): Promise<number> =>
  ticks(await statOf(pid ?? 'self'), 11, 12) / TICKS_PER_SECOND;

/**
 * Returns the CPU seconds that a PostgreSQL server has used so far: its postmaster, and its running and ended
 * backends.
 */
export async function cpuSecondsOfPostgres(postmaster: number): Promise<number> {
  let sum = ticks(await statOf(postmaster), 11, 12, 13, 14);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end between readdir and the read.
    const fields = await statOf(pid).catch(() => null);
    if (fields && Number(fields[1]) === postmaster) sum += ticks(fields, 11, 12);
  }
  return sum / TICKS_PER_SECOND;
}

export interface CoreTimes {
  readonly busy: number;
  readonly total: number;
}

/** Returns for how many ticks a core was busy, and how many ticks have passed in total. */
export async function timesOfCore(core: number): Promise<CoreTimes> {
  const stat = await readFile('/proc/stat', 'utf8');
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] =
    stat
      .match(new RegExp(`^cpu${core} (.*)$`, 'm'))?.[1]
      ?.split(' ')
      .map(Number) ?? [];
  const busy = user + nice + system + irq + soft;
  return { busy, total: busy + idle + wait + steal };
}
