import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from './client.ts';
import { preparedWrite } from './prepared.ts';
import { ServerClient } from './server-client.ts';
import { serversOf } from './servers.ts';

/** Sends texts of less than 8,000 bytes to whoever listens now; they arrive in order, and at once with the commit. */
export async function notify(db: Database, channel: string, texts: readonly string[]): Promise<void> {
  await sendAll(db, channel, texts);
}

const sendAll = preparedWrite('notify', 'select pg_notify($1, text) from unnest($2::text[]) as text');

/** How patient a listener is with its connection. */
export interface ListenTimings {
  readonly connectTimeoutMs: number;
  /** From one answer to the next question whether the connection lives. */
  readonly probeEveryMs: number;
  readonly probeTimeoutMs: number;
}

interface ListenOptions extends ListenTimings {
  /** Straight to the server: a pooler that changes sessions under its clients would lose the channel. */
  readonly url: string;
  /** An SQL name that needs no quotes. */
  readonly channel: string;
  readonly stopping: AbortSignal;
  /** From now on nothing is missed. */
  readonly onListening: () => void;
  /** Must not throw. */
  readonly onText: (text: string) => void;
}

const KEEPALIVE_AFTER_MS = 10_000;

/**
 * Listens on a connection of its own for as long as that lasts. Always rejects in the end: with what became of the
 * connection, or once told to stop.
 */
export async function listenOnce(options: ListenOptions): Promise<never> {
  const { url, channel, stopping, onListening, onText } = options;
  stopping.throwIfAborted();
  const servers = serversOf(url);
  const broken = new AbortController();
  const newClient = () =>
    new ServerClient({
      servers,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
      query_timeout: options.probeTimeoutMs,
      application_name: 'vkyc-gateway doorbell',
    });
  let client = newClient();
  // Whatever state the protocol is in: a dead peer answers no farewell.
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
    client.on('end', () => broken.abort(new Error('The connection was closed')));
    client.on('notification', ({ payload = '' }) => onText(payload));
    await client.query(`listen ${channel}`);
    onListening();
    for (;;) {
      await wait(options.probeEveryMs, undefined, { signal: broken.signal }).catch(() => {});
      broken.signal.throwIfAborted();
      // Listening again changes nothing on a connection that lives, and names its purpose in the server's list.
      await client.query(`listen ${channel}`);
    }
  } finally {
    stopping.removeEventListener('abort', hangUp);
    hangUp();
  }
}

/** Swallows an error while there is another server to try. */
function rethrowIf(last: boolean, error: unknown): null {
  if (last) throw error;
  return null;
}
