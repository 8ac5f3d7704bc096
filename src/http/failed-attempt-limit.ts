import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { FindClientAddress } from './addresses.ts';

/**
 * Limits failed sign-ins, and webhooks without a valid signature, by client address. Successful requests are
 * not limited, since many clients may share an address.
 */
export interface FailedAttemptLimit {
  /**
   * Counts a failed request. Returns the seconds to wait if the client address has had too many failures;
   * otherwise null.
   */
  count(request: IncomingMessage): Promise<number | null>;
}

/**
 * Creates a limit of failures per minute and client address. Each process counts for itself; 0 means no
 * limit.
 */
export function createFailedAttemptLimit(
  perMinute: number,
  addressOf: FindClientAddress,
): FailedAttemptLimit {
  if (perMinute === 0) return { count: async () => null };
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return {
    count: (request) =>
      limiter.consume(addressOf(request)).then(
        () => null,
        ({ msBeforeNext }: RateLimiterRes) => Math.ceil(msBeforeNext / 1000),
      ),
  };
}
