import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ApiError, createApiError, PROVIDER_ERRORS, toErrorBody } from './errors.ts';
import type { ApiFault, FaultSelector } from './faults.ts';
import { createRateLimitHeaders } from './rate-limit.ts';

const DRIBBLE_SECONDS = 60;

/**
 * Errors with which a fault refuses a call before the call takes effect. Faults that are missing here change
 * the response after the call has taken effect.
 */
const INSTEAD: Partial<Record<ApiFault, () => ApiError>> = {
  'rate-limited': () =>
    createApiError('tooManyRequests', { 'retry-after': '1', ...createRateLimitHeaders(100, 0, 1) }),
  'error-500': () => createApiError('apiError'),
  'error-502': () => createApiError('requestFailed'),
  'error-504-before': () => createApiError('gatewayTimeout'),
};

/** Injects the active faults into API calls that have passed the checks of credentials and rate limit. */
export function injectApiFaults(api: FastifyInstance, faults: FaultSelector, prefix: string): void {
  const hit = new WeakMap<FastifyRequest, ApiFault>();

  api.addHook('preHandler', async (request) => {
    const path = request.routeOptions.url?.slice(prefix.length);
    const body = request.body as { verification_id?: unknown } | null | undefined;
    const id = typeof body?.verification_id === 'string' ? body.verification_id : null;
    const fault = faults.ofCall(`${request.method} ${path}`, id);
    if (!fault) return;
    hit.set(request, fault);
    const refusal = INSTEAD[fault];
    if (refusal) throw refusal();
  });

  api.addHook('onSend', async (request, reply, payload) => {
    switch (hit.get(request)) {
      case 'error-504-after':
        reply.status(PROVIDER_ERRORS.gatewayTimeout.status);
        return JSON.stringify(toErrorBody(PROVIDER_ERRORS.gatewayTimeout));
      case 'malformed-answer':
        reply.status(200);
        return String(payload).slice(0, String(payload).length / 2);
      case 'slow-body':
        return Readable.from(dribble(String(payload)));
      default:
        return payload;
    }
  });
}

/**
 * Yields one byte per second for a minute, then the rest, to test how clients take slow responses. Stops when
 * the client closes the connection.
 */
async function* dribble(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let second = 0; second < Math.min(DRIBBLE_SECONDS, bytes.length - 1); second += 1) {
    yield bytes.subarray(second, second + 1);
    await sleep(1000, undefined, { ref: false });
  }
  yield bytes.subarray(Math.min(DRIBBLE_SECONDS, bytes.length - 1));
}
