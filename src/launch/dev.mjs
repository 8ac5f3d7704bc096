/** `npm run dev`: compiles what changes, restarts the gateway with it, and serves the console with hot reload. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { build, say } from './build.mjs';

const COMPILER = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--declaration', 'false'];
const WATCHING = [
  '--watch',
  '--preserveWatchOutput',
  '--incremental',
  '--tsBuildInfoFile',
  '.build/dev.tsbuildinfo',
];
const CONSOLE = [
  'node_modules/vite/bin/vite.js',
  'src/console',
  '--clearScreen',
  'false',
  '--logLevel',
  'info',
];
/** Matches the line that the compiler prints after each compilation. */
const COMPILED = /Found (\d+) errors?\. Watching/;
const RESTART_TIMEOUT_MS = 5_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs the gateway, the compiler and the console's dev server as child processes, until a signal arrives. */
export async function develop(root) {
  // Builds the console before the gateway starts, because the gateway itself also serves the built console.
  await build(root, ['console']);
  const gateway = keepGateway(root);
  const compiler = start(root, [...COMPILER, ...WATCHING], (line) => {
    const [, errors] = line.match(COMPILED) ?? [];
    if (errors === undefined) say(line);
    else if (errors === '0') void gateway.restart();
  });
  const port = Number(process.env.PORT ?? 4000);
  const env = { GATEWAY_URL: `http://127.0.0.1:${port}` };
  const console = start(root, CONSOLE, (line) => line.trim() && say(`console: ${line.trim()}`), env);

  await Promise.race(SIGNALS.map((signal) => once(process, signal)));
  for (const child of [compiler, console]) stop(child);
  await gateway.stop();
}

/** Manages the running gateway, which is replaced at each restart. */
function keepGateway(root) {
  let child = null;
  let turn = Promise.resolve();
  const end = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // Signals only the gateway, not its process group, because the gateway itself stops its database server.
    child.kill('SIGTERM');
    const late = setTimeout(() => stop(child, 'SIGKILL'), RESTART_TIMEOUT_MS);
    await ended;
    clearTimeout(late);
  };
  return {
    /** Restarts the gateway with the newest build. Concurrent restarts run one after another. */
    restart() {
      turn = turn.then(async () => {
        await end();
        child = spawn(process.execPath, ['--enable-source-maps', '--inspect=127.0.0.1:0', '.build/main.js'], {
          cwd: root,
          env: { SHUTDOWN_SECONDS: '0', DRAIN_SECONDS: '0', ...process.env },
          stdio: 'inherit',
          detached: true,
        });
      });
      return turn;
    },
    async stop() {
      await turn;
      await end();
    },
  };
}

function start(root, args, onLine, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Starts the tool in a process group of its own, so that the tool's own children can be ended with it.
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  return child;
}

function stop(child, signal = 'SIGTERM') {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Ignores the error: the process has already ended.
  }
}
