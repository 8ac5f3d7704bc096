import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import type { RequestPayload } from '../graphql/payload.ts';

/**
 * Refuses batches (a JSON array of operations): each operation of a batch would pass the limits on its own,
 * but not their sum. Clients with HTTP/2 or WebSockets do not need batches.
 */
export const rejectBatches: preHandlerHookHandler = ({ body }, reply, goOn) => {
  if (!Array.isArray(body)) return goOn();
  const message = 'Batched requests are not served: send one operation per request.';
  reply.status(400).send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
};

/**
 * Makes requests with other methods than those that are served get a 405 with the allowed methods. Without this route,
 * Fastify would answer 404.
 */
export function rejectOtherMethods(
  app: FastifyInstance,
  url: string,
  message = 'This HTTP method is not served: send operations by POST, or queries by GET.',
  served: readonly string[] = ['GET', 'POST'],
): void {
  app.route({
    url,
    method: ['GET', 'PUT', 'PATCH', 'DELETE'].filter((method) => !served.includes(method)),
    // Answers in the hook `onRequest`, because Fastify reads the request body before it calls the handler.
    onRequest: async (_request, reply) =>
      reply
        .status(405)
        .header('allow', served.join(', '))
        .send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] }),
    handler: async () => {},
  });
}

/**
 * Returns the GraphQL request in the body of a POST, or in the query string of a GET, whose variables and
 * extensions are JSON. Empty parameters are ignored, because clients that build URLs from templates send
 * them.
 */
export function readPayload({ method, body, query }: FastifyRequest): RequestPayload {
  if (method === 'POST') return typeof body === 'object' && body !== null ? body : {};
  const asked = Object.fromEntries(Object.entries(query as object).filter(([, value]) => value !== ''));
  return { ...asked, ...parsed(asked, 'variables'), ...parsed(asked, 'extensions') };
}

function parsed(asked: Record<string, unknown>, name: 'variables' | 'extensions'): RequestPayload {
  if (asked[name] === undefined) return {};
  try {
    return { [name]: JSON.parse(String(asked[name])) };
  } catch {
    return { [name]: asked[name] };
  }
}
