import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from './client.ts';
import { preparedWrite } from './prepared.ts';

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
  // Ours, so that it can be hung up whatever state the protocol is in: a dead peer answers no farewell.
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: url,
    stream: () => socket,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.probeTimeoutMs,
    application_name: 'vkyc-gateway doorbell',
  });
  const broken = new AbortController();
  client.on('error', (error) => broken.abort(error));
  client.on('end', () => broken.abort(new Error('The connection was closed')));
  client.on('notification', ({ payload = '' }) => onText(payload));
  const hangUp = () => socket.destroy();
  stopping.addEventListener('abort', hangUp);
  try {
    await client.connect();
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
