import type pg from 'pg';
import { classifyDatabaseFault } from './connection-errors.ts';
import { type ConnectionTarget, type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';

/**
 * Connect timeout per host if the URL names several hosts: one silent host must not use up the time for
 * trying the others.
 */
const HOST_TIMEOUT_MS = 4_000;
const ONLY_HOST_TIMEOUT_MS = 10_000;
/**
 * Minimum interval between two renewals of all connections: after a failover, each write that the demoted
 * server refuses would otherwise renew them again.
 */
const MIN_DISTRUST_INTERVAL_MS = 5_000;

/**
 * Servers of a database URL, and the server to try next: the last one that worked, then the others in order.
 * All connections of a URL share one `DatabaseServers` object, so that a failover found by one connection helps all.
 */
export class DatabaseServers {
  readonly url: DatabaseUrl;
  /**
   * Number that is incremented when a failover is suspected. Connections created under a lower number may
   * lead to a demoted server.
   */
  generation = 0;
  #next = 0;
  #distrustedAt = Number.NEGATIVE_INFINITY;

  constructor(url: DatabaseUrl) {
    this.url = url;
  }

  /** Number of connection attempts after which every server of the URL has been tried once. */
  get tries(): number {
    return this.url.attempts.length;
  }

  next(): ConnectionTarget {
    return this.url.attempts[this.#next] as ConnectionTarget;
  }

  configOf({ host, port, ssl }: ConnectionTarget): pg.ClientConfig {
    const { user, password, database, options, connectTimeoutMs, attempts } = this.url;
    const several = new Set(attempts.map((attempt) => `${attempt.host}:${attempt.port}`)).size > 1;
    const given = { host, port, user, password, database, options };
    return {
      ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as object),
      ssl,
      connectionTimeoutMillis: connectTimeoutMs ?? (several ? HOST_TIMEOUT_MS : ONLY_HOST_TIMEOUT_MS),
    };
  }

  /**
   * Records a failed attempt, so that the next connection tries another server. The same host is tried with
   * the other TLS option (sslmode prefer or allow) only if the server answered and refused the connection.
   */
  failed(attempt: ConnectionTarget, error: unknown): void {
    const { attempts } = this.url;
    const index = attempts.indexOf(attempt);
    // Another connection has already recorded this failure, so `#next` already names another attempt.
    if (index !== this.#next) return;
    const unreachable = classifyDatabaseFault(error) !== 'REFUSED';
    let next = index + 1;
    if (unreachable)
      while (
        next < attempts.length &&
        attempts[next]?.host === attempt.host &&
        attempts[next]?.port === attempt.port
      )
        next += 1;
    this.#next = next % attempts.length;
  }

  worked(attempt: ConnectionTarget): void {
    this.#next = this.url.attempts.indexOf(attempt);
  }

  /**
   * Records that a server refused a write as read-only (it was demoted). Pools then discard all existing
   * connections.
   */
  distrust(): void {
    const now = performance.now();
    if (now - this.#distrustedAt < MIN_DISTRUST_INTERVAL_MS) return;
    this.#distrustedAt = now;
    this.generation += 1;
  }
}

const known = new Map<string, DatabaseServers>();

/**
 * Returns the `DatabaseServers` of a URL. All connections of this process to the URL share this object.
 *
 * @throws {DatabaseUrlError} if the URL cannot be used
 */
export function getDatabaseServers(url: string): DatabaseServers {
  let servers = known.get(url);
  if (!servers) {
    servers = new DatabaseServers(parseDatabaseUrl(url));
    known.set(url, servers);
  }
  return servers;
}
