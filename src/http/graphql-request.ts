import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import type { Payload } from '../graphql/payload.ts';

/**
 * Refuses batches: the operations of a batch would pass every limit one by one. Clients with HTTP/2 or
 * WebSockets do not need batches.
 */
export const rejectBatches: preHandlerHookHandler = ({ body }, reply, goOn) => {
  if (!Array.isArray(body)) return goOn();
  const message = 'Batched requests are not served: send one operation per request.';
  reply.status(400).send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
};

/** Answers any other method with 405 and the allowed methods, instead of 404. */
export function rejectOtherMethods(app: FastifyInstance, url: string): void {
  const message = 'This HTTP method is not served: send operations by POST, or queries by GET.';
  app.route({
    url,
    method: ['PUT', 'PATCH', 'DELETE'],
    // Refuses in a hook, because Fastify reads the body before the handler runs.
    onRequest: async (_request, reply) =>
      reply
        .status(405)
        .header('allow', 'GET, POST')
        .send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] }),
    handler: async () => {},
  });
}

/**
 * Returns the payload of the body, or of the query string, in which variables and extensions are JSON. Empty
 * parameters count as missing, since clients that build URLs from templates send them.
 */
export function readPayload({ method, body, query }: FastifyRequest): Payload {
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
