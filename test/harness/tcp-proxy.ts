/** TCP proxy whose connections can be cut, or can go silent, as behind a firewall that drops packets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { atTheEnd } from './gateway.ts';

export interface TcpProxy {
  /** URL of the target through this proxy. */
  readonly url: string;
  /** Closes new connections immediately. Open connections continue. */
  refuse(): void;
  /** Closes all connections, and from now on closes new connections immediately. */
  cut(): void;
  /** Drops all traffic silently, on old and new connections. */
  freeze(): void;
  /** Forwards new connections again. Connections that were frozen stay open but silent. */
  mend(): void;
  /** Forwards new connections to another server, like a virtual IP address after a failover. */
  redirect(url: string): void;
  /** Number of client connections that are open, including frozen ones. */
  readonly open: number;
  /** Number of connections so far, without refused connections. */
  readonly accepted: number;
}

/** Starts a TCP proxy to PostgreSQL, even if the database URL names a Unix socket. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const { user, database } = new pg.Client({ connectionString: databaseUrl });
  return startWire(databaseUrl, findDatabase, (own) => `postgres://${user}@127.0.0.1:${own}/${database}`);
}

function findDatabase(url: string): Target {
  const { host, port } = new pg.Client({ connectionString: url });
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
}

/** Starts a proxy to an HTTP server. */
export async function startHttpProxy(url: string): Promise<TcpProxy> {
  return startWire(url, findHttpServer, (own) => `http://127.0.0.1:${own}`);
}

function findHttpServer(url: string): Target {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) };
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

async function startWire(
  url: string,
  find: (url: string) => Target,
  urlOf: (port: number) => string,
): Promise<TcpProxy> {
  let target = find(url);
  const sockets = new Set<Socket>();
  let accepted = 0;
  let state: 'OPEN' | 'REFUSING' | 'FROZEN' = 'OPEN';

  const server = createServer((near) => {
    if (state === 'REFUSING') return void near.destroy();
    const far = state === 'OPEN' ? connect(target) : null;
    accepted += 1;
    sockets.add(near);
    near.on('error', () => {});
    near.on('close', () => {
      sockets.delete(near);
      far?.destroy();
    });
    // Reads and discards all bytes, because a socket emits `close` only if it is read.
    if (!far) return void near.resume();
    far.on('error', () => {});
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
    near.on('freeze', () => {
      near.unpipe(far).resume();
      far.unpipe(near).pause();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  atTheEnd(async () => {
    hangUp();
    server.close();
  });

  const { port: own } = server.address() as AddressInfo;
  return {
    url: urlOf(own),
    refuse() {
      state = 'REFUSING';
    },
    cut() {
      state = 'REFUSING';
      hangUp();
    },
    freeze() {
      state = 'FROZEN';
      for (const socket of sockets) socket.emit('freeze');
    },
    mend() {
      state = 'OPEN';
    },
    redirect(to) {
      target = find(to);
    },
    get open() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
  };
}
