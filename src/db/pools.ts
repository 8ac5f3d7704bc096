import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { faultOf } from './faults.ts';
import { ServerClient } from './server-client.ts';
import { type Servers, serversOf } from './servers.ts';
import type { WriteWatch } from './write-watch.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const PROBE_AFTER_MS = 10_000;
/** A new connection has every statement to plan, which costs a burst's first requests tens of milliseconds. */
const IDLE_TIMEOUT_MS = 600_000;
/** How long a stop waits for what is in hand; a commit may hang for ever. */
const CLOSE_TIMEOUT_MS = 5_000;
const FAREWELL_TIMEOUT_MS = 1_000;

export interface PoolOptions {
  readonly url: string;
  readonly size: number;
  /** What PostgreSQL's list of connections (`pg_stat_activity`) calls them. */
  readonly name: string;
  /** Told of connections that broke; the pool replaces them by itself. */
  readonly onError: (error: Error) => void;
  /** After so long without an answer a connection counts as dead; 0: never. */
  readonly answerTimeoutMs?: number;
}

type Connected = (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void;

/** Pool of the gateway's connections. */
export class GatewayPool extends pg.Pool {
  readonly #clients = new Set<pg.PoolClient>();
  /** Each resolves when a connection has ended. */
  readonly #open = new Set<Promise<void>>();
  readonly #servers: Servers;

  constructor({ url, size, name, onError, answerTimeoutMs }: PoolOptions) {
    const servers = serversOf(url);
    super({
      Client: ServerClient,
      servers,
      max: size,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: PROBE_AFTER_MS,
      application_name: name,
      // A transaction's statements do not wait for each other's answers, only the code for those that it needs.
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
      // The pool only listens to idle connections: one that breaks while in use would end the process.
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

  /** A connection to a server that is not known to have been demoted, by whichever way to one works. */
  protected async acquire(): Promise<pg.PoolClient> {
    for (let tried = 1; ; ) {
      try {
        const client = await super.connect();
        if (!(client as unknown as ServerClient).isDistrusted) return client;
        client.release(true);
      } catch (error) {
        // A pool that is used up is no fault of the server's.
        if (tried >= this.#servers.tries || faultOf(error) === 'OVERLOADED') throw error;
        tried += 1;
      }
    }
  }

  /**
   * Waits for what is in hand, but not for ever, and then for the connections to end: `end` alone resolves while their
   * farewells are still under way, and a server that is stopped then breaks them, as if it had failed.
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
 * Turns just-in-time compilation off for the connection. It is on by default, compiles a plan again on every call, and
 * takes 100 ms and more where the gateway's longest statements run for a fraction of that. Servers without JIT ignore it.
 */
function turnJitOff(client: pg.PoolClient): void {
  // If the connection fails here, the statement after this one says so.
  client.query('set jit = off').catch(() => {});
}

/** Pool for writes, which refuses them while commits stall, and gives up those that are under way by then. */
export class WritePool extends GatewayPool {
  /** Set once it is watched whether the database takes writes. */
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
      // Its caller was told that nothing came of it: what it waited for is for others.
      connecting.then((client) => client.release()).catch(() => {});
      throw error;
    }
  }

  /** Resolves like a write on one of this pool's connections; see `WriteWatch`. */
  giveUpIfStalled<T>(write: Promise<T>): Promise<T> {
    return this.watch ? this.watch.unlessStalled(write) : write;
  }
}
