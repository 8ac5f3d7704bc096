import type { Viewer } from '../domain/access.ts';
import { CLOCK_SKEW_SECONDS } from './sign-in.ts';

/** setTimeout's own limit; a token that lives longer is looked at again then. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** A connection that stays open: a WebSocket, or a response that is streamed. */
export interface LiveConnection {
  /** The token is no longer accepted: the client is to come back with a new one. */
  closeForExpiry(): void;
  /** The process stops: the client is to come back, to whichever replica. Resolves when it has gone. */
  sendAway(): Promise<void>;
}

/** All live connections of this process, on whichever transport: their limits, their tokens' ends, and their farewell. */
export class LiveConnections {
  readonly #mostPerClient: number;
  readonly #open = new Set<LiveConnection>();
  readonly #countByClient = new Map<string, number>();
  #stopping = false;

  constructor({ mostPerClient }: { mostPerClient: number }) {
    this.#mostPerClient = mostPerClient;
  }

  /** Returns what to call when it has closed; null where its client has as many as it may, or the process stops. */
  admit(connection: LiveConnection, viewer: Viewer): (() => void) | null {
    const count = this.#countByClient.get(viewer.id) ?? 0;
    if (count >= this.#mostPerClient || this.#stopping) return null;
    this.#countByClient.set(viewer.id, count + 1);
    this.#open.add(connection);
    const forgetExpiry = viewer.expiresAt
      ? atExpiry(viewer.expiresAt, () => connection.closeForExpiry())
      : null;
    return () => {
      if (!this.#open.delete(connection)) return;
      forgetExpiry?.();
      const left = (this.#countByClient.get(viewer.id) ?? 1) - 1;
      if (left > 0) this.#countByClient.set(viewer.id, left);
      else this.#countByClient.delete(viewer.id);
    };
  }

  /** From now on nobody is admitted: whoever still comes is to go to another replica. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Sends everyone away, each at a random moment of the window, so that they do not all come back at once. */
  async stop(windowSeconds: number): Promise<void> {
    this.#stopping = true;
    const leave = async (connection: LiveConnection) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * windowSeconds * 1000));
      if (this.#open.has(connection)) await connection.sendAway();
    };
    await Promise.all([...this.#open].map(leave));
  }
}

/** Calls back when a token is no longer accepted anywhere; returns how to forget it. */
function atExpiry(expiresAt: Date, callBack: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = expiresAt.getTime() + CLOCK_SKEW_SECONDS * 1000 - Date.now();
    timer = setTimeout(
      left > LONGEST_TIMEOUT_MS ? wait : callBack,
      Math.min(Math.max(0, left), LONGEST_TIMEOUT_MS),
    );
  };
  wait();
  return () => clearTimeout(timer);
}
