import type pg from 'pg';
import { classifyFault } from './connection-errors.ts';
import { type Attempt, type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';

/**
 * Connect timeout per host if there are several: a host that does not answer must not use up the time for
 * trying the other hosts.
 */
const HOST_TIMEOUT_MS = 4_000;
const ONLY_HOST_TIMEOUT_MS = 10_000;
/**
 * Minimum interval between two renewals of all connections: after a failover, every write that is refused
 * reports the read-only server again.
 */
const MIN_DISTRUST_INTERVAL_MS = 5_000;

/**
 * Servers of a database URL, and which of them to try next: the last server that worked, then the other
 * servers in order. All connections of a URL share one object, so that a failover that one connection finds
 * helps all others.
 */
export class Servers {
  readonly url: DatabaseUrl;
  /**
   * Number that is incremented on suspicion of a failover. Connections of an earlier generation may lead to a
   * demoted server.
   */
  generation = 0;
  #next = 0;
  #distrustedAt = Number.NEGATIVE_INFINITY;

  constructor(url: DatabaseUrl) {
    this.url = url;
  }

  /** Number of attempts until every attempt of the URL has failed once. */
  get tries(): number {
    return this.url.attempts.length;
  }

  next(): Attempt {
    return this.url.attempts[this.#next] as Attempt;
  }

  configOf({ host, port, ssl }: Attempt): pg.ClientConfig {
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
   * Records a failed attempt: the next connection tries another one. The same host with the other TLS option
   * comes next only if the server answered and refused the connection.
   */
  failed(attempt: Attempt, error: unknown): void {
    const { attempts } = this.url;
    const index = attempts.indexOf(attempt);
    // Another connection has already recorded this failure and moved on.
    if (index !== this.#next) return;
    const unreachable = classifyFault(error) !== 'REFUSED';
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

  worked(attempt: Attempt): void {
    this.#next = this.url.attempts.indexOf(attempt);
  }

  /** Records that a server refused a write as read-only: existing connections are not used again. */
  distrust(): void {
    const now = performance.now();
    if (now - this.#distrustedAt < MIN_DISTRUST_INTERVAL_MS) return;
    this.#distrustedAt = now;
    this.generation += 1;
  }
}

const known = new Map<string, Servers>();

/**
 * Returns the `Servers` of a URL: the same object for all connections of this process.
 *
 * @throws {DatabaseUrlError} if the URL cannot be used
 */
export function getServers(url: string): Servers {
  let servers = known.get(url);
  if (!servers) {
    servers = new Servers(parseDatabaseUrl(url));
    known.set(url, servers);
  }
  return servers;
}
