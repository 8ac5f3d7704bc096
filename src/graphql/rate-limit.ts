import { GraphQLError } from 'graphql';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Viewer } from '../domain/access.ts';
import { type FrameBudget, ViewerFrameBudgets } from '../feed/frame-budget.ts';

/**
 * Cost charged for a refused operation, because checking its document takes CPU time. The number was chosen,
 * not measured.
 */
export const REFUSED_OPERATION_COST = 10;

/**
 * Rate limits of the viewers in this process. Starting a subscription costs as much as one of its frames (results).
 * Later frames have a budget of their own, so that a long replay after a reconnect does not block the viewer's
 * queries, and queries do not block the replay.
 */
export interface ViewerRateLimiter {
  /**
   * Charges the cost of an operation to the viewer. Returns an error if the viewer has not enough left;
   * otherwise null.
   */
  spend(viewer: Viewer, cost: number): Promise<GraphQLError | null>;
  /**
   * Returns the frame budget (limit of the total cost of frames) of a subscription whose frames cost
   * `frameCost` each.
   */
  framesOf(viewer: Viewer, frameCost: number): FrameBudget;
  /**
   * Returns the budget for the pages of an export that cost `pageCost` each. It is separate from that of frames, so that an
   * export does not delay the viewer's subscriptions.
   */
  pagesOf(viewer: Viewer, pageCost: number): FrameBudget;
}

/** Creates rate limits of `costPerMinute` points for each viewer; 0 means no limit. */
export function createViewerRateLimiter(costPerMinute: number): ViewerRateLimiter {
  const frames = new ViewerFrameBudgets(costPerMinute);
  const pages = new ViewerFrameBudgets(costPerMinute);
  const budgets: Pick<ViewerRateLimiter, 'framesOf' | 'pagesOf'> = {
    framesOf: (viewer, frameCost) => frames.of(viewer.id, frameCost),
    pagesOf: (viewer, pageCost) => pages.of(viewer.id, pageCost),
  };
  if (costPerMinute === 0) return { spend: async () => null, ...budgets };
  const limiter = new RateLimiterMemory({ points: costPerMinute, duration: 60 });
  return {
    ...budgets,
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
