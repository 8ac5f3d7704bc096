/** What can be measured of a gateway from outside, or by the probe that is loaded before it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '../harness/gateway.ts';
import type { GatewayProcess } from '../harness/process.ts';

/** Environment of a gateway whose event loop is watched. */
export const WATCHED = {
  NODE_OPTIONS: `--import ${fileURLToPath(new URL('event-loop-probe.mjs', import.meta.url))}`,
};

export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds by which the event loop of a watched gateway was late since this was last asked. */
export async function eventLoopDelayOf({ child, output }: GatewayProcess): Promise<EventLoopDelay> {
  const said = output.length;
  child.kill('SIGUSR2');
  const line = await eventually(async () =>
    output.slice(said).find((each) => each.startsWith('{"eventLoopDelayMs"')),
  );
  return JSON.parse(line).eventLoopDelayMs;
}

/** Megabytes that a process holds in memory. */
export async function residentMb({ child }: GatewayProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1]) / 1024;
}
