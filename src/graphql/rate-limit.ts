import { GraphQLError } from 'graphql';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Viewer } from '../domain/access.ts';
import { type FrameBudget, FrameBudgets } from '../feed/frame-budget.ts';

/**
 * Cost of a refused operation: checking a document takes CPU time as well. The figure is chosen, not
 * measured.
 */
export const REFUSAL_COST = 10;

/**
 * Budgets of the viewers in this process. Beginning a subscription costs one frame; later frames are paid
 * from a separate budget, so that a replay after a reconnect and the viewer's queries do not block each
 * other.
 */
export interface RateLimit {
  /** Spends the cost of an operation. Returns an error if it exceeds what is left; otherwise null. */
  spend(viewer: Viewer, cost: number): Promise<GraphQLError | null>;
  /** Returns the budget of a subscription whose frames cost `frameCost` each. */
  framesOf(viewer: Viewer, frameCost: number): FrameBudget;
}

/** Creates a limit for the cost per minute of each viewer; 0: no limit. */
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
    `You have used up the rate limit of ${costPerMinute} cost points per minute: try again in ${retryAfterSeconds} s, or send cheaper operations.`,
    {
      extensions: {
        code: 'RATE_LIMITED',
        retryAfterSeconds,
        http: { status: 429, headers: new Map([['retry-after', String(retryAfterSeconds)]]) },
      },
    },
  );
