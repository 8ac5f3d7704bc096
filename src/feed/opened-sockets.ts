import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** On which Node tells of every TCP socket that is about to connect. */
const CHANNEL = 'net.client.socket';
const opener = new AsyncLocalStorage<object>();

/**
 * Does some work, and tells of every socket that it opens before it is done. For clients that let go of a socket without
 * closing it, such as where a server takes the connection and never says a word.
 */
export async function tellingOfSockets<T>(
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
