import type { onRequestHookHandler } from 'fastify';
import { viewerOf } from './sign-in-first.ts';

/** Few operations are nearly as large; what is larger takes a place while it arrives. */
const USUAL_BYTES = 64 * 1024;
const MOST_AT_A_TIME = 8;

/**
 * Lets each caller send so many large requests at a time, for they are held in memory until they have arrived. Small
 * ones are not counted: a server of the bank may send hundreds at once for one `sub`.
 */
export function limitUploads(): onRequestHookHandler {
  const arriving = new Map<string, number>();
  return (request, reply, goOn) => {
    const { 'content-length': length, 'transfer-encoding': chunked } = request.headers;
    if (!chunked && Number(length ?? 0) <= USUAL_BYTES) return goOn();
    const { id } = viewerOf(request);
    const count = arriving.get(id) ?? 0;
    if (count >= MOST_AT_A_TIME) {
      const message = `You are sending ${MOST_AT_A_TIME} large requests at once: wait until one has arrived.`;
      reply
        .status(429)
        .header('retry-after', 1)
        .send({ errors: [{ message, extensions: { code: 'RATE_LIMITED' } }] });
      return;
    }
    arriving.set(id, count + 1);
    request.raw.once('close', () => {
      const left = (arriving.get(id) ?? 1) - 1;
      if (left > 0) arriving.set(id, left);
      else arriving.delete(id);
    });
    goOn();
  };
}
