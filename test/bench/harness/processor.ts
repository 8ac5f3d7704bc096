/** Who used the processors, as Linux counts it. */
import { readdir, readFile } from 'node:fs/promises';

/** Of /proc; the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The fields of a process's `stat` that follow its name, which may hold anything. */
async function statOf(pid: number | string): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const ticks = (fields: readonly string[], ...at: number[]): number =>
  at.reduce((sum, index) => sum + Number(fields[index]), 0);

/** Processor time of a process so far, over all its threads. */
export const cpuSecondsOf = async (pid: number | undefined): Promise<number> =>
  ticks(await statOf(pid ?? 'self'), 11, 12) / TICKS_PER_SECOND;

/** The same of a PostgreSQL: its postmaster, the backends that live, and those that have ended. */
export async function cpuSecondsOfPostgres(postmaster: number): Promise<number> {
  let sum = ticks(await statOf(postmaster), 11, 12, 13, 14);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Processes come and go while they are looked at.
    const fields = await statOf(pid).catch(() => null);
    if (fields && Number(fields[1]) === postmaster) sum += ticks(fields, 11, 12);
  }
  return sum / TICKS_PER_SECOND;
}

export interface CoreTimes {
  readonly busy: number;
  readonly total: number;
}

/** How long a core was busy, and how long there was one, in ticks. */
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
