import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { atTheEnd } from './gateway.ts';
import { processNamespace, sweepStaleFolders } from './run-folder.ts';

/** Returns the id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid as number;
}

async function makeBase() {
  const base = await mkdtemp(join(tmpdir(), 'vkyc-base-'));
  atTheEnd(() => rm(base, { recursive: true, force: true }));
  return {
    base,
    makeFolder: (pid: number, namespace: string) => mkdtemp(join(base, `vkyc-test-${pid}-${namespace}-`)),
  };
}

test('sweepStaleFolders, which the next test run calls, removes the folder of a killed test run', async () => {
  const { base, makeFolder } = await makeBase();
  const stale = await makeFolder(await endedProcess(), processNamespace());
  await mkdir(join(stale, 'postgres/base'), { recursive: true });

  await sweepStaleFolders([base]);

  expect(await readdir(base)).toEqual([]);
});

test('sweepStaleFolders keeps the folder of a test run that is alive, or may be alive', async () => {
  const { base, makeFolder } = await makeBase();
  const ended = await endedProcess();
  const live = await makeFolder(process.pid, processNamespace());
  const inAnotherContainer = await makeFolder(ended, 'elsewhere');
  const serving = await makeFolder(ended, processNamespace());
  const unknown = await mkdtemp(join(base, 'vkyc-test-'));
  await mkdir(join(serving, 'postgres'));
  const server = createServer().listen(join(serving, 'postgres/.s.PGSQL.5432'));
  await once(server, 'listening');

  await sweepStaleFolders([base]);
  server.close();

  const kept = [live, inAnotherContainer, serving, unknown].map((folder) => basename(folder));
  expect((await readdir(base)).sort()).toEqual(kept.sort());
});
