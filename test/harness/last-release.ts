/** Test helper: builds the last release from the repository's git history, if the history contains its commit. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { atTheEnd } from './gateway.ts';

const run = promisify(execFile);
const commit = readFileSync('schema/released-commit', 'utf8').trim();

function isHere(): boolean {
  try {
    execFileSync('git', ['cat-file', '-e', `${commit}^{tree}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const here = isHere();
if (!here)
  process.stderr.write(
    `The git history here lacks the last release (git fetch --depth 1 origin ${commit}): the tests with the last release are SKIPPED.\n`,
  );

/**
 * Defines a test that needs the last release. If the history lacks that release, the test is reported as
 * skipped, never as passed.
 */
export const releaseTest = test.skipIf(!here);

/**
 * Builds the last release with its own packages. Returns the path of its main script. The build is removed
 * when the test ends.
 */
export async function buildLastRelease(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-release-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const archive = spawn('git', ['archive', commit], { stdio: ['ignore', 'pipe', 'inherit'] });
  const unpack = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'inherit', 'inherit'] });
  archive.stdout.pipe(unpack.stdin);
  const [code] = await once(unpack, 'close');
  if (code !== 0) throw new Error(`tar ended with ${code}`);
  await run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: folder,
  });
  await run('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: folder });
  return join(folder, '.build/main.js');
}
