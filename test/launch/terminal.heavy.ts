/** Runs `npm start` in a pseudo-terminal (pty). */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import { freshFolder, ROOT, runNpm } from '../harness/checkout.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';

/**
 * Python program that runs a command in a new pseudo-terminal: its stdin acts as the keyboard, its stdout as
 * the screen.
 */
const TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
const CTRL_C = '\x03';

const possible = spawnSync('python3', ['-c', 'import pty']).status === 0;
if (!possible) process.stderr.write('No python3 with pty: the terminal tests are SKIPPED.\n');
const terminalTest = test.skipIf(!possible);

beforeAll(async () => {
  const build = runNpm(['run', 'build'], { cwd: ROOT });
  expect(await build.ended, build.said()).toBe(0);
});

async function startAtTerminal(env: Record<string, string> = {}) {
  const { PATH, HOME } = process.env;
  const settings = { PORT: '0', SANDBOX_PORT: '0', SHUTDOWN_SECONDS: '0', DATA_DIR: await freshFolder() };
  const child = spawn('python3', ['-c', TERMINAL, 'npm', 'start'], {
    cwd: ROOT,
    env: { PATH, HOME, ...settings, ...env },
  });
  const shown: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => shown.push(String(chunk)));
  const ended = once(child, 'exit').then(([code]) => code as number);
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const screen = () => shown.join('').replaceAll('\r', '');
  const until = (text: string) => eventually(async () => screen().includes(text));
  const port = () => screen().match(/127\.0\.0\.1:(\d+)\/console/)?.[1];
  return { child, ended, screen, until, port };
}

terminalTest(
  'a start at a terminal prints readable lines, and one Ctrl-C stops all of its processes cleanly',
  async () => {
    const { child, ended, screen, until } = await startAtTerminal();
    await until('Ctrl-C');

    child.stdin.write(CTRL_C);

    expect(await ended).toBe(0);
    expect(screen()).toMatch(/Console +http:\/\/127\.0\.0\.1:\d+\/console\n/);
    expect(screen()).toMatch(/GraphiQL +http:\/\/127\.0\.0\.1:\d+\/graphiql\n/);
    expect(screen()).toMatch(/Sandbox +http:\/\/127\.0\.0\.1:\d+\/_sandbox\n/);
    expect(screen()).toMatch(/Data +\/.*\n/);
    expect(screen()).toMatch(/\d\d:\d\d:\d\d {2}stopped\n/);
    // The screen must show neither lines of JSON nor warnings.
    expect(screen()).not.toMatch(/\{"|warning/);
  },
);

terminalTest('closing the terminal in which npm start runs stops the gateway', async () => {
  const { child, ended, until, port } = await startAtTerminal();
  await until('Ctrl-C');
  const url = `http://127.0.0.1:${port()}/healthz`;
  expect((await fetch(url)).status).toBe(200);

  child.kill('SIGKILL');

  await ended;
  await eventually(() =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  );
});

terminalTest('with LOG_FORMAT=json, a start at a terminal logs lines of JSON instead of text', async () => {
  const { child, ended, until, screen } = await startAtTerminal({ LOG_FORMAT: 'json' });
  await until('"the gateway is ready"');

  child.stdin.write(CTRL_C);

  expect(await ended).toBe(0);
  expect(screen()).not.toContain('vkyc-gateway is ready.');
});
