import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify';
import { GraphQLError } from 'graphql';
import { z } from 'zod';
import type { Services } from '../graphql/context.ts';
import { type FormatError, getErrorCode } from '../graphql/errors.ts';
import { chargeOperation, type OperationPreparer } from '../graphql/operation-cache.ts';
import type { ExecuteQueryOrMutation } from '../graphql/operation-handler.ts';
import type { ViewerRateLimiter } from '../graphql/rate-limit.ts';
import { SessionExport } from '../graphql/session-export.ts';
import { refuseCrossSiteSimpleRequests } from './csrf.ts';
import { BYTE_ORDER_MARK, formatCsvRow } from './csv.ts';
import { rejectOtherMethods } from './graphql-request.ts';
import {
  createReplicaStoppingError,
  createTooManyConnectionsError,
  type LiveConnections,
} from './live-connections.ts';
import { getViewer, requireAuthentication } from './require-sign-in.ts';
import type { Authenticator } from './sign-in.ts';

const PATH = '/exports/sessions.csv';
const RETRY_AFTER_SECONDS = 5;
/**
 * Time after which a client that reads nothing is disconnected. Longer than the longest wait for the budget, during which
 * nothing is sent.
 */
const STALLED_TIMEOUT_MS = 120_000;

interface Dependencies {
  readonly operations: OperationPreparer;
  readonly execute: ExecuteQueryOrMutation;
  readonly rateLimit: ViewerRateLimiter;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly limitUploads: preParsingHookHandler;
  readonly formatError: FormatError;
  readonly connections: LiveConnections;
}

/**
 * Serves lists of sessions as CSV files at `/exports/sessions.csv`. The file is written while the list is read, one page at
 * a time and only as fast as the client reads (backpressure), so that its size does not matter. An error before the first
 * page has an HTTP status and the body of a GraphQL error. After that the connection is reset, so that no client takes a
 * part of the file for the whole.
 */
export function serveSessionExports(app: FastifyInstance, dependencies: Dependencies): void {
  const { authenticator, formatError, rateLimit, connections, services } = dependencies;
  app.route({
    url: PATH,
    method: 'POST',
    onRequest: [refuseCrossSiteSimpleRequests, requireAuthentication(authenticator, formatError)],
    preParsing: dependencies.limitUploads,
    async handler(request, reply) {
      const refuse = (errors: readonly GraphQLError[]) => answerErrors(reply, errors, formatError);
      const asked = exportRequest.safeParse(request.body ?? {});
      if (!asked.success) return refuse([invalidBody()]);
      const viewer = getViewer(request);
      const list = new SessionExport(dependencies, viewer, asked.data);
      const first = await chargeOperation(list.preparePage(null), viewer, rateLimit);
      if ('errors' in first) return refuse(first.errors);

      const response = reply.raw;
      const reset = () => void request.socket.resetAndDestroy();
      const leave = connections.admit(
        { closeForExpiry: reset, closeForRestart: async () => reset() },
        viewer,
      );
      if (!leave)
        return refuse([
          connections.isStopping ? createReplicaStoppingError() : createTooManyConnectionsError(),
        ]);
      response.once('close', leave);
      // The client disconnected while its request was being checked, so `close` was emitted already.
      if (response.destroyed) {
        leave();
        return reply.hijack();
      }

      const pages = list.readPages(first, rateLimit.pagesOf(viewer, first.cost), () => response.destroyed);
      const begun = await pages.next().catch((error: GraphQLError) => error);
      if (begun instanceof Error) return refuse([begun]);
      reply.hijack();
      response.setTimeout(STALLED_TIMEOUT_MS, reset);
      response.writeHead(200, {
        ...(reply.getHeaders() as object),
        'content-type': 'text/csv; charset=utf-8; header=present',
        'content-disposition': `attachment; filename="sessions-${services.clock.now().toISOString().slice(0, 10)}.csv"`,
        // Forbids proxies to buffer the file, because a client that reads slowly would not slow the export down.
        'x-accel-buffering': 'no',
      });
      await pipeline(Readable.from(toLines(list.header, begun, pages, reset)), response).catch((error) =>
        logFailure(request, error, formatError),
      );
    },
  });
  rejectOtherMethods(app, PATH, 'This HTTP method is not served: send the export by POST.', ['POST']);
}

type Pages = ReturnType<SessionExport['readPages']>;

/** Returns the text of the file, in one piece for each page. Resets the connection if a page cannot be read. */
async function* toLines(
  header: readonly string[],
  begun: IteratorResult<readonly (readonly unknown[])[]>,
  pages: Pages,
  reset: () => void,
): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + formatCsvRow(header);
  try {
    for (let page = begun; !page.done; page = await pages.next()) yield page.value.map(formatCsvRow).join('');
  } catch (error) {
    // A connection that is closed in the usual way may look like the end of the file to a client or proxy of HTTP/1.0.
    reset();
    throw error;
  }
}

function logFailure(
  request: FastifyRequest,
  error: Error & { code?: string },
  formatError: FormatError,
): void {
  // The client disconnected, or the connection was reset because its token expired or the replica stops.
  if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
  request.log.warn(
    { code: formatError(error).extensions?.code },
    'export failed before its end; reset its connection',
  );
}

const exportRequest = z.strictObject({ filter: z.unknown(), orderBy: z.unknown() }).partial();

const invalidBody = (): GraphQLError =>
  new GraphQLError(
    'The body is invalid. Send the arguments of the query `sessions` as JSON, for example {"filter": {"status": ["RECEIVED"]}, "orderBy": {"field": "CREATED_AT", "direction": "ASC"}}.',
    { extensions: { code: 'BAD_USER_INPUT' } },
  );

/** HTTP status of each error code that has no status of its own. Any other code is a fault of the gateway. */
const STATUSES: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  FORBIDDEN: 403,
  TOO_MANY_CONNECTIONS: 429,
  SERVICE_UNAVAILABLE: 503,
};

function answerErrors(
  reply: FastifyReply,
  errors: readonly GraphQLError[],
  formatError: FormatError,
): FastifyReply {
  const [first] = errors as [GraphQLError];
  const code = getErrorCode(first);
  const { http, retryAfterSeconds } = first.extensions as {
    http?: { status?: number };
    retryAfterSeconds?: number;
  };
  const status = http?.status ?? STATUSES[code] ?? 500;
  if (status === 429 || status === 503) reply.header('retry-after', retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  return reply.status(status).send({ errors: errors.map(formatError) });
}
