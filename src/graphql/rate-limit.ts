import { GraphQLError } from 'graphql';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Viewer } from '../domain/access.ts';
import { type FrameBudget, FrameBudgets } from '../feed/frame-budget.ts';

/** Cost of a refused operation: checking a document takes CPU time as well. The figure is a choice, not measured. */
export const REFUSAL_COST = 10;

/**
 * What a caller may spend in this process. Beginning a subscription costs one frame; further frames are paid from a
 * budget of their own, so that a replay after a reconnect does not refuse the caller's queries, nor they it.
 */
export interface RateLimit {
  /** Spends the cost of an operation; the refusal where it is more than what is left. */
  spend(viewer: Viewer, cost: number): Promise<GraphQLError | null>;
  /** Returns the budget of a subscription whose frames cost so much each. */
  framesOf(viewer: Viewer, frameCost: number): FrameBudget;
}

/** So much cost a minute for each caller; 0: as much as they like. */
export function createRateLimit(costPerMinute: number): RateLimit {
  const frames = new FrameBudgets(costPerMinute);
  const framesOf: RateLimit['framesOf'] = (viewer, frameCost) => frames.of(viewer.id, frameCost);
  if (costPerMinute === 0) return { spend: async () => null, framesOf };
  const limiter = new RateLimiterMemory({ points: costPerMinute, duration: 60 });
  return {
    framesOf,
    spend: (viewer, cost) =>
      limiter.consume(viewer.id, cost).then(
        () => null,
        ({ msBeforeNext }: RateLimiterRes) => usedUp(costPerMinute, Math.ceil(msBeforeNext / 1000)),
      ),
  };
}

const usedUp = (costPerMinute: number, retryAfterSeconds: number): GraphQLError =>
  new GraphQLError(
    `You have used up the cost of ${costPerMinute} that a minute allows: try again in ${retryAfterSeconds} s, or ask for less at a time.`,
    {
      extensions: {
        code: 'RATE_LIMITED',
        retryAfterSeconds,
        http: { status: 429, headers: new Map([['retry-after', String(retryAfterSeconds)]]) },
      },
    },
  );
