import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import type { Payload } from '../graphql/operation.ts';

/** A batch would have its operations pass every limit one by one. HTTP/2 and WebSockets need none. */
export const refuseBatch: preHandlerHookHandler = ({ body }, reply, goOn) => {
  if (!Array.isArray(body)) return goOn();
  const message = 'Send one operation a request: batches are not served.';
  reply.status(400).send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
};

/** Says which methods there are, where others would find nothing. */
export function refuseOtherMethods(app: FastifyInstance, url: string): void {
  const message = 'Send operations by POST, or queries by GET.';
  app.route({
    url,
    method: ['PUT', 'PATCH', 'DELETE'],
    // Not in the handler, for which the body would be read.
    onRequest: async (_request, reply) =>
      reply
        .status(405)
        .header('allow', 'GET, POST')
        .send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] }),
    handler: async () => {},
  });
}

/**
 * Returns the payload of the body, or of the query string, whose variables and extensions are JSON. Empty parameters, as
 * clients that build URLs from templates send them, are as good as none.
 */
export function payloadOf({ method, body, query }: FastifyRequest): Payload {
  if (method === 'POST') return typeof body === 'object' && body !== null ? body : {};
  const asked = Object.fromEntries(Object.entries(query as object).filter(([, value]) => value !== ''));
  return { ...asked, ...parsed(asked, 'variables'), ...parsed(asked, 'extensions') };
}

function parsed(asked: Record<string, unknown>, name: 'variables' | 'extensions'): Payload {
  if (asked[name] === undefined) return {};
  try {
    return { [name]: JSON.parse(String(asked[name])) };
  } catch {
    return { [name]: asked[name] };
  }
}
