import { ApolloServer, type ApolloServerOptions, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import type {
  FastifyInstance,
  FastifyRequest,
  onRequestHookHandler,
  onSendHookHandler,
  preHandlerHookHandler,
} from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema, type ValidationRule } from 'graphql';
import type { Logger } from 'pino';
import { type Context, createContext, type Services } from '../graphql/context.ts';
import { costOf, tooComplex } from '../graphql/cost.ts';
import type { Translate } from '../graphql/errors.ts';
import type { Execute } from '../graphql/execution.ts';
import { LIMITS, PARSE_OPTIONS } from '../graphql/limits.ts';
import type { RateLimit } from '../graphql/rate-limit.ts';
import type { Trust } from '../graphql/trusted-documents.ts';
import { payloadOf, refuseBatch, refuseOtherMethods } from './one-operation.ts';
import { refuseUnasked } from './origin.ts';
import type { Authenticator } from './sign-in.ts';
import { signInFirst, viewerOf } from './sign-in-first.ts';

interface Parts {
  readonly schema: GraphQLSchema;
  readonly execute: Execute;
  readonly rateLimit: RateLimit;
  readonly trust: Trust;
  readonly rules: readonly ValidationRule[];
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly limitUploads: onRequestHookHandler;
  readonly translate: Translate;
  readonly log: Logger;
}

/**
 * Has Apollo execute as the other transports do. What costs too much, or more than its caller has left, is refused, and
 * every answer says what it cost. As a plugin this would have Apollo ask at each of its steps whether it has a part in it.
 */
const executedBy = ({
  schema,
  execute,
  rateLimit,
}: Pick<Parts, 'schema' | 'execute' | 'rateLimit'>): NonNullable<
  ApolloServerOptions<Context>['gateway']
> => ({
  onSchemaLoadOrUpdate(callBack) {
    callBack({ apiSchema: schema, coreSupergraphSdl: '' });
    return () => {};
  },
  load: async () => ({
    async executor({ document, operation, request, context }) {
      const { operationName, variables = {} } = request;
      // Executed as a query, once and to no use.
      if (operation?.operation === 'subscription') return { errors: [subscriptionsElsewhere()] };
      const contextValue = context as Context;
      const asked = { schema, document, contextValue, variableValues: variables, operationName };
      // It names none that there is, which is for who executes to say.
      if (!operation) return execute(asked);
      const requested = costOf({ schema, document, operation, variableValues: variables });
      const refusal = tooComplex(requested) ?? (await rateLimit.spend(contextValue.viewer, requested));
      const result = refusal ? { errors: [refusal] } : await execute(asked);
      return {
        ...result,
        extensions: { ...result.extensions, cost: { requested, maximum: LIMITS.cost } },
      };
    },
  }),
  stop: async () => {},
});

const subscriptionsElsewhere = (): GraphQLError =>
  new GraphQLError('Subscriptions are served over WebSocket (graphql-transport-ws) at this address.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });

/** Puts the document in the place of its name. A GET is read by Apollo itself, from its URL. */
const withTrusted =
  (trust: Trust, translate: Translate): preHandlerHookHandler =>
  (request, reply, goOn) => {
    try {
      if (request.method === 'POST') {
        if (typeof request.body === 'object' && request.body !== null) request.body = trust(request.body);
      } else {
        const url = new URL(request.url, 'http://gateway');
        const { query, extensions } = trust(payloadOf(request));
        if (typeof query === 'string') url.searchParams.set('query', query);
        url.searchParams.delete('documentId');
        if (extensions !== undefined)
          url.searchParams.set(
            'extensions',
            typeof extensions === 'string' ? extensions : JSON.stringify(extensions),
          );
        request.raw.url = `${url.pathname}${url.search}`;
      }
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      reply.status(400).send({ errors: [translate(error)] });
      return;
    }
    goOn();
  };

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
const withStatusOfType: onSendHookHandler<unknown> = (_request, reply, answer, send) => {
  const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
  if (reply.statusCode !== 400 || !isJson || typeof answer !== 'string') return send(null, answer);
  const { errors } = JSON.parse(answer) as { errors?: GraphQLFormattedError[] };
  const isAnswer = errors?.every(({ extensions }) => OF_THE_OPERATION.includes(String(extensions?.code)));
  if (isAnswer) reply.status(200);
  send(null, answer);
};

/**
 * Serves queries and mutations at `/graphql`, as the working draft of GraphQL over HTTP has it
 * (https://graphql.github.io/graphql-over-http/draft/, with its appendix on persisted documents), in the revision that
 * the audits of graphql-http 1.23 check. What is refused for its cost, rate or sign-in has a status of 4xx in
 * either media type. Returns how to stop.
 */
export async function serveGraphqlOverHttp(
  app: FastifyInstance,
  { schema, trust, rules, execute, rateLimit, services, authenticator, limitUploads, translate, log }: Parts,
): Promise<() => Promise<void>> {
  const apollo = new ApolloServer<Context>({
    gateway: executedBy({ schema, execute, rateLimit }),
    introspection: true,
    parseOptions: PARSE_OPTIONS,
    validationRules: [...rules],
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    // It would refuse the specification's GETs as well: `refuseUnasked`, and that only JSON is read, stand in its place.
    csrfPrevention: false,
    formatError: (_formatted, error) => translate(error),
    logger: log,
    plugins: [
      // Both only cost: the first instruments every field, the second loads its page from elsewhere.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  // Of the headers Apollo reads these.
  const headersOf = ({ headers: { accept, 'content-type': contentType } }: FastifyRequest) => {
    const headers = new HeaderMap();
    if (accept) headers.set('accept', accept);
    if (contentType) headers.set('content-type', contentType);
    return headers;
  };
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    onRequest: [refuseUnasked, signInFirst(authenticator, translate), limitUploads],
    preHandler: [refuseBatch, withTrusted(trust, translate)],
    onSend: withStatusOfType,
    handler: async (request, reply) => {
      const { method, url, body } = request;
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: {
          method,
          headers: headersOf(request),
          search: url.includes('?') ? url.slice(url.indexOf('?')) : '',
          body,
        },
        context: async () => createContext(services, viewerOf(request)),
      });
      if (answer.body.kind !== 'complete') throw new Error('No operation is answered in parts here');
      reply.status(answer.status ?? 200);
      for (const [name, value] of answer.headers) reply.header(name, value);
      return answer.body.string;
    },
  });
  refuseOtherMethods(app, '/graphql');
  return () => apollo.stop();
}
