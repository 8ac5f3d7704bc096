import type { FastifyReply, FastifyRequest } from 'fastify';

/** A batch would have its operations pass every limit one by one. HTTP/2 and WebSockets need none. */
export async function refuseBatch({ body }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (!Array.isArray(body)) return;
  const message = 'Send one operation a request: batches are not served.';
  await reply.status(400).send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
}
