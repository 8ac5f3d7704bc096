import { GraphQLError } from 'graphql';
import type { Viewer } from '../domain/access.ts';
import { MAX_CLOCK_SKEW_SECONDS } from './sign-in.ts';

/**
 * Longest delay that setTimeout accepts (24.8 days). For a token that expires later, the timer is started
 * again.
 */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** Error for a client that has as many live connections as it may. */
export const createTooManyConnectionsError = (): GraphQLError =>
  new GraphQLError(
    'You have too many live connections: close some, or use one connection for several subscriptions.',
    { extensions: { code: 'TOO_MANY_CONNECTIONS' } },
  );

/** Error for a client that connects while the process is stopping. */
export const createReplicaStoppingError = (): GraphQLError =>
  new GraphQLError('This replica is shutting down: reconnect, to reach another replica.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });

/** Connection that stays open: a WebSocket, or a streamed response. */
export interface LiveConnection {
  /** Closes the connection because its token has expired. The client must reconnect with a new token. */
  closeForExpiry(): void;
  /**
   * Closes the connection because the process is stopping. The client must reconnect, to any replica.
   * Resolves once the connection is closed.
   */
  closeForRestart(): Promise<void>;
}

/**
 * All WebSockets and streams of this process. The class limits their number per client, closes each when its
 * token expires, and closes all of them at a shutdown.
 */
export class LiveConnections {
  readonly #mostPerClient: number;
  readonly #open = new Set<LiveConnection>();
  readonly #countByClient = new Map<string, number>();
  #stopping = false;

  constructor({ mostPerClient }: { mostPerClient: number }) {
    this.#mostPerClient = mostPerClient;
  }

  /**
   * Adds a connection. Returns a function that the caller must call once the connection has closed; null if
   * the client has too many connections, or the process is stopping.
   */
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

  /**
   * Whether a shutdown has begun, so that no more connections are added: clients must connect to another
   * replica.
   */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /**
   * Closes all connections, each at a random moment within the window (jitter), so that clients do not all
   * reconnect at the same moment (thundering herd).
   */
  async stop(windowSeconds: number): Promise<void> {
    this.#stopping = true;
    const leave = async (connection: LiveConnection) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * windowSeconds * 1000));
      if (this.#open.has(connection)) await connection.closeForRestart();
    };
    await Promise.all([...this.#open].map(leave));
  }
}

/**
 * Calls back when a token has expired, with the accepted clock skew added. Returns a function that cancels
 * the callback.
 */
function atExpiry(expiresAt: Date, callBack: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = expiresAt.getTime() + MAX_CLOCK_SKEW_SECONDS * 1000 - Date.now();
    timer = setTimeout(left > MAX_TIMEOUT_MS ? wait : callBack, Math.min(Math.max(0, left), MAX_TIMEOUT_MS));
  };
  wait();
  return () => clearTimeout(timer);
}
