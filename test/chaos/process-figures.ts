/** Measures a gateway process from outside (`/proc`), and from inside by the preloaded `event-loop-probe.mjs`. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../harness/gateway.ts';
import type { GatewayProcess } from '../harness/process.ts';

const run = promisify(execFile);

/** Environment that makes a gateway load `event-loop-probe.mjs`, which answers `figuresOf`. */
export const WATCHED = {
  NODE_OPTIONS: `--import ${fileURLToPath(new URL('event-loop-probe.mjs', import.meta.url))}`,
};

export interface Figures {
  /** Delay of the event loop since the last query, in milliseconds. */
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Longest time that one task blocked the event loop since the last query, in CPU time only. */
  readonly longestHoldMs: number;
  /** Megabytes in use after a garbage collection. */
  readonly heldMb: number;
}

/** Asks a gateway's event-loop probe for delays, longest block and memory; rejects if the process ends first. */
export async function figuresOf({ child, output }: GatewayProcess): Promise<Figures> {
  const said = output.length;
  child.kill('SIGUSR2');
  const line = await eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('The gateway has ended');
    return output.slice(said).find((each) => each.startsWith('{"figures"'));
  });
  return JSON.parse(line).figures;
}

/**
 * Pins a gateway to its own core, so that clients and writers of the test do not cause its delays. Returns false if the
 * machine has a single core or lacks `taskset`.
 */
export async function setApart({ child }: GatewayProcess): Promise<boolean> {
  const pin = (pid: number, cores: string) => run('taskset', ['-a', '-p', '-c', cores, String(pid)]);
  const last = availableParallelism() - 1;
  if (last < 1) return false;
  return Promise.all([pin(child.pid as number, '0'), pin(process.pid, `1-${last}`)]).then(
    () => true,
    () => false,
  );
}

/** Returns the resident memory of a process in MB. */
export async function residentMb({ child }: GatewayProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1]) / 1024;
}

const ESTABLISHED = '01';
/** Inode that /proc shows for connections in the accept queue, which have no file descriptor yet. */
const NO_INODE = '0';

/** Returns the open file descriptors of a process, and how many are client connections to its port. */
export async function descriptorsOf({
  child,
  url,
}: GatewayProcess): Promise<{ all: number; clients: number }> {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${child.pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  const clients = tables
    .flatMap((table) => table.split('\n'))
    .filter((line) => {
      const [, own, , state, , , , , , inode] = line.trim().split(/\s+/);
      return own?.endsWith(`:${port}`) && state === ESTABLISHED && inode !== NO_INODE;
    });
  return { all: (await readdir(`/proc/${child.pid}/fd`)).length, clients: clients.length };
}
