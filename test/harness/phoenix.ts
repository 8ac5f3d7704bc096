/** Gateways that die and come back at the same address. */
import { createServer } from 'node:net';
import type { Chance } from '../../src/sandbox/random.ts';
import { type GatewayProcess, startGatewayProcess } from './process.ts';

/** Not of those that the system gives to outgoing connections, which might take it while the gateway is away. */
export async function freePort(chance: Chance): Promise<number> {
  for (;;) {
    const port = chance.integer(20_000, 30_000);
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
  deaths: number;
  /** The process that lives now, or the next one once it is ready. */
  present(): Promise<GatewayProcess>;
  /** With SIGKILL, and starts it again. */
  kill(): void;
}

/** A gateway that can be killed and comes back at the same address. */
export function phoenix(environment: Record<string, string>): Phoenix {
  let present = startGatewayProcess(environment);
  const life = {
    deaths: 0,
    present: () => present,
    kill() {
      present = present.then(async (gateway) => {
        await gateway.end('SIGKILL');
        life.deaths += 1;
        return startGatewayProcess(environment);
      });
    },
  };
  return life;
}
