/** Complete deployment: three gateways, NATS, PostgreSQL and a load balancer, each in a process that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { startNatsServer } from '../harness/nats.ts';
import { startForgetfulProvider } from '../harness/news.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';
import { freePort } from '../harness/phoenix.ts';
import { startWorld, type World } from './world.ts';

export interface Stack extends World {
  /** URL of the load balancer. It stays the same when the load balancer is killed and restarted. */
  readonly url: string;
  /** Functions by the name of a process. Each kills the process, and resolves when the process runs again. */
  readonly kills: Readonly<Record<string, () => Promise<void>>>;
}

const GATEWAYS = 3;
const BALANCER = fileURLToPath(new URL('balancer.mjs', import.meta.url));

/** Boots the whole deployment; it is stopped when the test ends. */
export async function startStack(seed: string, sessions: number): Promise<Stack> {
  const [nats, postgres] = await Promise.all([startNatsServer(), startOwnPostgres()]);
  const world = await startWorld({
    seed,
    gateways: GATEWAYS,
    sessions,
    database: postgres.url,
    provider: await startForgetfulProvider(/^traffic\./),
    // Limits polls: the provider does not know these sessions, and each poll needs a database connection.
    environment: { NATS_URL: nats.url, PROVIDER_CALLS_PER_MINUTE: '600' },
  });
  const present = await Promise.all(world.gateways.map((gateway) => gateway.present()));
  const balancer = await startBalancer(
    seed,
    present.map(({ url }) => new URL(url).port),
  );
  const gatewayKills = world.gateways.map((gateway, index) => [
    `gateway ${index + 1}`,
    async () => {
      gateway.kill();
      await gateway.present();
    },
  ]);
  return {
    ...world,
    url: balancer.url,
    kills: {
      ...Object.fromEntries(gatewayKills),
      async NATS() {
        await nats.kill();
        await nats.start();
      },
      async PostgreSQL() {
        await postgres.crash();
        await postgres.start();
      },
      'load balancer': balancer.restart,
      async 'PostgreSQL, as planned'() {
        await postgres.stop();
        await postgres.start();
      },
    },
  };
}

/** Starts the load balancer. When it is killed, it is started again at the same address. */
async function startBalancer(seed: string, gatewayPorts: readonly string[]) {
  const port = await freePort(createSeededRandom('balancer', seed));
  let child: ChildProcess;
  const start = async () => {
    child = spawn('node', [BALANCER, String(port), ...gatewayPorts], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
  };
  const kill = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  atTheEnd(kill);
  return {
    url: `http://127.0.0.1:${port}`,
    async restart() {
      await kill();
      await start();
    },
  };
}
