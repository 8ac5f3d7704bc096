import type pg from 'pg';
import type { Attempt, WantedServer } from './database-url.ts';
import { faultOf, WrongServer } from './faults.ts';
import { type Servers, serversOf } from './servers.ts';
import { TimelyClient } from './timely-client.ts';

export interface ServerClientConfig extends pg.ClientConfig {
  readonly servers: Servers;
  /** See `TimelyClient`. */
  readonly answerTimeoutMs?: number;
}

type Callback = (error: Error | null) => void;

/** A question that is answered with `on` by a server that will not do. */
const DISQUALIFIERS: Record<Exclude<WantedServer, 'ANY'>, string> = {
  READ_WRITE: `select current_setting('transaction_read_only') as no`,
  PRIMARY: `select case when pg_is_in_recovery() then 'on' else 'off' end as no`,
};

/** Connection to one of several servers: to the one whose turn it is, and only if that is what is wanted. */
export class ServerClient extends TimelyClient {
  /** See `Servers`. */
  readonly generation: number;
  readonly #servers: Servers;
  readonly #attempt: Attempt;

  constructor(config: ServerClientConfig) {
    const { servers, ...rest } = config;
    const attempt = servers.next();
    super({ ...rest, ...servers.configOf(attempt) });
    this.#servers = servers;
    this.#attempt = attempt;
    this.generation = servers.generation;
    // Between being connected and whoever connected it listening, it may break already: the next query says so.
    this.on('error', () => {});
  }

  /** Whether its server may have been demoted since it was opened. */
  get isDistrusted(): boolean {
    return this.generation !== this.#servers.generation;
  }

  override connect(): Promise<this>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): unknown {
    const connecting = this.#connect();
    if (!callback) return connecting;
    connecting.then(
      () => callback(null),
      (error: Error) => callback(error),
    );
  }

  protected override onFailure(error: Error): void {
    if (faultOf(error) === 'READ_ONLY') this.#servers.distrust();
  }

  async #connect(): Promise<this> {
    try {
      await super.connect();
      await this.#checkServer();
      this.#servers.worked(this.#attempt);
      return this;
    } catch (error) {
      this.#servers.failed(this.#attempt, error);
      // Says first that this is meant: otherwise the driver would report that the connection broke.
      void this.end().catch(() => {});
      this.connection.stream.destroy();
      throw error;
    }
  }

  async #checkServer(): Promise<void> {
    const { wanted } = this.#servers.url;
    if (wanted === 'ANY') return;
    const { rows } = await (this as pg.Client).query<{ no: string }>(DISQUALIFIERS[wanted]);
    if (rows[0]?.no === 'on') throw new WrongServer();
  }
}

/** Connects by whichever server of a URL will do. */
export async function openClient(
  url: string,
  config: Omit<ServerClientConfig, 'servers'> = {},
): Promise<pg.Client> {
  const servers = serversOf(url);
  for (let tried = 1; ; tried += 1) {
    const client = new ServerClient({ ...config, servers });
    try {
      return (await client.connect()) as pg.Client;
    } catch (error) {
      if (tried >= servers.tries) throw error;
    }
  }
}
