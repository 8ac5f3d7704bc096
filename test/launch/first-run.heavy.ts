/** Runs `npm start` in a fresh copy of this checkout. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { copyCheckout, freshFolder, runNpm } from '../harness/checkout.ts';
import { peakMemoryTest, watchMemory } from '../harness/memory.ts';

const READY = '"the gateway is ready"';
const BUILDING = 'Building the changed parts';
const NEXT_START_MS = 3_000;
const MEMORY_MB = 512;
const NOBODY = 65_534;

let built: string;

beforeAll(async () => {
  built = await copyCheckout();
  const build = runNpm(['run', 'build'], { cwd: built });
  expect(await build.ended, build.said()).toBe(0);
});

/**
 * Starts the gateway, waits until it is ready, and stops it. Returns what it printed and how long the start
 * took.
 */
async function startAndStop(cwd: string, env: Record<string, string> = {}, uid?: number) {
  const DATA_DIR = env.DATA_DIR ?? (await freshFolder());
  const startedAt = performance.now();
  const start = runNpm(['start'], { cwd, env: { ...env, DATA_DIR }, ...(uid === undefined ? {} : { uid }) });
  await start.until(READY);
  const readyInMs = performance.now() - startedAt;
  start.child.kill('SIGTERM');
  expect(await start.ended, start.said()).toBe(0);
  return { said: start.said(), readyInMs };
}

