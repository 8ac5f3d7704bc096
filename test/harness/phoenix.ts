/** Test helper: gateway processes that are killed and restarted at the same address. */
import { createServer } from 'node:net';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { type GatewayProcess, startGatewayProcess } from './process.ts';

/**
 * Returns a free port outside the ephemeral range: while the gateway is down, an outgoing connection of any program
 * could take a port in the ephemeral range.
 */
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
  /** Number of kills by `kill` so far. */
  readonly deaths: number;
  /** Returns the current process. After a kill, waits until the next process is ready. */
  present(): Promise<GatewayProcess>;
  /** Sends SIGKILL to the gateway and starts a new process at the same address. */
  kill(): void;
  /**
   * Sends a signal to the gateway and starts a new process when the old one has ended. Returns the exit code
   * or signal of the old process.
   */
  restart(signal: NodeJS.Signals): Promise<number | string>;
}

/**
 * Runs a gateway that can be killed and restarted at the same address. `script` replaces the built gateway.
 */
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
