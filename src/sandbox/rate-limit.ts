import type { FastifyInstance } from 'fastify';
import type { Clock } from '../domain/ports.ts';
import { createApiError } from './errors.ts';

const MINUTE_MS = 60_000;

/** Returns the provider's rate limit headers. */
export const createRateLimitHeaders = (limit: number, remaining: number, resetSeconds: number) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(resetSeconds),
});

/**
 * Limits each operation to `callsPerMinute` in fixed windows of a minute. If the limit is null, calls are not
 * limited, and no rate limit headers are sent.
 */
export function limitCalls(api: FastifyInstance, callsPerMinute: number | null, clock: Clock): void {
  if (callsPerMinute === null) return;
  const windows = new Map<string, { readonly endsAt: number; calls: number }>();
  api.addHook('onRequest', async ({ method, routeOptions }, reply) => {
    const operation = `${method} ${routeOptions.url}`;
    const now = clock.now().getTime();
    let window = windows.get(operation);
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + MINUTE_MS, calls: 0 };
      windows.set(operation, window);
    }
    window.calls += 1;
    const resetSeconds = Math.ceil((window.endsAt - now) / 1000);
    reply.headers(
      createRateLimitHeaders(callsPerMinute, Math.max(callsPerMinute - window.calls, 0), resetSeconds),
    );
    if (window.calls > callsPerMinute)
      throw createApiError('tooManyRequests', { 'retry-after': String(resetSeconds) });
  });
}
