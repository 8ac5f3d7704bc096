import { Transform } from 'node:stream';
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify';
import { getViewer } from './require-sign-in.ts';

/** Size in bytes above which a request counts as large. Hardly any GraphQL request is that large. */
const USUAL_BYTES = 64 * 1024;
const MAX_AT_A_TIME = 8;

/**
 * Error for a caller who sends too many large requests at the same time. The server's error handler answers
 * with `statusCode`.
 */
class TooManyUploads extends Error {
  readonly statusCode = 429;
  readonly retryAfterSeconds = 1;
  constructor() {
    super(`You are sending ${MAX_AT_A_TIME} large requests at once: wait until one has been received.`);
  }
}

/**
 * Limits how many large requests each caller sends at the same time, because they are kept in memory until
 * they have arrived. Small requests are not limited: a backend of the bank may send hundreds at the same time
 * under one `sub`. A chunked request, as .NET always sends, does not declare its size, so it counts from the
 * moment it has become large.
 */
export function createLargeRequestLimiter(): preParsingHookHandler {
  const arriving = new Map<string, number>();

  /**
   * Takes one of the caller's slots until the request has arrived or was answered. Returns false if all slots
   * are taken.
   */
  function takePlace(request: FastifyRequest, reply: FastifyReply): boolean {
    const { id } = getViewer(request);
    const count = arriving.get(id) ?? 0;
    if (count >= MAX_AT_A_TIME) return false;
    arriving.set(id, count + 1);
    let isHeld = true;
    const giveBack = () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (arriving.get(id) ?? 1) - 1;
      if (left > 0) arriving.set(id, left);
      else arriving.delete(id);
    };
    request.raw.once('close', giveBack);
    // Also listens to the response, because a request that is refused before its body was read never emits
    // `close`.
    reply.raw.once('close', giveBack);
    return true;
  }

  return (request, reply, payload, goOn) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    if (coding === undefined) {
      const isAdmitted = Number(length ?? 0) <= USUAL_BYTES || takePlace(request, reply);
      return isAdmitted ? goOn(null, payload) : goOn(new TooManyUploads());
    }
    let bytes = 0;
    let isLarge = false;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes > USUAL_BYTES && !isLarge) {
          isLarge = takePlace(request, reply);
          if (!isLarge) return done(new TooManyUploads());
        }
        done(null, chunk);
      },
    });
    payload.pipe(counted);
    payload.once('error', (error) => counted.destroy(error));
    // Reads and discards the rest of the body, so that the next request on the connection can be parsed.
    reply.raw.once('close', () => payload.unpipe(counted).resume());
    goOn(null, counted);
  };
}
