/** Test helper: a real NATS server, if one is installed, as a child process on the loopback interface. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, eventually } from './gateway.ts';
import { freePort } from './phoenix.ts';

const CANDIDATES = ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'];
const executablePath = process.env.NATS_SERVER ?? CANDIDATES.find((path) => existsSync(path));

if (!executablePath)
  process.stderr.write(
    'No nats-server on this machine (set NATS_SERVER to one): the tests over NATS are SKIPPED.\n',
  );

/** Defines a test that needs a NATS server. Without one the test is reported as skipped, never as passed. */
export const natsTest = test.skipIf(!executablePath);

export interface NatsServer {
  /** URL of the server, such as nats://127.0.0.1:4222. It stays the same across restarts. */
  readonly url: string;
  /** Sends SIGKILL to the server. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts the server at the same address. Resolves when it accepts connections. */
  start(): Promise<void>;
}

/** Reserves an address for a NATS server without starting it. The server is stopped when the test ends. */
export async function natsServerAt(options: readonly string[] = []): Promise<NatsServer> {
  const port = await freePort(createSeededRandom('nats', String(process.pid), String(performance.now())));
  let child: ChildProcess | null = null;
  const kill = async () => {
    const dying = child;
    child = null;
    if (!dying || dying.exitCode !== null) return;
    const exited = once(dying, 'exit');
    dying.kill('SIGKILL');
    await exited;
  };
  atTheEnd(kill);
  return {
    url: `nats://127.0.0.1:${port}`,
    kill,
    async start() {
      const args = ['--addr', '127.0.0.1', '--port', String(port), ...options];
      const started = spawn(executablePath as string, args, { stdio: 'ignore' });
      child = started;
      await eventually(async () => {
        if (started.exitCode !== null) throw new Error(`nats-server ended with ${started.exitCode}`);
        return takesConnections(port);
      });
    },
  };
}

export async function startNatsServer(options?: readonly string[]): Promise<NatsServer> {
  const server = await natsServerAt(options);
  await server.start();
  return server;
}

function takesConnections(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).then((taken) => {
    socket.destroy();
    return taken as boolean;
  });
}
