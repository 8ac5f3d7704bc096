import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/**
 * One line of the access log. Apart from the request id, no text in the line was chosen by the caller,
 * because such a text could be personal data.
 */
interface Access {
  readonly method: string;
  /** Path of the matched route, without the query string; `none` if no route matched. */
  readonly path: string;
  readonly status: number;
  /**
   * Milliseconds until the last byte of the answer was sent; for a stream or WebSocket, until the connection
   * ended.
   */
  readonly ms: number;
  /** Bytes sent to the client, headers included. */
  readonly bytes: number;
  readonly requestId: string;
}

export type LogAccess = (access: Access) => void;

/**
 * Returns a function that logs one line per request; null if the log level suppresses lines of level `info`.
 */
export const createAccessLog = (log: Logger): LogAccess | null =>
  log.isLevelEnabled('info') ? (access) => log.info(access, 'request') : null;

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Bytes that had already been sent on the connection when this request arrived (keep-alive). This number
     * is subtracted from the bytes sent at the end, to get the size of the answer.
     */
    bytesBefore: number;
  }
}

/** Logs one line for every request that Fastify handles. */
export function logRequests(app: FastifyInstance, logAccess: LogAccess): void {
  app.decorateRequest('bytesBefore', 0);
  app.addHook('onRequest', (request, _reply, goOn) => {
    request.bytesBefore = request.raw.socket.bytesWritten;
    goOn();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, id, raw, routeOptions, bytesBefore } = request;
    logAccess({
      method,
      path: routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      bytes: raw.socket.bytesWritten - bytesBefore,
      requestId: id,
    });
    done();
  });
}
