/** TCP proxy that spreads client connections over gateways, and breaks connections in the ways that networks do. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd } from '../harness/gateway.ts';

/** How long connections last before the proxy cuts them. */
export interface Wear {
  /** Share of connections (0 to 1) that are cut right after they open, mostly before their first frame. */
  readonly early: number;
  /**
   * Mean lifetime of the other connections. Lifetimes are exponentially distributed, so that old and young connections
   * are equally likely to be cut.
   */
  readonly meanLifeMs: number;
}

export interface FaultyProxy {
  readonly url: string;
  readonly cuts: number;
  /** Number of connections for which no gateway was available. */
  readonly refused: number;
  /** Number of connections that a gateway accepted and closed without a response. */
  readonly dropped: number;
  /** Cuts every open connection. */
  cutAll(): void;
  /** Stops all faults: connections are no longer cut. */
  calm(): void;
}

const EARLY_MS = 60;
const LONGEST_SILENCE_MS = 1_000;

/** Listens on a free port, and forwards each connection to a random gateway that accepts connections. */
export async function startProxy(
  gatewayPorts: readonly number[],
  random: SeededRandom,
  wear: Wear | null = null,
): Promise<FaultyProxy> {
  const connections = new Set<Connection>();
  const count = { cuts: 0, refused: 0, dropped: 0 };
  let calm = wear === null;

  const server = createServer({ noDelay: true, pauseOnConnect: true }, async (client) => {
    client.on('error', () => client.destroy());
    const gateway = await reachAny(shuffled(gatewayPorts, random));
    if (!gateway || client.destroyed) {
      if (!gateway) count.refused += 1;
      gateway?.destroy();
      client.destroy();
      return;
    }
    const connection = new Connection(client, gateway, () => {
      connections.delete(connection);
      if (gateway.bytesRead === 0 && client.bytesRead > 0 && !connection.isCut) count.dropped += 1;
    });
    connections.add(connection);
    if (wear && !calm) {
      const lifeMs = random.chance(wear.early)
        ? random.between(0, EARLY_MS)
        : -Math.log(1 - random.between(0, 1)) * wear.meanLifeMs;
      connection.wearOut(lifeMs, () => {
        if (calm) return;
        count.cuts += 1;
        connection.cut(random);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(async () => {
    server.close();
    for (const connection of connections) connection.destroy();
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return count.cuts;
    },
    get refused() {
      return count.refused;
    },
    get dropped() {
      return count.dropped;
    },
    cutAll() {
      count.cuts += connections.size;
      for (const connection of connections) connection.destroy();
    },
    calm() {
      calm = true;
    },
  };
}

/** Connection of one client to one gateway. */
class Connection {
  readonly #client: Socket;
  readonly #gateway: Socket;
  isCut = false;
  #end: NodeJS.Timeout | undefined;

  constructor(client: Socket, gateway: Socket, onClose: () => void) {
    this.#client = client;
    this.#gateway = gateway;
    gateway.on('error', () => this.destroy());
    gateway.once('close', () => {
      clearTimeout(this.#end);
      client.end();
      onClose();
    });
    client.once('close', () => gateway.destroy());
    client.pipe(gateway);
    gateway.pipe(client);
  }

  wearOut(lifeMs: number, then: () => void): void {
    this.#end = setTimeout(then, lifeMs);
  }

  /**
   * Breaks the connection in one of three ways: immediately, in the middle of a frame, or after a silence in which data
   * of the gateway is held back and then lost.
   */
  cut(random: SeededRandom): void {
    this.isCut = true;
    const way = random.pick({ AT_ONCE: 2, MID_FRAME: 1, AFTER_SILENCE: 1 });
    if (way === 'AT_ONCE') {
      this.destroy();
      return;
    }
    this.#gateway.unpipe(this.#client);
    this.#end = setTimeout(() => this.destroy(), random.between(0, LONGEST_SILENCE_MS));
    if (way === 'AFTER_SILENCE') return;
    this.#gateway.once('data', (bytes) => {
      this.#client.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => this.destroy());
    });
    this.#gateway.resume();
  }

  /** Resets the connection at both ends. */
  destroy(): void {
    this.isCut = true;
    clearTimeout(this.#end);
    this.#client.resetAndDestroy();
    this.#gateway.resetAndDestroy();
  }
}

async function reachAny(ports: readonly number[]): Promise<Socket | null> {
  for (const port of ports) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const reached = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (reached) return socket;
  }
  return null;
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const from = random.integer(0, items.length - 1);
  return items.map((_, index) => items[(from + index) % items.length] as T);
}
