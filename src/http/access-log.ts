import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** Access log entry of a request. Except for the request id, it holds no text of the caller, which may be personal data. */
interface Access {
  readonly method: string;
  /** The path of the route that answered, without query; `none` if there is no such path. */
  readonly path: string;
  readonly status: number;
  /** Until the last byte of the answer; of a stream or WebSocket, until it ended. */
  readonly ms: number;
  /** Sent to the client, with headers. */
  readonly bytes: number;
  readonly requestId: string;
}

export type LogAccess = (access: Access) => void;

/** Returns what logs one line for a request; null if the level of the log leaves those lines out. */
export const createAccessLog = (log: Logger): LogAccess | null =>
  log.isLevelEnabled('info') ? (access) => log.info(access, 'request') : null;

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that its connection had been sent when the request arrived. */
    bytesBefore: number;
  }
}

/** Logs every request that becomes one of Fastify's. */
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
