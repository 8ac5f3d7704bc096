/** Test helper: a small disk that tests can fill up, if this process may mount one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { atTheEnd } from './gateway.ts';

export interface SmallDisk {
  /** Folder at which the disk is mounted. */
  readonly folder: string;
  /** Fills the remaining space of the disk. */
  fill(): Promise<void>;
  /** Frees the space that `fill` took. */
  clear(): Promise<void>;
}

const CHUNK = Buffer.alloc(64 * 1024);

const mounted = (megabytes: number): string => {
  const folder = mkdtempSync(join(tmpdir(), 'vkyc-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return folder;
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
};

const unmount = (folder: string) => {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
};

function canMount(): boolean {
  try {
    unmount(mounted(1));
    return true;
  } catch {
    return false;
  }
}

const possible = canMount();
if (!possible)
  process.stderr.write(
    'No disk can be mounted here (that takes root): the tests of a full disk are SKIPPED.\n',
  );

/**
 * Defines a test that needs a disk of its own. If none can be mounted, the test is reported as skipped, never
 * as passed.
 */
export const diskTest = test.skipIf(!possible);

/** Mounts a small disk. The disk is unmounted when the test ends, after the servers that use the disk have stopped. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const folder = mounted(megabytes);
  atTheEnd(async () => unmount(folder));
  const filler = join(folder, 'filler');
  return {
    folder,
    async fill() {
      const file = await open(filler, 'a');
      // Writes ever smaller chunks, down to single bytes, so that no space is left.
      for (let size = CHUNK.length; size >= 1; )
        try {
          const { bytesWritten } = await file.write(CHUNK, 0, size);
          if (bytesWritten < size) size = Math.floor(size / 2);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size = Math.floor(size / 2);
        }
      await file.close();
    },
    clear: () => rm(filler),
  };
}
