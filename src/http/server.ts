import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import cors from '@fastify/cors';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ReadinessReport } from '../telemetry/readiness.ts';
import { type LogAccess, logRequests } from './access-log.ts';
import { FORBIDDEN_ORIGIN_MESSAGE, LOOPBACK_ORIGIN_PATTERN, type OriginCheck } from './csrf.ts';
import { serveGraphiql } from './graphiql.ts';
import { isHttp2Preface, refuseHttp2 } from './http2-refusal.ts';
import { DENY_ALL_CSP, RAW_RESPONSE_HEADERS, writeRawResponse } from './raw-response.ts';
import { getOrCreateRequestId } from './request-id.ts';
import {
  type Authenticator,
  MAX_DEVELOPMENT_TOKEN_LIFETIME_SECONDS,
  subjectClaimSchema,
  verificationIdsClaimSchema,
} from './sign-in.ts';

/**
 * Maximum size of a request body: enough for the longest document and its variables. A larger limit would be
 * harmful, because parsing JSON blocks the event loop: 1 MiB of brackets takes 82 ms.
 */
const MAX_REQUEST_BYTES = 256 * 1024;
const FIRST_REQUEST_TIMEOUT_MS = 1_000;
const ACCEPT_TIMEOUT_MS = 1_000;
/** Response headers that browsers let scripts of other origins read (CORS). */
const EXPOSED_HEADERS = ['Retry-After', 'X-Request-Id'];
/** Time for which browsers may cache the answer to a CORS preflight. Chromium caches no longer than this. */
const PREFLIGHT_SECONDS = 7_200;
/** Interval at which the server looks for requests that have exceeded their timeout. */
const TIMEOUT_CHECK_INTERVAL_MS = 500;

interface Options {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly authenticator: Authenticator;
  readonly isAllowedOrigin: OriginCheck;
  readonly allowedOrigins: readonly string[];
  /** Logs each request; null if requests are not logged. */
  readonly logAccess: LogAccess | null;
  /** Whether this server serves `/metrics`. If false, a server on another port does. */
  readonly servesMetrics: boolean;
  readonly graphiql: boolean;
  /** Timeout for receiving a request, headers and body together. */
  readonly requestSeconds: number;
  /** Checks whether the gateway can serve requests, for `/readyz`. The promise never rejects. */
  readonly checkReady: () => Promise<ReadinessReport>;
}

/**
 * Creates the HTTP server with the routes for health, metrics, development tokens and GraphiQL. Callers add
 * the routes for GraphQL, the console and webhooks.
 */
