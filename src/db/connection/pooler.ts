import pg from 'pg';
import { openClient } from './server-client.ts';

const CHECK = { application_name: 'vkyc-gateway start' };
/**
 * SQLSTATEs of a prepared statement that collides (duplicate_prepared_statement) or is missing
 * (invalid_sql_statement_name).
 */
const LOST_STATEMENT = ['42P05', '26000'];

export type PoolerMode =
  /** Each connection has its own server session: there is no pooler, or a pooler in session mode. */
  | 'NONE'
  /** A pooler in transaction mode that tracks prepared statements. */
  | 'BY_TRANSACTION'
  /**
   * A pooler in transaction mode that does not track prepared statements, so statements prepared by different
   * connections collide.
   */
  | 'WITHOUT_PREPARED_STATEMENTS';

/**
 * Detects whether a pooler (such as PgBouncer) shares server sessions between connections, and whether it
 * tracks prepared statements.
 */
export async function detectPoolerMode(url: string): Promise<PoolerMode> {
  const clients: pg.Client[] = [];
  // The queries run one after the other on purpose: a pooler in transaction mode then gives the second
  // connection the server session that the first one just released.
  const ask = async (client: pg.Client) =>
    (await client.query<{ pid: number }>({ name: 'find pooling', text: 'select pg_backend_pid() as pid' }))
      .rows[0]?.pid;
  try {
    for (let opened = 0; opened < 2; opened += 1) clients.push(await openClient(url, CHECK));
    const [one, other] = clients as [pg.Client, pg.Client];
    const sessions = [await ask(one), await ask(other), await ask(one)];
    return sessions[0] === sessions[1] ? 'BY_TRANSACTION' : 'NONE';
  } catch (error) {
    if (error instanceof pg.DatabaseError && LOST_STATEMENT.includes(error.code ?? ''))
      return 'WITHOUT_PREPARED_STATEMENTS';
    throw error;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

export interface DatabaseUrls {
  readonly url: string;
  /** URL for migrations. A pooler in transaction mode would break their session-level advisory lock. */
  readonly migrateUrl: string;
  /**
   * URL for LISTEN, whose notifications arrive only in the server session that listens; null if LISTEN is not
   * used (NATS).
   */
  readonly listenUrl: string | null;
}

/**
 * Returns an error text with advice if the gateway cannot work with the pooler behind one of the URLs;
 * otherwise null.
 */
export async function findPoolerProblem({
  url,
  migrateUrl,
  listenUrl,
}: DatabaseUrls): Promise<string | null> {
  const found = new Map<string, PoolerMode>();
  for (const each of new Set([url, migrateUrl, listenUrl ?? url]))
    found.set(each, await detectPoolerMode(each));
  if (found.get(url) === 'WITHOUT_PREPARED_STATEMENTS')
    return (
      'DATABASE_URL: its pooler assigns connections per transaction and loses prepared statements.\n' +
      'Use PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode=session, or connect to PostgreSQL directly.'
    );
  if (found.get(migrateUrl) !== 'NONE')
    return (
      'MIGRATE_DATABASE_URL: migrations hold an advisory lock on their connection, which its pooler would share.\n' +
      'Set it to PostgreSQL itself, or to a pooler with pool_mode=session.'
    );
  if (listenUrl !== null && found.get(listenUrl) !== 'NONE')
    return (
      'LISTEN_DATABASE_URL: LISTEN needs a connection of its own, which its pooler would share.\n' +
      'Set it to PostgreSQL itself or to a pooler with pool_mode=session, or set NATS_URL.'
    );
  return null;
}
