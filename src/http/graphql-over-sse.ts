import type { FastifyInstance, FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Viewer } from '../domain/access.ts';
import type { EndingErrorResult, SubscriptionEndIterator } from '../feed/ending-iterator.ts';
import { createContext, type Services } from '../graphql/context.ts';
import { type FormatError, formatResult } from '../graphql/errors.ts';
import {
  type CheckedOperation,
  chargeOperation,
  type OperationPreparer,
  type OperationRefusal,
} from '../graphql/operation-cache.ts';
import type { ExecuteQueryOrMutation } from '../graphql/operation-handler.ts';
import { findPersonalArgumentsInGetError } from '../graphql/personal-data.ts';
import type { ViewerRateLimiter } from '../graphql/rate-limit.ts';
import { startSubscription } from '../graphql/subscription-frames.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { refuseCrossSiteSimpleRequests } from './csrf.ts';
import { readPayload, rejectBatches, rejectOtherMethods } from './graphql-request.ts';
import {
  createReplicaStoppingError,
  createTooManyConnectionsError,
  type LiveConnections,
} from './live-connections.ts';
import { getViewer, requireAuthentication } from './require-sign-in.ts';
import type { Authenticator } from './sign-in.ts';
import { SseSink } from './sinks.ts';

/**
 * Interval of the comments that are sent in every stream, so that proxies do not close a quiet stream. A
 * client that reads nothing for two intervals is disconnected. If the client's machine has vanished, only the
 * operating system notices, after its TCP retransmissions (on Linux `tcp_retries2`).
 */
const COMMENT_INTERVAL_MS = 12_000;
const PROBE_AFTER_MS = 10_000;
const RETRY_AFTER_SECONDS = 5;

interface Dependencies {
  readonly operations: OperationPreparer;
  readonly execute: ExecuteQueryOrMutation;
  readonly rateLimit: ViewerRateLimiter;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly limitUploads: preParsingHookHandler;
  readonly formatError: FormatError;
  readonly connections: LiveConnections;
  readonly metrics: Metrics;
}

export interface GraphqlOverSse {
  /**
   * Last step of a shutdown: closes the streams that are still open after all clients were told to reconnect.
   */
  stop(): void;
}

/**
 * Serves operations as server-sent events at `/graphql/stream`, in the distinct connections mode of the
 * graphql-sse protocol (one stream per operation). The handler of the graphql-sse library is not used, for
 * two reasons: it buffers without a limit for clients that do not read (no backpressure), and at a shutdown
 * it tells clients that their streams are complete, so that they do not reconnect. Errors of an operation are
 * sent in its stream, as the protocol requires.
 */
export function serveGraphqlOverSse(app: FastifyInstance, dependencies: Dependencies): GraphqlOverSse {
  const open = new Set<FastifyReply['raw']>();
  let full = new Set<FastifyReply['raw']>();
  const comments = setInterval(() => {
    const stuck = [...open].filter((response) => response.writableLength > 0);
    for (const response of stuck) if (full.has(response)) response.destroy();
    full = new Set(stuck);
    for (const response of open) if (!full.has(response)) response.write(':\n\n');
  }, COMMENT_INTERVAL_MS);

  app.route({
    url: '/graphql/stream',
    method: ['GET', 'POST'],
    onRequest: [
      refuseCrossSiteSimpleRequests,
      requireAuthentication(dependencies.authenticator, dependencies.formatError),
    ],
    preParsing: dependencies.limitUploads,
    preHandler: rejectBatches,
    async handler(request, reply) {
      const viewer = getViewer(request);
      const operation = await chargeOperation(
        dependencies.operations.prepare(readPayload(request)),
        viewer,
        dependencies.rateLimit,
      );
      if ('kind' in operation && operation.kind === 'mutation' && request.method === 'GET')
        return refuse(reply.header('allow', 'POST'), 405, [NEEDS_POST], dependencies);
      const personal =
        'kind' in operation && request.method === 'GET'
          ? findPersonalArgumentsInGetError(operation.document, operation.operationName)
          : null;
      if (personal) return refuse(reply.header('allow', 'POST'), 405, [personal], dependencies);

      const response = reply.raw;
      // The client disconnected while its token was being verified, so no answer is sent.
      if (response.destroyed) return reply.hijack();
      const leave = dependencies.connections.admit(
        {
          // Destroys the socket without ending the response. A proper end would tell the client that the
          // stream is complete, so that it would not reconnect.
          closeForExpiry: () => response.destroy(),
          closeForRestart: async () => void response.destroy(),
        },
        viewer,
      );
      if (!leave) {
        const [status, error] = dependencies.connections.isStopping
          ? [503, createReplicaStoppingError()]
          : [429, createTooManyConnectionsError()];
        return refuse(reply.header('retry-after', RETRY_AFTER_SECONDS), status, [error], dependencies);
      }
      reply.hijack();
      open.add(response);
      const disconnected = dependencies.metrics.connected('sse');
      response.once('close', () => {
        disconnected(null);
        open.delete(response);
        leave();
      });
      begin(request, response, reply.getHeaders());
      await stream(response, operation, viewer, dependencies).catch((error) => {
        request.log.error({ err: error }, 'event stream failed; closing it so that the client reconnects');
        response.destroy();
      });
    },
  });
  rejectOtherMethods(app, '/graphql/stream');
  return {
    stop() {
      clearInterval(comments);
      for (const response of open) response.destroy();
    },
  };
}

function begin(request: FastifyRequest, response: FastifyReply['raw'], headers: object): void {
  request.socket.setKeepAlive(true, PROBE_AFTER_MS);
  request.socket.setNoDelay(true);
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    // Forbids proxies to compress or buffer the stream, because they would hold frames back.
    'cache-control': 'private, no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  // Sends a first comment, because some browsers report a stream as open only once part of its body has
  // arrived.
  response.write(':\n\n');
}

async function stream(
  response: FastifyReply['raw'],
  operation: CheckedOperation | OperationRefusal,
  viewer: Viewer,
  { services, formatError, rateLimit, execute, metrics }: Dependencies,
): Promise<void> {
  const sink = new SseSink(response);
  const onFailedFrame = () => metrics.failedFrames.inc();
  const begun = await beginOperation();
  if (Symbol.asyncIterator in begun) {
    const end = () => void begun.return();
    if (response.destroyed) end();
    response.once('close', end);
    for await (const ending of begun) send(ending);
  } else {
    send(begun);
  }
  if (!response.destroyed) response.end('event: complete\ndata:\n\n');

  function send(result: ExecutionResult | EndingErrorResult): void {
    sink.send(JSON.stringify(formatResult(result as ExecutionResult, formatError)), false);
  }

  async function beginOperation(): Promise<SubscriptionEndIterator | ExecutionResult> {
    // Sends errors in the stream with status 200, because clients take any other status for a temporary
    // fault, and retry for ever.
    if ('errors' in operation) return { errors: operation.errors };
    if (operation.kind === 'subscription')
      return startSubscription(operation, viewer, sink, { services, formatError, rateLimit, onFailedFrame });
    return execute({ ...operation, contextValue: createContext(services, viewer) });
  }
}

const NEEDS_POST = new GraphQLError('Mutations are not served by GET: send them by POST.', {
  extensions: { code: 'BAD_REQUEST' },
});

const refuse = (
  reply: FastifyReply,
  status: number,
  errors: readonly GraphQLError[],
  { formatError }: Dependencies,
): FastifyReply => reply.status(status).send({ errors: errors.map(formatError) });
