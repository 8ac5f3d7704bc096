import type pg from 'pg';
import { type Attempt, type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { faultOf } from './faults.ts';

/** For one host of several; a host that is silent must not use up the time of the others. */
const HOST_TIMEOUT_MS = 4_000;
const ONLY_HOST_TIMEOUT_MS = 10_000;
/** Every refused write says that a server is read-only: its connections are renewed no more often than this. */
const DISTRUST_EVERY_MS = 5_000;

/**
 * The servers of a database URL, and which of them to try next: the one that worked last, then the others in order. One
 * object for all connections of a URL, so that what one finds out of a failover helps the others.
 */
export class Servers {
  readonly url: DatabaseUrl;
  /** Connections that were opened under an earlier generation may lead to a server that was demoted. */
  generation = 0;
  #next = 0;
  #distrustedAt = Number.NEGATIVE_INFINITY;

  constructor(url: DatabaseUrl) {
    this.url = url;
  }

  /** How often a connection is tried until all ways have failed. */
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

  /** Notes that a way failed: the next connection tries another, and first the same host in the other way if that may help. */
  failed(attempt: Attempt, error: unknown): void {
    const { attempts } = this.url;
    const index = attempts.indexOf(attempt);
    // Another connection has found out already.
    if (index !== this.#next) return;
    const unreachable = faultOf(error) !== 'REFUSED';
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

  /** A server said that it takes no writes: connections to it are not used again. */
  distrust(): void {
    const now = performance.now();
    if (now - this.#distrustedAt < DISTRUST_EVERY_MS) return;
    this.#distrustedAt = now;
    this.generation += 1;
  }
}

const known = new Map<string, Servers>();

/** @throws {DatabaseUrlError} */
export function serversOf(url: string): Servers {
  let servers = known.get(url);
  if (!servers) {
    servers = new Servers(parseDatabaseUrl(url));
    known.set(url, servers);
  }
  return servers;
}