describe('npm start', () => {
  test('a first npm start builds the missing parts (TypeScript, gateway, console), and prints what it builds', async () => {
    const { said } = await startAndStop(await copyCheckout());

    expect(said).toContain(`${BUILDING}: TypeScript, gateway, console …`);
    expect(said).toMatch(/Built in [\d.]+ s\./);
  });

  // Retried, because other processes may slow a start down: one fast start out of five attempts is enough.
  test('npm start builds nothing and is ready within 3 s if no source has changed since the build', {
    retry: 4,
  }, async () => {
    const DATA_DIR = await freshFolder();
    await startAndStop(built, { DATA_DIR });

    const { said, readyInMs } = await startAndStop(built, { DATA_DIR });

    process.stderr.write(`the second start took ${Math.round(readyInMs)} ms\n`);
    expect(said).not.toContain('Building');
    expect(readyInMs).toBeLessThan(NEXT_START_MS);
  });

  test('npm start builds only the console after a source of the console was changed or changed back, and only the server after a source of the server was changed', async () => {
    const root = await copyCheckout();
    await startAndStop(root);
    const file = join(root, 'src/console/main.tsx');
    const before = await readFile(file);
    await appendFile(file, '\n// A change.\n');
    const changed = await startAndStop(root);
    await writeFile(file, before);
    const undone = await startAndStop(root);
    await appendFile(join(root, 'src/domain/errors.ts'), '\n// A change.\n');
    const server = await startAndStop(root);

    expect(changed.said).toContain(`${BUILDING}: console …`);
    expect(undone.said).toContain(`${BUILDING}: console …`);
    expect(server.said).toContain(`${BUILDING}: TypeScript, gateway …`);
  });

  test('npm start runs the gateway from a built checkout that is read-only, and refuses to start if its sources are newer than the build', async () => {
    const root = await copyCheckout();
    const build = runNpm(['run', 'build'], { cwd: root });
    expect(await build.ended, build.said()).toBe(0);
    const DATA_DIR = await freshFolder();
    const HOME = await freshFolder();
    const isRoot = process.getuid?.() === 0;
    for (const name of await readdir(root, { recursive: true }))
      if (!name.startsWith('node_modules/'))
        await chmod(join(root, name), (await stat(join(root, name))).isDirectory() ? 0o555 : 0o444).catch(
          () => {},
        );
    await chmod(root, 0o555);
    // Root can write everywhere, so the gateway is run by another user.
    if (isRoot) for (const folder of [DATA_DIR, HOME]) await chown(folder, NOBODY, NOBODY);

    const { said } = await startAndStop(root, { DATA_DIR, HOME }, isRoot ? NOBODY : undefined);
    const changed = join(root, 'src/main.ts');
    await chmod(changed, 0o644);
    await appendFile(changed, '\n');
    const second = runNpm(['start'], {
      cwd: root,
      env: { DATA_DIR, HOME },
      ...(isRoot ? { uid: NOBODY } : {}),
    });

    expect(said).not.toContain('Building');
    expect(await second.ended).toBe(1);
    expect(second.said()).toContain('The sources are newer than the build');
    expect(second.said()).not.toMatch(/^ +at /m);
    for (const name of [root, ...(await readdir(root, { recursive: true })).map((each) => join(root, each))])
      if (!name.includes('node_modules/')) await chmod(name, 0o755).catch(() => {});
  });

  test('npm start reports missing production settings before it builds the bundles', async () => {
    const root = await copyCheckout();
    const start = runNpm(['start'], { cwd: root, env: { NODE_ENV: 'production' } });

    expect(await start.ended).toBe(1);
    for (const name of ['AUTH_SECRET', 'CASHFREE_CLIENT_ID', 'DATABASE_URL', 'DATA_KEYS', 'AUDIT_KEYS'])
      expect(start.said()).toContain(`- ${name}`);
    expect(start.said()).toContain('NODE_ENV= npm start');
    expect(start.said()).not.toMatch(/^ +at /m);
    expect(existsSync(join(root, '.build/gateway'))).toBe(false);
  });

  test('if another program uses a port, npm start names the setting of the port before it builds the bundles', async () => {
    const root = await copyCheckout();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const start = runNpm(['start'], { cwd: root, env: { PORT: String(port) } });
    expect(await start.ended).toBe(1);
    const sandbox = runNpm(['start'], { cwd: built, env: { SANDBOX_PORT: String(port) } });
    expect(await sandbox.ended).toBe(1);
    other.close();

    expect(start.said()).toContain(`PORT: port ${port} of 127.0.0.1 is used by another program`);
    expect(sandbox.said()).toContain(`SANDBOX_PORT: port ${port} of 127.0.0.1 is used by another program`);
    expect(existsSync(join(root, '.build/gateway'))).toBe(false);
  });

  test('after npm ci --omit=dev, npm start says which packages are missing and which command to type', async () => {
    const root = await copyCheckout({ packages: 'production' });

    const start = runNpm(['start'], { cwd: root });
    const tests = runNpm(['test'], { cwd: root, env: { NODE_ENV: 'production' } });

    expect(await start.ended).toBe(1);
    expect(start.said()).toContain('npm ci --include=dev && npm start');
    expect(await tests.ended).toBe(1);
    expect(tests.said()).toContain('NODE_ENV=production is set in this shell');
    for (const { said } of [start, tests]) expect(said()).not.toMatch(/not found|^ +at /m);
  });

  test('without installed packages, npm start says to install them', async () => {
    const start = runNpm(['start'], { cwd: await copyCheckout({ packages: 'none' }) });

    expect(await start.ended).toBe(1);
    expect(start.said()).toContain('Type: npm ci && npm start');
  });

  test.each(["it's a [test], really", 'ä+b (1)'])('npm start succeeds in a folder named %s', async (name) => {
    const root = await copyCheckout({ name });

    // Stores the data inside the checkout as well, so that PostgreSQL also has to cope with the folder's
    // name.
    await startAndStop(root, { DATA_DIR: '.data' });
  });

  test('before it builds anything, npm start refuses a checkout in a folder whose name the bundler does not support', async () => {
    const start = runNpm(['start'], { cwd: await copyCheckout({ name: 'a#b' }) });

    expect(await start.ended).toBe(1);
    expect(start.said()).toContain('contains the character #,');
    expect(start.said()).not.toContain('Building');
  });

  peakMemoryTest(
    'a first npm start needs less than 512 MB of memory, npm and the build included',
    async () => {
      const root = await copyCheckout();
      await mkdir(join(root, '.build'));
      const start = runNpm(['start'], { cwd: root, env: { DATA_DIR: await freshFolder() } });
      const memory = watchMemory(start.child.pid as number);
      await start.until('Built in');
      const { peakMb, command } = memory.stop();

      process.stderr.write(`peak memory of the build: ${peakMb} MB, in ${command}\n`);
      expect(peakMb).toBeLessThan(MEMORY_MB);
    },
  );
});
