/** Sends signals to npm and to the processes that it starts. */
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { copyCheckout, freshFolder, ROOT, runNpm } from '../harness/checkout.ts';
import { eventually } from '../harness/gateway.ts';

const READY = '"the gateway is ready"';
const STOPPED = '"msg":"stopped"';

beforeAll(async () => {
  const build = runNpm(['run', 'build'], { cwd: ROOT });
  expect(await build.ended, build.said()).toBe(0);
});

async function startGateway() {
  const start = runNpm(['start'], { cwd: ROOT, env: { DATA_DIR: await freshFolder() } });
  await start.until(READY);
  const below = await eventually(async () => start.survivors().length > 0 && start.survivors());
  const gateway = below.find(({ command }) => command.includes('src/launch/run.cjs start'));
  return { ...start, gateway: gateway?.pid as number };
}

describe('npm start', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s sent to npm alone, not to its child processes, stops the gateway cleanly, and npm exits with 0',
    async (signal) => {
      const { child, ended, said, survivors } = await startGateway();

      child.kill(signal);

      expect(await ended).toBe(0);
      expect(said()).toContain(STOPPED);
      // Also waits for the end of the database server. It runs in a process session of its own and does not get
      // the signal, so the gateway must end it.
      await eventually(async () => survivors().length === 0);
    },
  );

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s sent to the gateway process stops it cleanly, and npm exits with 0',
    async (signal) => {
      const { gateway, ended, said, survivors } = await startGateway();

      process.kill(gateway, signal);

      expect(await ended).toBe(0);
      expect(said()).toContain(STOPPED);
      await eventually(async () => survivors().length === 0);
    },
  );

  test.each(['SIGKILL', 'SIGHUP'] as const)(
    'if npm is ended by %s, which npm does not pass on to its child process, the gateway stops cleanly by itself',
    async (signal) => {
      const { child, ended, said, survivors } = await startGateway();

      child.kill(signal);

      expect(await ended).toMatch(/^(SIGKILL|SIGHUP)$/);
      await eventually(async () => survivors().length === 0);
      await eventually(async () => said().includes(STOPPED));
    },
  );

  test('SIGTERM sent to npm start while it builds also ends the compiler', async () => {
    const start = runNpm(['start'], { cwd: await copyCheckout() });
    await start.until('Building the changed parts');

    start.child.kill('SIGTERM');

    // The exit code is 143 if the compiler was already running. Before that, the signal ends the process
    // itself, and npm reports the signal's name.
    expect([143, 'SIGTERM']).toContain(await start.ended);
    await eventually(async () => start.survivors().length === 0);
  });
});

describe('npm test', () => {
  /** Returns the temporary folders of a test run, found by its process ids. */
  const foldersOf = async (pids: readonly number[]): Promise<string[]> => {
    const all = await Promise.all(
      ['/dev/shm', '/tmp'].map(async (base) =>
        (await readdir(base).catch(() => [])).map((name) => `${base}/${name}`),
      ),
    );
    return all.flat().filter((path) => pids.some((pid) => path.includes(`/vkyc-test-${pid}-`)));
  };

  async function startTests() {
    const run = runNpm(['test', 'test/api/random-walk.test.ts'], { cwd: ROOT, env: { TMPDIR: undefined } });
    const pids: number[] = [];
    await eventually(async () => {
      pids.push(...run.survivors().map(({ pid }) => pid));
      return run.said().includes('RUN') && (await foldersOf(pids)).length > 0;
    });
    return { ...run, folders: () => foldersOf(pids) };
  }

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
    'a test run whose npm gets %s leaves no folders and no processes behind',
    async (signal) => {
      const { child, ended, survivors, folders } = await startTests();

      child.kill(signal);

      expect(await ended).not.toBe(0);
      await eventually(async () => survivors().length === 0);
      expect(await folders()).toEqual([]);
    },
  );

  test('folders that a test run leaves behind after SIGKILL are removed by the next test run', async () => {
    const killed = await startTests();
    const [main] = killed.survivors().filter(({ command }) => command.includes('run.cjs test'));
    process.kill(main?.pid as number, 'SIGKILL');
    await killed.ended;
    await eventually(async () => killed.survivors().length === 0);
    const left = await killed.folders();

    const next = runNpm(['test', 'test/architecture.test.ts'], { cwd: ROOT, env: { TMPDIR: undefined } });

    expect(await next.ended, next.said()).toBe(0);
    expect(left).not.toEqual([]);
    expect(await killed.folders()).toEqual([]);
  });
});
