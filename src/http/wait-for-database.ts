import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { RAW_RESPONSE_HEADERS } from './raw-response.ts';

const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
/**
 * Time after which the placeholder server opens even if nothing has failed, because the database work takes
 * long: a migration that waits for a lock, or a commit that hangs.
 */
const OPEN_DELAY_MS = 1_000;

interface Options {
  readonly host: string;
  readonly port: number;
  /**
   * Returns why the database cannot be used, as text for people; null if the error is of another kind, so
   * that retrying would not help.
   */
  readonly faultIn: (error: unknown) => string | null;
  readonly onFault: (error: unknown) => void;
}

/**
 * Runs the database work of the start-up. While the database cannot be used, the work is retried with
 * exponential backoff, so that gateway and database may be started in any order. Until the work is done,
 * `/healthz` answers 200, and `/readyz` 503 with the reason. Returns the port to listen on, and the result of
 * the work.
 */
export async function retryUntilDatabaseIsUp<T>(
  { host, port, faultIn, onFault }: Options,
  work: () => Promise<T>,
): Promise<{ port: number; result: T }> {
  const room = new PlaceholderServer(host, port);
  const opening = setTimeout(() => void room.open().catch(() => {}), OPEN_DELAY_MS);
  try {
    for (let retryMs = MIN_RETRY_MS; ; retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)) {
      try {
        const result = await work();
        return { port: room.port, result };
      } catch (error) {
        const fault = faultIn(error);
        if (fault === null) throw error;
        room.fault = fault;
        onFault(error);
      }
      await room.open();
      await wait(retryMs);
    }
  } finally {
    clearTimeout(opening);
    await room.close();
  }
}

const SERVICE_UNAVAILABLE_BODY = {
  errors: [
    {
      message: 'The gateway is waiting for its database: try again later.',
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    },
  ],
};

/** HTTP server that answers in place of the gateway until the gateway has started. */
class PlaceholderServer {
  fault = 'is being prepared';
  readonly #host: string;
  /**
   * Port of this server, and later of the gateway. If it is 0, `open` replaces it by the port that the
   * operating system assigned.
   */
  port: number;
  #opening: Promise<void> | null = null;
  readonly #server = createServer(({ url }, response) => {
    const path = url?.split('?')[0];
    const alive = path === '/healthz';
    const notReady = { status: 'not ready', missing: { database: this.fault } };
    response.writeHead(alive ? 200 : 503, {
      ...RAW_RESPONSE_HEADERS,
      ...(alive ? {} : { 'Retry-After': '1' }),
    });
    response.end(
      JSON.stringify(alive ? { status: 'ok' } : path === '/readyz' ? notReady : SERVICE_UNAVAILABLE_BODY),
    );
  });

  constructor(host: string, port: number) {
    this.#host = host;
    this.port = port;
  }

  /**
   * Starts to listen. Later calls return the promise of the first call.
   * @throws the error of `listen`, such as EADDRINUSE
   */
  open(): Promise<void> {
    this.#opening ??= (async () => {
      this.#server.listen(this.port, this.#host);
      await once(this.#server, 'listening');
      this.port = (this.#server.address() as AddressInfo).port;
    })();
    return this.#opening;
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.then(
      () => true,
      () => false,
    );
    if (!opened) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
