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
import { type Context, createContext, type Services } from '../graphql/context.ts';
import { formattedResult, type Translate } from '../graphql/errors.ts';
import type { Execute } from '../graphql/execution.ts';
import { LIMITS } from '../graphql/limits.ts';
import { type Asked, admit, askedBy, type Operations } from '../graphql/operation.ts';
import type { RateLimit } from '../graphql/rate-limit.ts';
import type { Trust } from '../graphql/trusted-documents.ts';
import { type AnswerType, answerTypeFor } from './answer-type.ts';
import { payloadOf, refuseBatch, refuseOtherMethods } from './one-operation.ts';
import { refuseUnasked } from './origin.ts';
import type { Authenticator } from './sign-in.ts';
import { signInFirst, viewerOf } from './sign-in-first.ts';

interface Parts {
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly execute: Execute;
  readonly rateLimit: RateLimit;
  readonly trust: Trust;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly limitUploads: preParsingHookHandler;
  readonly translate: Translate;
  readonly log: Logger;
}

/**
 * Parses, checks and executes in Apollo's place as the other transports do. What costs too much, or more than its caller
 * has left, is refused, and every answer says what it cost. A `gateway` would do as well, but what Apollo makes for one of
 * each request outlives several collections of garbage, with all that the request had read.
 */
const executedBy = ({
  operations,
  execute,
  rateLimit,
  translate,
}: Pick<Parts, 'operations' | 'execute' | 'rateLimit' | 'translate'>): ApolloServerPlugin<Context> => {
  const listener: GraphQLRequestListener<Context> = {
    // Apollo parses and validates only if it is not there yet.
    async didResolveSource(request) {
      Object.assign(request, { document: operations.documentOf(request.source) });
    },
    async responseForOperation({ document, operation, request, contextValue }) {
      const isRefused = document.definitions.length === 0;
      // It names none that there is, which Apollo says by itself.
      if (!operation && !isRefused) return null;
      // Executed as a query, once and to no use.
      if (operation?.operation === 'subscription')
        return responseOf({ errors: [subscriptionsElsewhere()] }, translate);
      const { operationName, variables = {} } = request;
      const prepared = operations.operationOf(document, {
        ...(operationName == null ? {} : { operationName }),
        variables,
      });
      const admitted = await admit(prepared, contextValue.viewer, rateLimit);
      const { cost: requested } = admitted;
      const result = 'errors' in admitted ? admitted : await execute({ ...admitted, contextValue });
      return responseOf(
        result,
        translate,
        requested === undefined ? undefined : { cost: { requested, maximum: LIMITS.cost } },
      );
    },
  };
  return { requestDidStart: async () => listener };
};

/** Where nothing was executed the status says so, as Apollo has it; what an error says of it goes before. */
function responseOf(
  { data, errors }: Partial<Pick<ExecutionResult, 'data' | 'errors'>>,
  translate: Translate,
  extensions?: FormattedExecutionResult['extensions'],
): GraphQLResponse {
  const http: HTTPGraphQLHead = { headers: new HeaderMap() };
  if (errors && data === undefined) http.status = 400;
  for (const error of errors ?? []) {
    const { status, headers = [] } = (error.extensions.http ?? {}) as Partial<HTTPGraphQLHead>;
    if (status) http.status = status;
    for (const [name, value] of headers) http.headers.set(name, value);
  }
  const singleResult = { ...formattedResult({ data, errors }, translate), ...(extensions && { extensions }) };
  return { http, body: { kind: 'single', singleResult } };
}

const notAcceptable = (): GraphQLError =>
  new GraphQLError('Accept application/json or application/graphql-response+json: there is no other type.', {
    extensions: { code: 'BAD_REQUEST' },
  });

const subscriptionsElsewhere = (): GraphQLError =>
  new GraphQLError('Subscriptions are served over WebSocket (graphql-transport-ws) at this address.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });

/** What is wrong with the operation, and not with the request that it came by. */
const OF_THE_OPERATION = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
];

/**
 * Who accepts `application/json` alone may take any other status for no answer at all: there the specification wants
 * 200 for whatever is an answer, and 400 only for `application/graphql-response+json`. Apollo says 400 to both.
 */
function statusOf(answer: Answered, type: AnswerType): number {
  const { status = 200 } = answer.http;
  if (status !== 400 || !type.startsWith('application/json')) return status;
  const { errors } = resultOf(answer);
  return errors?.every(({ extensions }) => OF_THE_OPERATION.includes(String(extensions?.code)))
    ? 200
    : status;
}

type Answered = Awaited<ReturnType<ApolloServer<Context>['executeOperation']>>;

function resultOf({ body }: Answered): FormattedExecutionResult {
  if (body.kind === 'single') return body.singleResult as FormattedExecutionResult;
  throw new Error('No operation is answered in parts here');
}

/** Of a request Apollo asks for no more than its method: by any but POST it executes queries alone. */
const requestBy = (method: 'GET' | 'POST'): NonNullable<GraphQLRequest['http']> => ({
  method,
  headers: new HeaderMap(),
  search: '',
  body: null,
});
const [BY_GET, BY_POST] = [requestBy('GET'), requestBy('POST')];

/**
 * Serves queries and mutations at `/graphql`, as the working draft of GraphQL over HTTP has it
 * (https://graphql.github.io/graphql-over-http/draft/, with its appendix on persisted documents), in the revision that
 * the audits of graphql-http 1.23 check. What is refused for its cost, rate or sign-in has a status of 4xx in
 * either media type. Returns how to stop.
 */
export async function serveGraphqlOverHttp(
  app: FastifyInstance,
  {
    schema,
    operations,
    trust,
    execute,
    rateLimit,
    services,
    authenticator,
    limitUploads,
    translate,
    log,
  }: Parts,
): Promise<() => Promise<void>> {
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true,
    documentStore: null,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    // It would refuse the specification's GETs as well: `refuseUnasked`, and that only JSON is read, stand in its place.
    csrfPrevention: false,
    formatError: (_formatted, error) => translate(error),
    logger: log,
    plugins: [
      executedBy({ operations, execute, rateLimit, translate }),
      // Both only cost: the first instruments every field, the second loads its page from elsewhere.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    onRequest: [refuseUnasked, signInFirst(authenticator, translate)],
    preParsing: limitUploads,
    preHandler: refuseBatch,
    async handler(request, reply) {
      const refuse = (status: number, error: GraphQLError) =>
        reply.status(status).send({ errors: [translate(error)] });
      const type = answerTypeFor(request.headers.accept);
      if (!type) return refuse(406, notAcceptable());
      reply.type(type);
      let asked: Asked;
      try {
        asked = askedBy(trust(payloadOf(request)));
      } catch (error) {
        if (error instanceof GraphQLError) return refuse(400, error);
        throw error;
      }
      const answer = await apollo.executeOperation(
        { ...asked, http: request.method === 'POST' ? BY_POST : BY_GET },
        { contextValue: createContext(services, viewerOf(request)) },
      );
      for (const [name, value] of answer.http.headers) reply.header(name, value);
      const { errors, data, extensions } = resultOf(answer);
      return reply.status(statusOf(answer, type)).send(JSON.stringify({ errors, data, extensions }));
    },
  });
  refuseOtherMethods(app, '/graphql');
  return () => apollo.stop();
}
