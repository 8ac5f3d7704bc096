import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Viewer } from '../domain/access.ts';
import type { Translate } from '../graphql/errors.ts';
import { type Authenticator, authorizationOf } from './sign-in.ts';

const viewers = new WeakMap<FastifyRequest, Viewer>();

/** Returns the viewer of a request that `signInFirst` let through. */
export function viewerOf(request: FastifyRequest): Viewer {
  const viewer = viewers.get(request);
  if (!viewer) throw new Error('A request is handled of which it was not asked who sent it');
  return viewer;
}

/**
 * Hook that refuses requests without a valid token before their body is read, so that a refusal costs little
 * more than the check of the token.
 */
export const signInFirst =
  (authenticator: Authenticator, translate: Translate): onRequestAsyncHookHandler =>
  async (request, reply) => {
    try {
      viewers.set(request, await authenticator.viewerOf(authorizationOf(request), request.raw));
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const { http, retryAfterSeconds } = error.extensions;
      if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
      return reply.status((http as { status: number }).status).send({ errors: [translate(error)] });
    }
  };
