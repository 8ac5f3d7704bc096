/** TCP proxy between a primary and its standby that can delay the replication stream, and drop the data in flight. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atTheEnd } from '../harness/gateway.ts';

export interface LaggingWire {
  readonly port: number;
  /** Delays all data from the primary by `ms` from now on. */
  lag(ms: number): void;
  /** Closes every connection and drops the data in flight, as if the primary's machine had failed. */
  cut(): void;
}

/** Listens on a free TCP port, and forwards connections to the Unix socket of a primary. */
export async function startLaggingWire(primarySocket: string): Promise<LaggingWire> {
  const sockets = new Set<Socket>();
  let lagMs = 0;
  const server = createServer({ noDelay: true }, (standby) => {
    const primary = connect(primarySocket);
    for (const socket of [standby, primary]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        standby.destroy();
        primary.destroy();
      });
    }
    standby.pipe(primary);
    deliverLate(primary, standby, () => lagMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  atTheEnd(async () => cut());
  return {
    port: (server.address() as AddressInfo).port,
    lag(ms) {
      lagMs = ms;
    },
    cut,
  };
}

/** Forwards chunks in order, each after the delay, without backpressure: the sender must not notice the lag. */
function deliverLate(from: Socket, to: Socket, lagMs: () => number): void {
  const held: { readonly dueAt: number; readonly chunk: Buffer }[] = [];
  const deliver = () => {
    while (held[0] && held[0].dueAt <= performance.now()) to.write(held.shift()?.chunk as Buffer);
    if (held[0] && !to.destroyed) setTimeout(deliver, held[0].dueAt - performance.now() + 1);
  };
  from.on('data', (chunk) => {
    held.push({ dueAt: performance.now() + lagMs(), chunk });
    if (held.length === 1) deliver();
  });
}
