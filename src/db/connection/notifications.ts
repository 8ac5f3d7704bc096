import { setTimeout as wait } from 'node:timers/promises';
import { prepareWriteReturningColumn } from '../statements/prepared.ts';
import type { Database } from './client.ts';
import { DatabaseServerClient } from './server-client.ts';
import { getDatabaseServers } from './servers.ts';

/**
 * Sends texts of less than 8,000 bytes each to everyone who listens on the channel (`pg_notify`). PostgreSQL
 * delivers them in order when the transaction commits.
 */
export async function notifyChannel(db: Database, channel: string, texts: readonly string[]): Promise<void> {
  await sendAll(db, channel, texts);
}

const sendAll = prepareWriteReturningColumn(
  'notify',
  'select pg_notify($1, text) from unnest($2::text[]) as text',
);

/** Timings of a connection that listens (LISTEN). */
export interface ListenTimings {
  readonly connectTimeoutMs: number;
  /** Pause between the answer to a liveness check and the next check. */
  readonly probeEveryMs: number;
  readonly probeTimeoutMs: number;
}

interface ListenOptions extends ListenTimings {
  /**
   * URL of the database, without a pooler in transaction mode: such a pooler would lose the LISTEN, which
   * belongs to one server session.
   */
  readonly url: string;
  /** Channel name that is valid as an unquoted SQL identifier. */
  readonly channel: string;
  readonly stopping: AbortSignal;
  /** Called once LISTEN is active; notifications sent before that moment were missed. */
  readonly onListening: () => void;
  /** Called with each notification's text. Must not throw. */
  readonly onText: (text: string) => void;
}

const KEEPALIVE_AFTER_MS = 10_000;

/**
 * Listens on a dedicated connection until the connection breaks or `stopping` is aborted. Then always
 * rejects, with the reason.
 */
export async function listenUntilBroken(options: ListenOptions): Promise<never> {
  const { url, channel, stopping, onListening, onText } = options;
  stopping.throwIfAborted();
  const servers = getDatabaseServers(url);
  const broken = new AbortController();
  const newClient = () =>
    new DatabaseServerClient({
      servers,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
      query_timeout: options.probeTimeoutMs,
      application_name: 'vkyc-gateway doorbell',
    });
  let client = newClient();
  // Destroys the socket, in any state of the protocol: a dead peer would never answer an orderly close.
  const hangUp = () => client.connection.stream.destroy();
  const connectOnce = () => {
    const late = setTimeout(hangUp, options.connectTimeoutMs);
    return client.connect().finally(() => clearTimeout(late));
  };
  stopping.addEventListener('abort', hangUp);
  try {
    for (
      let tried = 1;
      !(await connectOnce().catch((error) => rethrowIf(tried >= servers.tries, error)));
      tried += 1
    ) {
      stopping.throwIfAborted();
      client = newClient();
    }
    client.on('error', (error) => broken.abort(error));
    client.on('end', () => broken.abort(new Error('the connection was closed')));
    client.on('notification', ({ payload = '' }) => onText(payload));
    await client.query(`listen ${channel}`);
    onListening();
    for (;;) {
      await wait(options.probeEveryMs, undefined, { signal: broken.signal }).catch(() => {});
      broken.signal.throwIfAborted();
      // Liveness check: repeating LISTEN is idempotent, and shows the connection's purpose in
      // pg_stat_activity.
      await client.query(`listen ${channel}`);
    }
  } finally {
    stopping.removeEventListener('abort', hangUp);
    hangUp();
  }
}

/**
 * Throws the error if no other server of the URL is left to try; otherwise returns null, so that the loop
 * tries the next server.
 */
function rethrowIf(last: boolean, error: unknown): null {
  if (last) throw error;
  return null;
}
