import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Node's diagnostics channel for every TCP socket that is about to connect. */
const CHANNEL = 'net.client.socket';
const opener = new AsyncLocalStorage<object>();

/**
 * Runs `work` and calls `onSocket` for every TCP socket that `work` opens. Needed because some clients drop a
 * socket without closing it, for example if a server accepts the connection and never answers.
 */
export async function trackOpenedSockets<T>(
  onSocket: (socket: Socket) => void,
  work: () => Promise<T>,
): Promise<T> {
  const self = {};
  const listener = (message: unknown) => {
    if (opener.getStore() === self) onSocket((message as { socket: Socket }).socket);
  };
  subscribe(CHANNEL, listener);
  try {
    return await opener.run(self, work);
  } finally {
    unsubscribe(CHANNEL, listener);
  }
}
