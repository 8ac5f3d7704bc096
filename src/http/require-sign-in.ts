import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Viewer } from '../domain/access.ts';
import { invariant } from '../domain/invariant.ts';
import type { FormatError } from '../graphql/errors.ts';
import { type Authenticator, getAuthorizationHeader } from './sign-in.ts';

const viewers = new WeakMap<FastifyRequest, Viewer>();

/** Returns the viewer that `requireAuthentication` found for the request. */
export function getViewer(request: FastifyRequest): Viewer {
  const viewer = viewers.get(request);
  invariant(viewer, 'request reached a handler without authentication');
  return viewer;
}

/**
 * Hook that refuses requests without a valid token. The hook runs before the body is read, so that a refused
 * request costs little more than the verification of its token.
 */
export const requireAuthentication =
  (authenticator: Authenticator, formatError: FormatError): onRequestAsyncHookHandler =>
  async (request, reply) => {
    try {
      viewers.set(request, await authenticator.viewerOf(getAuthorizationHeader(request), request.raw));
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const { http, retryAfterSeconds } = error.extensions;
      if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
      return reply.status((http as { status: number }).status).send({ errors: [formatError(error)] });
    }
  };
