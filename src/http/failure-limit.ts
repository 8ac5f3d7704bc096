import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { AddressOf } from './addresses.ts';

/** How often an address may fail to prove who it is. Who does prove it is never asked: many share an address. */
export interface FailureLimit {
  /** Counts a failure; for how many seconds to stay away where its address has had too many, null before. */
  count(request: IncomingMessage): Promise<number | null>;
}

/** So many failures a minute of each address, in this process; 0: as many as they like. */
export function createFailureLimit(perMinute: number, addressOf: AddressOf): FailureLimit {
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
