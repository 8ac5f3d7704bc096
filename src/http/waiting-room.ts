import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { BARE_HEADERS } from './bare-answer.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

interface Parts {
  readonly host: string;
  readonly port: number;
  /** Whether it is worth trying again. */
  readonly isAbsence: (error: unknown) => boolean;
  readonly onAbsence: (error: unknown) => void;
}

/**
 * Does what needs the database. Where that is not there, tries again until it is, and answers meanwhile that the process
 * lives and is not ready: whoever started both together need not mind the order. Returns the port to listen at.
 */
export async function whenDatabaseIsThere(
  { host, port, isAbsence, onAbsence }: Parts,
  work: () => Promise<void>,
): Promise<number> {
  let room: Awaited<ReturnType<typeof openWaitingRoom>> | null = null;
  try {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      try {
        await work();
        return room?.port ?? port;
      } catch (error) {
        if (!isAbsence(error)) throw error;
        onAbsence(error);
      }
      room ??= await openWaitingRoom(host, port);
      await wait(retryMs);
    }
  } finally {
    await room?.close();
  }
}

const NOT_READY = { status: 'not ready', missing: { database: 'does not answer' } };
const NOT_NOW = {
  errors: [
    {
      message: 'The gateway waits for its database: try again later.',
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    },
  ],
};

async function openWaitingRoom(host: string, port: number) {
  const server = createServer(({ url }, response) => {
    const path = url?.split('?')[0];
    const alive = path === '/healthz';
    response.writeHead(alive ? 200 : 503, { ...BARE_HEADERS, ...(alive ? {} : { 'Retry-After': '1' }) });
    response.end(JSON.stringify(alive ? { status: 'ok' } : path === '/readyz' ? NOT_READY : NOT_NOW));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
