import pg from 'pg';
import { openClient } from './server-client.ts';

const CHECK = { application_name: 'vkyc-gateway start' };
/** duplicate_prepared_statement, and invalid_sql_statement_name for one that is missing. */
const LOST_STATEMENT = ['42P05', '26000'];

export type Pooling =
  /** Each connection has a session of the server to itself: no pooler, or one in session mode. */
  | 'NONE'
  /** A pooler hands out sessions by the transaction, and keeps track of prepared statements. */
  | 'BY_TRANSACTION'
  /** The same, but the statements that one connection prepares get in the way of another. */
  | 'WITHOUT_PREPARED_STATEMENTS';

/** Returns how a pooler (such as PgBouncer) between the gateway and its database shares the server's sessions, if at all. */
export async function findPooling(url: string): Promise<Pooling> {
  const clients: pg.Client[] = [];
  // One after the other, and nothing in between: a pooler gives the second connection the session that the first left.
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
  /** Migrations hold a lock of their session. */
  readonly migrateUrl: string;
  /** Null if nothing listens in the database. Notifications arrive in the session that asked for them. */
  readonly listenUrl: string | null;
}

/** Returns what to do about a pooler that the gateway cannot work behind, or null. */
export async function explainPooling({ url, migrateUrl, listenUrl }: DatabaseUrls): Promise<string | null> {
  const found = new Map<string, Pooling>();
  for (const each of new Set([url, migrateUrl, listenUrl ?? url])) found.set(each, await findPooling(each));
  if (found.get(url) === 'WITHOUT_PREPARED_STATEMENTS')
    return (
      'DATABASE_URL: the pooler there shares connections by the transaction and loses prepared statements.\n' +
      'Use PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode=session, or the address of PostgreSQL itself.'
    );
  if (found.get(migrateUrl) !== 'NONE')
    return (
      'MIGRATE_DATABASE_URL: migrations hold a lock for as long as their connection lasts, which the pooler there shares.\n' +
      'Set it to the address of PostgreSQL itself, or of a pooler with pool_mode=session.'
    );
  if (listenUrl !== null && found.get(listenUrl) !== 'NONE')
    return (
      'LISTEN_DATABASE_URL: notifications arrive only at a connection that is not shared, and the pooler there shares it.\n' +
      'Set it to the address of PostgreSQL itself, or of a pooler with pool_mode=session; or use NATS_URL between replicas.'
    );
  return null;
}
