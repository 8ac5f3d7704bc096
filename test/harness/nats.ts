/** A real NATS server, if one is installed: a child process on the loopback interface. */
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

/** A test that needs a NATS server; without one it is reported as skipped, never as passed. */
export const natsTest = test.skipIf(!executablePath);

export interface NatsServer {
  /** For example nats://127.0.0.1:4222; unchanged across restarts. */
  readonly url: string;
  /** Sends SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it at the same address; resolves when it accepts connections. */
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

/** Starts a NATS server. */
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
