import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { classifyDatabaseFault } from './connection-errors.ts';
import { DatabaseServerClient } from './server-client.ts';
import { type DatabaseServers, getDatabaseServers } from './servers.ts';
import type { WriteWatch } from './write-watch.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const PROBE_AFTER_MS = 10_000;
/**
 * Idle timeout of connections. Long, because a new connection must plan every statement again, which delays
 * the first requests of a burst by tens of milliseconds.
 */
const IDLE_TIMEOUT_MS = 600_000;
/** Maximum time that a shutdown waits for statements in flight, since a commit may hang forever. */
const CLOSE_TIMEOUT_MS = 5_000;
const FAREWELL_TIMEOUT_MS = 1_000;

export interface PoolOptions {
  readonly url: string;
  readonly size: number;
  /** Name that the connections show in `pg_stat_activity` (`application_name`). */
  readonly name: string;
  /** Called when a connection breaks. The pool itself replaces the connection. */
  readonly onError: (error: Error) => void;
  /** A connection that does not answer a query for this long counts as dead; 0 means no limit. */
  readonly answerTimeoutMs?: number;
}

type Connected = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void;

/**
 * Connection pool that pipelines statements, and after a failover replaces connections to the demoted server.
 */
export class GatewayPool extends pg.Pool {
  readonly #clients = new Set<pg.PoolClient>();
  /** One promise for each open connection; it resolves when the connection has ended. */
  readonly #open = new Set<Promise<void>>();
  readonly #servers: DatabaseServers;

  constructor({ url, size, name, onError, answerTimeoutMs }: PoolOptions) {
    const servers = getDatabaseServers(url);
    super({
      Client: DatabaseServerClient,
      servers,
      max: size,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: PROBE_AFTER_MS,
      application_name: name,
      // Pipelining: a statement is sent without waiting for the results of earlier ones, which saves round
      // trips.
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
      // The pool handles errors of idle connections only. A connection that breaks while in use would crash
      // the process if it had no listener.
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
   * Returns a connection, trying each server of the URL. Skips connections to a server that may have been
   * demoted (failover).
   */
  protected async acquire(): Promise<pg.PoolClient> {
    for (let tried = 1; ; ) {
      try {
        const client = await super.connect();
        if (!(client as unknown as DatabaseServerClient).isDistrusted) return client;
        client.release(true);
      } catch (error) {
        // OVERLOADED may mean that this pool is exhausted, so trying another server does not help.
        if (tried >= this.#servers.tries || classifyDatabaseFault(error) === 'OVERLOADED') throw error;
        tried += 1;
      }
    }
  }

  /**
   * Closes the pool: waits for statements in flight, up to a timeout, and then until the connections are
   * closed. `end` alone resolves while connections are still closing; a server that stops at that moment
   * would break them, which would look like a failure.
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
 * Turns PostgreSQL's JIT compilation off for the connection. JIT is on by default, compiles a plan on every
 * call, and takes 100 ms and more, while the gateway's longest statements take a fraction of that. Servers
 * without JIT ignore the setting.
 */
function turnJitOff(client: pg.PoolClient): void {
  // An error is ignored here: if the connection broke, the next statement fails and reports it.
  client.query('set jit = off').catch(() => {});
}

/**
 * Write pool. While commits stall (for example because a synchronous standby is lost), the pool refuses new
 * writes and rejects the writes in flight.
 */
export class WritePool extends GatewayPool {
  /** Monitor that detects stalled commits; null until monitoring has started. */
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
      // The caller got an error instead of a connection. If the connection still arrives later, return it to
      // the pool.
      connecting.then((client) => client.release()).catch(() => {});
      throw error;
    }
  }

  /** Returns a promise that settles like `write`, but rejects as soon as commits stall; see `WriteWatch`. */
  giveUpIfStalled<T>(write: Promise<T>): Promise<T> {
    return this.watch ? this.watch.unlessStalled(write) : write;
  }
}
