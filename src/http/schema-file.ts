import type { FastifyInstance } from 'fastify';
import type { FormatError } from '../graphql/errors.ts';
import { requireAuthentication } from './require-sign-in.ts';
import type { Authenticator } from './sign-in.ts';

interface Dependencies {
  /** Prints the schema that the gateway executes. */
  readonly formatSdl: () => string;
  readonly authenticator: Authenticator;
  readonly formatError: FormatError;
}

/**
 * Serves the schema as SDL at `/schema.graphql`, for code generators and editors. Requires a token exactly where an
 * introspection query does. Call it only if introspection is on.
 */
export function serveSchemaFile(
  app: FastifyInstance,
  { authenticator, formatError, formatSdl }: Dependencies,
): void {
  let sdl: string | null = null;
  app.get(
    '/schema.graphql',
    { onRequest: requireAuthentication(authenticator, formatError) },
    async (_request, reply) => {
      sdl ??= formatSdl();
      return reply.type('application/graphql; charset=utf-8').send(sdl);
    },
  );
}
