/**
 * Tests starts of the gateway on unusual machines: with a full disk, with little shared memory, as a user
 * without a name.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { freshFolder, ROOT } from '../harness/checkout.ts';
import { AUDIT_KEYS, atTheEnd, eventually } from '../harness/gateway.ts';
import { diskTest, mountSmallDisk } from '../harness/small-disk.ts';

const NAMELESS = 54_321;
const GATEWAY = ['node', '.build/gateway/main.js'];

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  process.stderr.write('Not root: the tests with an unlisted user and a small /dev/shm are SKIPPED.\n');
const rootTest = test.skipIf(!isRoot);

/** Runs a command until it ends or the gateway is ready. Returns what it printed. */
async function runGateway(DATA_DIR: string, [file = '', ...args]: string[], options: SpawnOptions = {}) {
  const env = {
    PATH: process.env.PATH,
    AUDIT_KEYS,
    DATA_DIR,
    PORT: '0',
    SANDBOX_PORT: '0',
    SHUTDOWN_SECONDS: '0',
  };
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const closed = once(child, 'close');
  atTheEnd(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  await eventually(async () => said.includes('"the gateway is ready"') || child.exitCode !== null);
  if (child.exitCode !== null) await closed;
  expect(said).not.toMatch(/^ +at /m);
  return { said, code: child.exitCode, child, closed };
}

rootTest(
  'a gateway that runs as a user whom /etc/passwd does not list fails to start, with a message that names the user',
  async () => {
    const DATA_DIR = await freshFolder();
    await chown(DATA_DIR, NAMELESS, NAMELESS);

    const { code, said } = await runGateway(DATA_DIR, GATEWAY, { uid: NAMELESS, gid: NAMELESS });

    expect(code).toBe(1);
    expect(said).toContain(`runs as user ${NAMELESS}, which /etc/passwd does not list`);
  },
);

rootTest(
  'the gateway with its embedded PostgreSQL starts with a /dev/shm (shared memory) of 64 kB',
  async () => {
    const small = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"';

    const { said } = await runGateway(await freshFolder(), [
      'unshare',
      '-m',
      'sh',
      '-c',
      small,
      'sh',
      ...GATEWAY,
    ]);

    expect(said).toContain('"the gateway is ready"');
  },
);

diskTest(
  'a gateway on a full disk fails to start, with or without existing data, with the message that the disk is full',
  async () => {
    const { folder: small } = mountSmallDisk(8);
    const disk = mountSmallDisk(120);

    const first = await runGateway(small, GATEWAY);
    const running = await runGateway(disk.folder, GATEWAY);
    running.child.kill('SIGTERM');
    await running.closed;
    await disk.fill();
    const later = await runGateway(disk.folder, GATEWAY);

    expect(running.said).toContain('"the gateway is ready"');
    for (const { code, said } of [first, later]) {
      expect(code).toBe(1);
      expect(said).toContain('The disk of DATA_DIR is full');
    }
  },
);
