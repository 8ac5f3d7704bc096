import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequest,
  type GraphQLRequestListener,
  type GraphQLResponse,
  HeaderMap,
  type HTTPGraphQLHead,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import type { FastifyInstance, preParsingHookHandler } from 'fastify';
import {
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import type { Logger } from 'pino';
import { invariant } from '../domain/invariant.ts';
import { type Context, createContext, type Services } from '../graphql/context.ts';
import { type FormatError, formatResult } from '../graphql/errors.ts';
import { LIMITS } from '../graphql/limits.ts';
import { chargeOperation, type OperationPreparer } from '../graphql/operation-cache.ts';
import type { ExecuteQueryOrMutation } from '../graphql/operation-handler.ts';
import { type OperationRequest, parsePayload } from '../graphql/payload.ts';
import { findPersonalArgumentsInGetError } from '../graphql/personal-data.ts';
import type { ViewerRateLimiter } from '../graphql/rate-limit.ts';
import type { DocumentPolicy } from '../graphql/trusted-documents.ts';
import { negotiateMediaType, type ResponseMediaType } from './content-negotiation.ts';
import { refuseCrossSiteSimpleRequests } from './csrf.ts';
import { readPayload, rejectBatches, rejectOtherMethods } from './graphql-request.ts';
import { getViewer, requireAuthentication } from './require-sign-in.ts';
import type { Authenticator } from './sign-in.ts';

interface Dependencies {
  readonly schema: GraphQLSchema;
  readonly operations: OperationPreparer;
  readonly execute: ExecuteQueryOrMutation;
  readonly rateLimit: ViewerRateLimiter;
  readonly documentPolicy: DocumentPolicy;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly limitUploads: preParsingHookHandler;
  readonly formatError: FormatError;
  readonly log: Logger;
}

/**
 * Apollo plugin that parses, checks and executes operations with the same code as the other transports. The
 * plugin refuses operations that cost too much, or more than the caller's rate limit has left, and adds the
 * cost to every response. Apollo's `gateway` option is not used for this, because with it Apollo creates an
 * object per request that survives several garbage collections, together with everything that the request
 * read.
 */
const executedBy = ({
  operations,
  execute,
  rateLimit,
  formatError,
}: Pick<
  Dependencies,
  'operations' | 'execute' | 'rateLimit' | 'formatError'
>): ApolloServerPlugin<Context> => {
  const listener: GraphQLRequestListener<Context> = {
    // Sets the document, because Apollo then neither parses nor validates it.
    async didResolveSource(request) {
      Object.assign(request, { document: operations.documentOf(request.source) });
    },
    async responseForOperation({ document, operation, request, contextValue }) {
      const isRefused = document.definitions.length === 0;
      // If the request names no operation of the document, Apollo itself responds with an error.
      if (!operation && !isRefused) return null;
      // Refuses subscriptions here, because Apollo would execute a subscription once, like a query.
      if (operation?.operation === 'subscription')
        return toResponse({ errors: [subscriptionsElsewhere()] }, formatError);
      const { operationName, variables = {} } = request;
      const personal =
        request.http === BY_GET ? findPersonalArgumentsInGetError(document, operationName) : null;
      if (personal) return toResponse({ errors: [personal] }, formatError);
      const prepared = operations.operationOf(document, {
        ...(operationName == null ? {} : { operationName }),
        variables,
      });
      const admitted = await chargeOperation(prepared, contextValue.viewer, rateLimit);
      const { cost: requested } = admitted;
      const result = 'errors' in admitted ? admitted : await execute({ ...admitted, contextValue });
      return toResponse(
        result,
        formatError,
        requested === undefined ? undefined : { cost: { requested, maximum: LIMITS.cost } },
      );
    },
  };
  return { requestDidStart: async () => listener };
};

/**
 * Builds Apollo's response. If nothing was executed, the HTTP status is 400, like that of Apollo's own
 * errors, unless an error specifies another status.
 */
function toResponse(
  { data, errors }: Partial<Pick<ExecutionResult, 'data' | 'errors'>>,
  formatError: FormatError,
  extensions?: FormattedExecutionResult['extensions'],
): GraphQLResponse {
  const http: HTTPGraphQLHead = { headers: new HeaderMap() };
  if (errors && data === undefined) http.status = 400;
  for (const error of errors ?? []) {
    const { status, headers = [] } = (error.extensions.http ?? {}) as Partial<HTTPGraphQLHead>;
    if (status) http.status = status;
    for (const [name, value] of headers) http.headers.set(name, value);
  }
  const singleResult = {
    ...formatResult({ data, errors }, formatError),
    ...(extensions && { extensions }),
  };
  return { http, body: { kind: 'single', singleResult } };
}

const notAcceptable = (): GraphQLError =>
  new GraphQLError(
    'The Accept header allows no supported type: accept application/json or application/graphql-response+json.',
    {
      extensions: { code: 'BAD_REQUEST' },
    },
  );

const subscriptionsElsewhere = (): GraphQLError =>
  new GraphQLError(
    'A plain HTTP request to this address cannot subscribe: open a WebSocket (graphql-transport-ws) at this address, or POST the subscription to /graphql/stream (server-sent events).',
    {
      extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
    },
  );

/** Codes of errors in the operation, not in the HTTP request that carried it. */
const OF_THE_OPERATION = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
];

