import { Transform } from 'node:stream';
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify';
import { getViewer } from './require-sign-in.ts';

/**
 * Size above which a request counts as large. Few operations come near it; a large request takes a slot while
 * it arrives.
 */
const USUAL_BYTES = 64 * 1024;
const MAX_AT_A_TIME = 8;

/** Refusal of a large request. The server's error handler answers it with this status. */
class TooManyUploads extends Error {
  readonly statusCode = 429;
  readonly retryAfterSeconds = 1;
  constructor() {
    super(`You are sending ${MAX_AT_A_TIME} large requests at once: wait until one has been received.`);
  }
}

/**
 * Limits the large requests that each caller sends at the same time, because they are held in memory until
 * they have arrived. Small ones are not counted: a server of the bank may send hundreds at once for one
 * `sub`. A chunked request, as .NET sends every one, does not tell its size: it counts once it has become
 * large.
 */
export function limitUploads(): preParsingHookHandler {
  const arriving = new Map<string, number>();

  /**
   * Takes a slot until the request has arrived or was answered. Returns false if its caller has none left.
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
    // The request never emits `close` if it is refused before its body was read.
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
    // Drains the rest of the body, so that the next request on the connection is parsed.
    reply.raw.once('close', () => payload.unpipe(counted).resume());
    goOn(null, counted);
  };
}
