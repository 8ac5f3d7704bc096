/** Measures the memory of a process and its descendants, if the system reports memory (/proc). */
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { descendantsOf } from './checkout.ts';

const SAMPLE_INTERVAL_MS = 20;
const LIST_INTERVAL_MS = 200;

const possible = existsSync('/proc/self/smaps_rollup');
if (!possible)
  process.stderr.write(
    'This system has no /proc/PID/smaps_rollup: the test of the peak memory is SKIPPED.\n',
  );

/**
 * Defines a test that measures memory. If the system does not report memory, the test is reported as skipped,
 * never as passed.
 */
export const peakMemoryTest = test.skipIf(!possible);

/**
 * Samples the memory of a process tree until `stop` is called. Pages that processes share are counted once.
 */
export function watchMemory(root: number) {
  let pids: number[] = [root];
  let peakKb = 0;
  let command = '';
  const list = setInterval(() => {
    pids = [root, ...descendantsOf(root).map(({ pid }) => pid)];
  }, LIST_INTERVAL_MS);
  const sample = setInterval(() => {
    const sizes = pids.map((pid) => [pid, proportionalKb(pid)] as const);
    const sum = sizes.reduce((total, [, kb]) => total + kb, 0);
    if (sum <= peakKb) return;
    peakKb = sum;
    const [largest] = sizes.toSorted(([, one], [, other]) => other - one);
    command = read(`/proc/${largest?.[0]}/cmdline`).replaceAll('\0', ' ').slice(-60);
  }, SAMPLE_INTERVAL_MS);
  return {
    stop() {
      clearInterval(list);
      clearInterval(sample);
      return { peakMb: Math.round(peakKb / 1024), command };
    },
  };
}

const proportionalKb = (pid: number): number =>
  Number(read(`/proc/${pid}/smaps_rollup`).match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
