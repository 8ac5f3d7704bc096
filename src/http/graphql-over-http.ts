import { ApolloServer, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema, type ValidationRule } from 'graphql';
import type { Logger } from 'pino';
import { type Context, createContext, type Services } from '../graphql/context.ts';
import { costOf, tooComplex } from '../graphql/cost.ts';
import type { Translate } from '../graphql/errors.ts';
import type { Execute } from '../graphql/execution.ts';
import { LIMITS, PARSE_OPTIONS } from '../graphql/limits.ts';
import type { RateLimit } from '../graphql/rate-limit.ts';
import type { Trust } from '../graphql/trusted-documents.ts';
import { payloadOf, refuseBatch } from './one-operation.ts';
import type { Authenticator } from './sign-in.ts';

interface Parts {
  readonly schema: GraphQLSchema;
  readonly execute: Execute;
  readonly rateLimit: RateLimit;
  readonly trust: Trust;
  readonly rules: readonly ValidationRule[];
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly translate: Translate;
  readonly log: Logger;
}

/** A subscription that came as a request would be executed as a query, once and to no use. */
const refuseSubscriptions: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation }) => {
      if (operation?.operation !== 'subscription') return;
      throw new GraphQLError(
        'Subscriptions are served over WebSocket (graphql-transport-ws) at this address.',
        {
          extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
        },
      );
    },
  }),
};

/** Refuses what costs too much, or more than its caller has left, and says in every answer what it cost. */
const countCost = (rateLimit: RateLimit): ApolloServerPlugin<Context> => ({
  requestDidStart: async () => {
    let requested: number | null = null;
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) return;
        requested = costOf({ schema, document, operation, variableValues: request.variables ?? {} });
        const refusal = tooComplex(requested) ?? (await rateLimit.spend(contextValue.viewer, requested));
        if (refusal) throw refusal;
      },
      async willSendResponse({ response: { body } }) {
        if (requested === null || body.kind !== 'single') return;
        const { singleResult } = body;
        singleResult.extensions = { ...singleResult.extensions, cost: { requested, maximum: LIMITS.cost } };
      },
    };
  },
});

/** Has Apollo execute as the other transports do. */
const executedBy = (
  schema: GraphQLSchema,
  execute: Execute,
): NonNullable<ApolloServerOptions<Context>['gateway']> => ({
  onSchemaLoadOrUpdate(callBack) {
    callBack({ apiSchema: schema, coreSupergraphSdl: '' });
    return () => {};
  },
  load: async () => ({
    executor: ({ document, request, context }) =>
      execute({
        schema,
        document,
        contextValue: context as Context,
        variableValues: request.variables,
        operationName: request.operationName,
      }),
  }),
  stop: async () => {},
});

/** Puts the document in the place of its name. A GET is read by Apollo itself, from its URL. */
const withTrusted =
  (trust: Trust, translate: Translate) => async (request: FastifyRequest, reply: FastifyReply) => {
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
      await reply.status(400).send({ errors: [translate(error)] });
    }
  };

/** Serves queries and mutations at `/graphql`. Returns how to stop. */
export async function serveGraphqlOverHttp(
  app: FastifyInstance,
  { schema, trust, rules, execute, rateLimit, services, authenticator, translate, log }: Parts,
): Promise<() => Promise<void>> {
  const apollo = new ApolloServer<Context>({
    gateway: executedBy(schema, execute),
    introspection: true,
    parseOptions: PARSE_OPTIONS,
    validationRules: [...rules],
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: (_formatted, error) => translate(error),
    logger: log,
    plugins: [
      // Both only cost: the first instruments every field, the second loads its page from elsewhere.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      refuseSubscriptions,
      countCost(rateLimit),
    ],
  });
  await apollo.start();
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    preHandler: [refuseBatch, withTrusted(trust, translate)],
    handler: fastifyApolloHandler(apollo, {
      context: async (request) =>
        createContext(services, await authenticator.viewerOf(request.headers.authorization)),
    }),
  });
  return () => apollo.stop();
}
