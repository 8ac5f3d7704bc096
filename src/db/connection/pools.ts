import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { classifyFault } from './connection-errors.ts';
import { ServerClient } from './server-client.ts';
import { getServers, type Servers } from './servers.ts';
import type { WriteWatch } from './write-watch.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const PROBE_AFTER_MS = 10_000;
/**
 * Idle connections stay open for long: a new one must plan every statement again, which delays a burst's
 * first requests by tens of milliseconds.
 */
const IDLE_TIMEOUT_MS = 600_000;
/** Maximum wait for statements in flight at shutdown, since a commit may hang forever. */
const CLOSE_TIMEOUT_MS = 5_000;
const FAREWELL_TIMEOUT_MS = 1_000;

export interface PoolOptions {
  readonly url: string;
  readonly size: number;
  /** Application name of the connections in `pg_stat_activity`. */
  readonly name: string;
  /** Called for broken connections. The pool replaces them itself. */
  readonly onError: (error: Error) => void;
  /** A connection that does not answer a query for this long counts as dead; 0: no limit. */
  readonly answerTimeoutMs?: number;
}

type Connected = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void;

/**
 * Connection pool that replaces connections to demoted servers after a failover, and pipelines statements.
 */
export class GatewayPool extends pg.Pool {
  readonly #clients = new Set<pg.PoolClient>();
  /** One promise per open connection, which resolves when it has ended. */
  readonly #open = new Set<Promise<void>>();
  readonly #servers: Servers;

  constructor({ url, size, name, onError, answerTimeoutMs }: PoolOptions) {
    const servers = getServers(url);
    super({
      Client: ServerClient,
      servers,
      max: size,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: PROBE_AFTER_MS,
      application_name: name,
      // Pipelining: statements are sent without waiting for earlier results; only code that needs a result
      // awaits it.
      pipeline: true,
      ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    } as object);
    this.#servers = servers;
    this.on('error', onError);
    this.on('connect', (client) => {
      this.#clients.add(client);
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
      this.#open.add(ended);
      void ended.then(() => this.#open.delete(ended));
      // The pool handles errors of idle connections only. Without this listener, a connection that breaks
      // while in use would crash the process.
      client.on('error', onError);
      turnJitOff(client);
    });
    this.on('remove', (client) => this.#clients.delete(client));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): unknown {
    const connecting = this.acquire();
    if (!callback) return connecting;
    connecting.then(
      (client) => callback(undefined, client, client.release),
      (error) => callback(error, undefined, () => {}),
    );
  }

  /**
   * Returns a connection to a server that is not known to have been demoted. Tries each server of the URL.
   */
  protected async acquire(): Promise<pg.PoolClient> {
    for (let tried = 1; ; ) {
      try {
        const client = await super.connect();
        if (!(client as unknown as ServerClient).isDistrusted) return client;
        client.release(true);
      } catch (error) {
        // An exhausted pool is not the server's fault, so trying another server does not help.
        if (tried >= this.#servers.tries || classifyFault(error) === 'OVERLOADED') throw error;
        tried += 1;
      }
    }
  }

  /**
   * Waits for statements in flight, up to a timeout, and then for the connections to close. `end` alone
   * resolves while they are still closing; if the server stopped then, their sockets would break and look
   * like failures.
   */
  async close(): Promise<void> {
    const cutOff = setTimeout(() => {
      for (const client of this.#clients)
        (client as unknown as { connection: pg.Connection }).connection.stream.destroy();
    }, CLOSE_TIMEOUT_MS);
    await this.end().finally(() => clearTimeout(cutOff));
    await Promise.race([Promise.all(this.#open), delay(FAREWELL_TIMEOUT_MS, null, { ref: false })]);
  }
}

/**
 * Turns JIT compilation off for the connection. JIT is on by default, compiles a plan again on every call,
 * and takes 100 ms and more, while the gateway's longest statements take a fraction of that. Servers without
 * JIT ignore the setting.
 */
function turnJitOff(client: pg.PoolClient): void {
  // If the connection fails here, the next statement reports it.
  client.query('set jit = off').catch(() => {});
}

/** Write pool. While commits stall, it refuses new writes and rejects those in flight. */
export class WritePool extends GatewayPool {
  /** Monitor of the database's writes; null until it has started. */
  watch: WriteWatch | null = null;

  constructor(options: PoolOptions) {
    super(options);
    const query = this.query.bind(this) as (...args: unknown[]) => unknown;
    this.query = ((...args: unknown[]) => {
      const answer = query(...args);
      return answer instanceof Promise ? this.giveUpIfStalled(answer) : answer;
    }) as typeof this.query;
  }

  protected override async acquire(): Promise<pg.PoolClient> {
    this.watch?.refuseIfStalled();
    const connecting = super.acquire();
    try {
      return await this.giveUpIfStalled(connecting);
    } catch (error) {
      // The caller was already rejected, so a connection that still arrives is returned to the pool.
      connecting.then((client) => client.release()).catch(() => {});
      throw error;
    }
  }

  /** Resolves like `write`, but rejects as soon as commits stall; see `WriteWatch`. */
  giveUpIfStalled<T>(write: Promise<T>): Promise<T> {
    return this.watch ? this.watch.unlessStalled(write) : write;
  }
}