export function createHttpServer({
  log,
  metrics,
  authenticator,
  isAllowedOrigin,
  allowedOrigins,
  logAccess,
  servesMetrics,
  graphiql,
  requestSeconds,
  checkReady,
}: Options): FastifyInstance {
  const app = fastify({
    // Suppresses Fastify's line about its address: the gateway logs its addresses itself, once it is ready.
    loggerInstance: log.child({}, log.level === 'info' ? { level: 'warn' } : {}) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: getOrCreateRequestId,
    // Accepts a slash at the end of a path, which people and some clients add.
    routerOptions: { ignoreTrailingSlash: true },
    bodyLimit: MAX_REQUEST_BYTES,
    // Sets both timeouts: by default Fastify waits for a request for ever, and for the body Node uses the
    // larger of the two.
    requestTimeout: requestSeconds * 1000,
    http: {
      headersTimeout: requestSeconds * 1000,
      // Also set here: when Node creates the server, it refuses a `headersTimeout` above `requestTimeout` (5 minutes by
      // default), and Fastify sets its own `requestTimeout` only afterwards.
      requestTimeout: requestSeconds * 1000,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    clientErrorHandler: answerParseError,
    // At a shutdown, closes idle keep-alive connections, because they would delay it.
    forceCloseConnections: 'idle',
    // During a shutdown, still serves requests that arrive on open connections, instead of answering them
    // with 503.
    return503OnClosing: false,
    // Answers requests with a malformed path. Fastify runs no hooks for such requests, so the headers that
    // hooks would set are set here.
    frameworkErrors: (_error, _request, { raw }) =>
      raw
        .writeHead(400, RAW_RESPONSE_HEADERS)
        .end(JSON.stringify(problem('BAD_REQUEST', 'The request path is malformed.'))),
  });

  // Removes the parser for text bodies, because pages of other sites may send text without a CORS preflight
  // (CSRF).
  app.removeContentTypeParser('text/plain');

  const headers = {
    ...createSecurityHeaders(),
    'content-security-policy': DENY_ALL_CSP,
    // Forbids caching, because answers contain personal data or the current state. Answers that may be cached
    // override this header.
    'cache-control': 'no-store',
  };
  // This hook must be the first one: every answer gets these headers, and requests are refused before their
  // bodies are read.
  app.addHook('onRequest', (request, reply, goOn) => {
    reply.headers(headers).header('x-request-id', request.id);
    if (!isAllowedOrigin(request.headers))
      reply.status(403).send(problem('FORBIDDEN', FORBIDDEN_ORIGIN_MESSAGE));
    else if (request.is404 || isStrayOptions(request)) reply.callNotFound();
    else goOn();
  });
  if (logAccess) logRequests(app, logAccess);
  const origins = [...allowedOrigins, ...(authenticator.issue ? [LOOPBACK_ORIGIN_PATTERN] : [])];
  if (origins.length > 0)
    app.register(cors, {
      origin: origins,
      methods: ['GET', 'POST'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
    });

  app.setErrorHandler((error: Refusal, request, reply) => {
    const { statusCode: status = 500, retryAfterSeconds } = error;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    if (status < 500)
      return reply
        .status(status)
        .send(problem(status === 429 ? 'RATE_LIMITED' : 'BAD_REQUEST', error.message));
    request.log.error({ err: error }, 'request failed unexpectedly; answered 500');
    return reply
      .status(500)
      .send(
        problem(
          'INTERNAL_SERVER_ERROR',
          `An internal error occurred. Report this id to the operator of the gateway: ${request.id}`,
        ),
      );
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send(problem('NOT_FOUND', 'Nothing is served at this path. The API is at /graphql.')),
  );

  app.addHook('onResponse', ({ method, routeOptions: { url: route = 'none' } }, reply, done) => {
    if (route !== '/graphql/stream')
      metrics.requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });

  // Liveness only. A deeper check would let an outage elsewhere make the orchestrator kill this process.
  app.get('/healthz', async () => ({ status: 'ok' }));
  if (servesMetrics)
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.render()),
    );
  app.get('/readyz', async (request, reply) => {
    const { missing, impaired, notes } = await checkReady();
    const more = { ...unlessEmpty('impaired', impaired), ...unlessEmpty('notes', notes) };
    if (Object.keys(missing).length === 0) return { status: 'ready', ...more };
    request.log.warn({ missing, ...unlessEmpty('impaired', impaired) }, 'gateway is not ready; answered 503');
    return reply.status(503).send({ status: 'not ready', missing, ...more });
  });

  const { issue } = authenticator;
  if (graphiql) serveGraphiql(app, issue ? 'ISSUED' : 'PASTED');

  if (issue) {
    app.post('/dev/token', async (request, reply) => {
      const wanted = tokenRequest.safeParse(request.body);
      if (wanted.success) return { token: await issue(wanted.data) };
      return reply
        .status(400)
        .send(
          problem(
            'BAD_USER_INPUT',
            `The body is invalid. Send for example {"sub": "asha", "roles": ["AGENT"], "verification_ids": [], "expiresIn": 3600}; expiresIn is 1 to ${MAX_DEVELOPMENT_TOKEN_LIFETIME_SECONDS} seconds.`,
          ),
        );
    });
  }
  return app;
}

interface Refusal extends Error {
  readonly statusCode?: number;
  readonly retryAfterSeconds?: number;
}

/** Whether an OPTIONS request is not a CORS preflight. Such requests get a 404. */
const isStrayOptions = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && !(headers.origin && headers['access-control-request-method']);

const unlessEmpty = (name: string, texts: Readonly<Record<string, string>>): object =>
  Object.keys(texts).length > 0 ? { [name]: texts } : {};

/**
 * Waits until the server has accepted all connections in the accept queue of the operating system. Otherwise
 * these connections would be reset when the server stops listening.
 */
export async function drainAcceptBacklog({ server }: FastifyInstance): Promise<void> {
  let accepted = true;
  const note = () => {
    accepted = true;
  };
  server.on('connection', note);
  const until = Date.now() + ACCEPT_TIMEOUT_MS;
  // Waits one turn more than the loop does: each turn of the event loop accepts one connection, but the
  // current turn may end before it accepts any.
  await nextTurn();
  while (accepted && Date.now() < until) {
    accepted = false;
    await nextTurn();
  }
  server.off('connection', note);
}

/**
 * Returns a function that closes connections which would delay a shutdown by up to a minute: idle keep-alive
 * connections, and connections without any request within FIRST_REQUEST_TIMEOUT_MS.
 */
export function createIdleConnectionCloser({ server }: FastifyInstance): () => void {
  const unused = new Map<Socket, number>();
  server.on('connection', (socket) => {
    unused.set(socket, Date.now());
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  server.on('upgrade', ({ socket }) => unused.delete(socket));
  return () => {
    server.closeIdleConnections();
    for (const [socket, openedAt] of unused)
      if (Date.now() - openedAt > FIRST_REQUEST_TIMEOUT_MS) socket.destroy();
  };
}

type ParseError = Error & { readonly code?: string; readonly rawPacket?: unknown };

/**
 * Answers bytes that could not be parsed as an HTTP request. Writes directly to the socket, because there is
 * no Fastify request.
 */
function answerParseError(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (isHttp2Preface(error.rawPacket)) {
    refuseHttp2(socket);
    return;
  }
  const [status, message] = BROKEN[error.code ?? ''] ?? NO_HTTP;
  writeRawResponse(socket, status, problem('BAD_REQUEST', message));
}

const NO_HTTP = ['400 Bad Request', 'The request is not valid HTTP.'] as const;
const BROKEN: Record<string, [status: string, message: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive: send it again.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers of the request are too large.'],
};

const tokenRequest = z.strictObject({
  sub: subjectClaimSchema,
  roles: z.array(z.string()).default([]),
  verification_ids: verificationIdsClaimSchema,
  expiresIn: z.number().int().min(1).max(MAX_DEVELOPMENT_TOKEN_LIFETIME_SECONDS).optional(),
});

/** Returns the URL of a listening server. */
export const formatListeningUrl = (app: FastifyInstance, host: string): string =>
  formatHttpUrl(host, (app.server.address() as AddressInfo).port);

export const formatHttpUrl = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

const problem = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });

/**
 * Returns Helmet's security headers. The headers are the same for every answer, so they are computed only
 * once: computing them for each answer took half as long as all other work on headers.
 */
function createSecurityHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const protect = helmet({
    contentSecurityPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader() {},
  };
  protect({} as IncomingMessage, response as unknown as ServerResponse, () => {});
  return headers;
}