/**
 * Returns the HTTP status of a response. Apollo uses 400 for every refused operation. The specification wants
 * 400 only with `application/graphql-response+json`, and 200 with `application/json`: a client that accepts
 * only JSON may ignore the body of any other status.
 */
function toHttpStatus(answer: Answered, type: ResponseMediaType): number {
  const { status = 200 } = answer.http;
  if (status !== 400 || !type.startsWith('application/json')) return status;
  const { errors } = toExecutionResult(answer);
  return errors?.every(({ extensions }) => OF_THE_OPERATION.includes(String(extensions?.code)))
    ? 200
    : status;
}

type Answered = Awaited<ReturnType<ApolloServer<Context>['executeOperation']>>;

function toExecutionResult({ body }: Answered): FormattedExecutionResult {
  invariant(body.kind === 'single', `result is ${body.kind}: incremental delivery is not supported`);
  return body.singleResult as FormattedExecutionResult;
}

/**
 * Builds the HTTP request that Apollo gets. Apollo reads only the method, and refuses mutations unless the
 * method is POST.
 */
const requestBy = (method: 'GET' | 'POST'): NonNullable<GraphQLRequest['http']> => ({
  method,
  headers: new HeaderMap(),
  search: '',
  body: null,
});
const [BY_GET, BY_POST] = [requestBy('GET'), requestBy('POST')];

/**
 * Serves queries and mutations at `/graphql`, according to the working draft of GraphQL over HTTP
 * (https://graphql.github.io/graphql-over-http/draft/, with its appendix on persisted documents), in the
 * revision that the audits of graphql-http 1.23 check. Refusals because of cost, rate limit or sign-in have a
 * 4xx status with both media types. Returns a function that stops the server.
 */
export async function serveGraphqlOverHttp(
  app: FastifyInstance,
  {
    schema,
    operations,
    documentPolicy,
    execute,
    rateLimit,
    services,
    authenticator,
    limitUploads,
    formatError,
    log,
  }: Dependencies,
): Promise<() => Promise<void>> {
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true,
    documentStore: null,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    // Apollo's CSRF prevention would also refuse GET requests that the specification allows. Instead,
    // `refuseCrossSiteSimpleRequests` checks requests, and only JSON bodies are parsed.
    csrfPrevention: false,
    formatError: (_formatted, error) => formatError(error),
    logger: log,
    plugins: [
      executedBy({ operations, execute, rateLimit, formatError }),
      // Disables three of Apollo's default plugins: cache control, which slows down every field, the landing
      // page, which loads its content from another host, and the traces of a subgraph in its answers, which would
      // contain the texts of errors.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    onRequest: [refuseCrossSiteSimpleRequests, requireAuthentication(authenticator, formatError)],
    preParsing: limitUploads,
    preHandler: rejectBatches,
    async handler(request, reply) {
      const refuse = (status: number, error: GraphQLError) =>
        reply.status(status).send({ errors: [formatError(error)] });
      const type = negotiateMediaType(request.headers.accept);
      if (!type) return refuse(406, notAcceptable());
      // `private` also keeps GraphQL routers from caching entities of one viewer for others.
      reply.type(type).header('cache-control', 'private, no-store');
      let asked: OperationRequest;
      try {
        asked = parsePayload(documentPolicy(readPayload(request)));
      } catch (error) {
        if (error instanceof GraphQLError) return refuse(400, error);
        throw error;
      }
      const answer = await apollo.executeOperation(
        { ...asked, http: request.method === 'POST' ? BY_POST : BY_GET },
        { contextValue: createContext(services, getViewer(request)) },
      );
      for (const [name, value] of answer.http.headers) reply.header(name, value);
      const { errors, data, extensions } = toExecutionResult(answer);
      return reply.status(toHttpStatus(answer, type)).send(JSON.stringify({ errors, data, extensions }));
    },
  });
  rejectOtherMethods(app, '/graphql');
  return () => apollo.stop();
}
