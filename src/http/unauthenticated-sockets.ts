import type { IncomingMessage } from 'node:http';
import type { FindClientAddress } from './addresses.ts';

/**
 * Maximum number of WebSockets per client address that have not signed in. Each takes memory for up to 3 s,
 * the time that graphql-ws gives a socket to sign in. The limit is high, because many clients may share an
 * address and reconnect at the same moment after a restart.
 */
export const MAX_UNAUTHENTICATED_SOCKETS_PER_ADDRESS = 500;

/** Counts, by client address, the WebSockets that have not signed in yet. */
export class UnauthenticatedSocketCounter {
  readonly #addressOf: FindClientAddress;
  readonly #counts = new Map<string, number>();
  readonly #leaving = new WeakMap<IncomingMessage, () => void>();

  constructor(addressOf: FindClientAddress) {
    this.#addressOf = addressOf;
  }

  /**
   * Counts the socket of an upgrade request until the socket signs in or closes. Returns false, and does not
   * count the socket, if its address has too many.
   */
  enter(request: IncomingMessage): boolean {
    const address = this.#addressOf(request);
    const count = this.#counts.get(address) ?? 0;
    if (count >= MAX_UNAUTHENTICATED_SOCKETS_PER_ADDRESS) return false;
    this.#counts.set(address, count + 1);
    const leave = () => {
      if (!this.#leaving.delete(request)) return;
      const left = (this.#counts.get(address) ?? 1) - 1;
      if (left > 0) this.#counts.set(address, left);
      else this.#counts.delete(address);
    };
    this.#leaving.set(request, leave);
    request.socket.once('close', leave);
    return true;
  }

  /** Stops counting the socket of an upgrade request, because it has signed in. */
  leave(request: IncomingMessage): void {
    this.#leaving.get(request)?.();
  }
}
