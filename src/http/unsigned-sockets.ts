import type { IncomingMessage } from 'node:http';
import type { AddressOf } from './addresses.ts';

/**
 * Maximum number of WebSockets per address that have not signed in. A socket has 3 s to sign in (graphql-ws)
 * and takes memory until then; many clients may share an address, and all of them reconnect after a restart.
 */
export const MAX_UNSIGNED_SOCKETS = 500;

/** Counts the WebSockets that have not signed in, by address. */
export class UnsignedSockets {
  readonly #addressOf: AddressOf;
  readonly #counts = new Map<string, number>();
  readonly #leaving = new WeakMap<IncomingMessage, () => void>();

  constructor(addressOf: AddressOf) {
    this.#addressOf = addressOf;
  }

  /**
   * Counts the socket of an upgrade request until it signs in or closes. Returns false if its address has too
   * many.
   */
  enter(request: IncomingMessage): boolean {
    const address = this.#addressOf(request);
    const count = this.#counts.get(address) ?? 0;
    if (count >= MAX_UNSIGNED_SOCKETS) return false;
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

  /** Stops counting the socket of a request. */
  leave(request: IncomingMessage): void {
    this.#leaving.get(request)?.();
  }
}
