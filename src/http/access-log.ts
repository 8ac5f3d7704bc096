import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/**
 * Access log entry of a request. Apart from the request id it contains no text from the caller, which may be
 * personal data.
 */
interface Access {
  readonly method: string;
  /** Path of the matched route, without query; `none` if no route matched. */
  readonly path: string;
  readonly status: number;
  /** Time until the last byte of the answer; for a stream or WebSocket, until it ended. */
  readonly ms: number;
  /** Bytes sent to the client, headers included. */
  readonly bytes: number;
  readonly requestId: string;
}

export type LogAccess = (access: Access) => void;

/** Returns a function that logs one line per request; null if the log level leaves those lines out. */
export const createAccessLog = (log: Logger): LogAccess | null =>
  log.isLevelEnabled('info') ? (access) => log.info(access, 'request') : null;

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that its connection had been sent when the request arrived (keep-alive). */
    bytesBefore: number;
  }
}

/** Logs every request that Fastify handles. */
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
