import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Viewer } from '../../src/domain/access.ts';
import { createViewerRateLimiter } from '../../src/graphql/rate-limit.ts';

const viewer = (id: string): Viewer => ({ id, roles: ['ADMIN'], verificationIds: [], expiresAt: null });

describe('rate limit', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('the rate limit lets each viewer spend the cost of a minute, then refuses operations and says when to retry', async () => {
    const limit = createViewerRateLimiter(100);
    expect(await limit.spend(viewer('asha'), 100)).toBeNull();
    expect(await limit.spend(viewer('ravi'), 100)).toBeNull();
    vi.advanceTimersByTime(12_500);
    const error = await limit.spend(viewer('asha'), 1);
    expect(error).toMatchObject({
      message: expect.stringMatching(/rate limit of 100 cost points per minute: try again in 48 s/),
      extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 48, http: { status: 429 } },
    });
    const http = error?.extensions.http as { headers: Map<string, string> };
    expect([...http.headers]).toEqual([['retry-after', '48']]);
    vi.advanceTimersByTime(47_501);
    expect(await limit.spend(viewer('asha'), 1)).toBeNull();
  });

  test('a rate limit of 0 means no limit', async () => {
    const limit = createViewerRateLimiter(0);
    expect(await limit.spend(viewer('asha'), 1e9)).toBeNull();
    expect(limit.framesOf(viewer('asha'), 1_000).framesAtOnce).toBe(Number.POSITIVE_INFINITY);
  });

  test('subscription frames have a budget of their own, equal to the rate limit and shared by all subscriptions of the viewer', async () => {
    const limit = createViewerRateLimiter(100);
    expect(await limit.spend(viewer('asha'), 100)).toBeNull();
    const [one, other] = [limit.framesOf(viewer('asha'), 50), limit.framesOf(viewer('asha'), 50)];
    expect([one.trySpend(), other.trySpend(), one.trySpend()]).toEqual([true, true, false]);
    expect(limit.framesOf(viewer('ravi'), 50).trySpend()).toBe(true);
  });
});
