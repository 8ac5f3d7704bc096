/** Test helper: gives a process a different system clock, if libfaketime is installed. */
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { atTheEnd } from './gateway.ts';

const CANDIDATES = ['x86_64', 'aarch64'].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
);
const library = process.env.LIBFAKETIME ?? CANDIDATES.find((path) => existsSync(path));

if (!library)
  process.stderr.write(
    'No libfaketime on this machine (set LIBFAKETIME to one): the test of a changed system clock is SKIPPED.\n',
  );

/**
 * Defines a test that changes a system clock. Without libfaketime it is reported as skipped, never as passed.
 */
export const clockTest = test.skipIf(!library);

export interface ShiftedClock {
  /**
   * Environment for the process. The monotonic clock of the process is not shifted, as on a machine whose system clock
   * is set.
   */
  readonly environment: Record<string, string>;
  /** Shifts the process's clock by this many seconds from the machine's clock, from now on. */
  shift(seconds: number): Promise<void>;
}

export async function shiftedClock(): Promise<ShiftedClock> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-clock-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'offset');
  const shift = async (seconds: number) => {
    await writeFile(`${file}.next`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    await rename(`${file}.next`, file);
  };
  await shift(0);
  return {
    environment: {
      LD_PRELOAD: library as string,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    shift,
  };
}
