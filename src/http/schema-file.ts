import type { FastifyInstance } from 'fastify';
import type { FormatError } from '../graphql/errors.ts';
import { formatSchemaSdl } from '../graphql/schema.ts';
import { requireAuthentication } from './require-sign-in.ts';
import type { Authenticator } from './sign-in.ts';

interface Dependencies {
  readonly authenticator: Authenticator;
  readonly formatError: FormatError;
}

/**
 * Serves the schema as SDL at `/schema.graphql`, for code generators and editors. Requires a token exactly where an
 * introspection query does. Call it only if introspection is on.
 */
export function serveSchemaFile(app: FastifyInstance, { authenticator, formatError }: Dependencies): void {
  app.get(
    '/schema.graphql',
    { onRequest: requireAuthentication(authenticator, formatError) },
    async (_request, reply) => reply.type('application/graphql; charset=utf-8').send(formatSchemaSdl()),
  );
}
