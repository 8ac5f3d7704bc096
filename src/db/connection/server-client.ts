import type pg from 'pg';
import { classifyDatabaseFault, ReadOnlyServerError } from './connection-errors.ts';
import type { ConnectionTarget, WantedServerKind } from './database-url.ts';
import { type DatabaseServers, getDatabaseServers } from './servers.ts';
import { QueryTimeoutClient } from './timeout-client.ts';

export interface ServerClientConfig extends pg.ClientConfig {
  readonly servers: DatabaseServers;
  /** If a query is not answered for this long, the connection is destroyed; 0 means no limit. */
  readonly answerTimeoutMs?: number;
}

type Callback = (error: Error | null) => void;

/** Queries that check the kind of a server: the column `rejected` is `on` if the server must not be used. */
const DISQUALIFIERS: Record<Exclude<WantedServerKind, 'ANY'>, string> = {
  READ_WRITE: `select current_setting('transaction_read_only') as rejected`,
  PRIMARY: `select case when pg_is_in_recovery() then 'on' else 'off' end as rejected`,
};

/**
 * Connection to one server of the database URL, chosen by `DatabaseServers.next`. Connecting fails if the server is
 * not of the wanted kind.
 */
export class DatabaseServerClient extends QueryTimeoutClient {
  /** Value of `DatabaseServers.generation` when the connection was created, see `isDistrusted`. */
  readonly generation: number;
  readonly #servers: DatabaseServers;
  readonly #attempt: ConnectionTarget;

  constructor(config: ServerClientConfig) {
    const { servers, ...rest } = config;
    const attempt = servers.next();
    super({ ...rest, ...servers.configOf(attempt) });
    this.#servers = servers;
    this.#attempt = attempt;
    this.generation = servers.generation;
    // An `error` event without a listener would crash the process. The caller adds a listener later, and the
    // next query reports the error anyway.
    this.on('error', () => {});
  }

  /** Whether the server may have been demoted to a standby (failover) since the connection was opened. */
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
    if (classifyDatabaseFault(error) === 'READ_ONLY') this.#servers.distrust();
  }

  async #connect(): Promise<this> {
    try {
      await super.connect();
      await this.#checkServer();
      this.#servers.worked(this.#attempt);
      return this;
    } catch (error) {
      this.#servers.failed(this.#attempt, error);
      // `end` marks the close as intended. Without it, the driver would report a broken connection.
      void this.end().catch(() => {});
      this.connection.stream.destroy();
      throw error;
    }
  }

  async #checkServer(): Promise<void> {
    const { wanted } = this.#servers.url;
    if (wanted === 'ANY') return;
    const { rows } = await (this as pg.Client).query<{ rejected: string }>(DISQUALIFIERS[wanted]);
    if (rows[0]?.rejected === 'on') throw new ReadOnlyServerError();
  }
}

/** Connects to the first server of the URL that answers and is of the wanted kind. */
export async function openClient(
  url: string,
  config: Omit<ServerClientConfig, 'servers'> = {},
): Promise<pg.Client> {
  const servers = getDatabaseServers(url);
  for (let tried = 1; ; tried += 1) {
    const client = new DatabaseServerClient({ ...config, servers });
    try {
      return (await client.connect()) as pg.Client;
    } catch (error) {
      if (tried >= servers.tries) throw error;
    }
  }
}
