/** Gateways that die and come back at the same address. */
import { createServer } from 'node:net';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { type GatewayProcess, startGatewayProcess } from './process.ts';

/** Not of those that the system gives to outgoing connections, which might take it while the gateway is away. */
export async function freePort(random: SeededRandom): Promise<number> {
  for (;;) {
    const port = random.integer(20_000, 30_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export interface Phoenix {
  /** Times that it was killed. */
  readonly deaths: number;
  /** The process that lives now, or the next one once it is ready. */
  present(): Promise<GatewayProcess>;
  /** With SIGKILL, and starts it again. */
  kill(): void;
  /** Ends it by a signal and starts it again; returns what the old one ended with, once it has. */
  restart(signal: NodeJS.Signals): Promise<number | string>;
}

/** A gateway that can be killed and comes back at the same address, by another script where one is given. */
export function phoenix(environment: Record<string, string>, script?: string): Phoenix {
  let deaths = 0;
  let present = startGatewayProcess(environment, script);
  const restart = (signal: NodeJS.Signals) => {
    const ended = present.then((gateway) => gateway.end(signal));
    present = ended.then(() => startGatewayProcess(environment, script));
    return ended;
  };
  return {
    get deaths() {
      return deaths;
    },
    present: () => present,
    restart,
    kill() {
      void restart('SIGKILL').then(() => {
        deaths += 1;
      });
    },
  };
}
