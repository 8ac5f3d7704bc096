/** TCP proxy that can cut connections, refuse them, or keep them open without passing on data. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atTheEnd } from '../harness/gateway.ts';

export interface Cuttable {
  /** Host and port for clients, without a scheme. */
  readonly host: string;
  /** Number of connections, including refused ones. */
  readonly connections: number;
  cut(): void;
  /** Closes the next `count` connections as soon as they arrive. */
  refuse(count: number): void;
  /** Keeps the current connections open, but passes on no data. */
  freeze(): void;
  /** Holds back data from the server, on current and later connections, until `release`. */
  hold(): void;
  /** Data that `hold` keeps back at present, as text. */
  readonly held: string;
  release(): void;
}

/**
 * Starts a proxy to a server, which runs until the test ends. `rewrite` may change the server's data, but must keep its
 * length (HTTP and WebSocket frames state lengths).
 */
export async function cuttable(
  serverUrl: string,
  rewrite: (sent: Buffer) => Buffer = (sent) => sent,
): Promise<Cuttable> {
  const target = Number(new URL(serverUrl).port);
  const pairs = new Set<[Socket, Socket]>();
  let connections = 0;
  let refusing = 0;
  let held: { bytes: Buffer; pass(): void }[] | null = null;
  const server = createServer((client) => {
    connections += 1;
    client.on('error', () => {});
    if (refusing > 0) {
      refusing -= 1;
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    upstream.on('error', () => {});
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (bytes) => {
        const pass = () => void to.write(from === upstream ? rewrite(bytes) : bytes);
        if (held && from === upstream) held.push({ bytes, pass });
        else pass();
      });
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  atTheEnd(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cut,
    refuse: (count) => {
      refusing = count;
    },
    hold: () => {
      held = [];
    },
    get held() {
      return (held ?? []).map(({ bytes }) => bytes).join('');
    },
    release: () => {
      for (const { pass } of held ?? []) pass();
      held = null;
    },
    freeze: () => {
      for (const socket of [...pairs].flat()) socket.removeAllListeners('data').resume();
    },
  };
}
