import { setTimeout as wait } from 'node:timers/promises';

/** Delays of `retryForever`: exponential backoff with jitter. */
export interface RetryTimings {
  /**
   * Upper bound of the first delay. The bound doubles with each attempt, up to `longestRetryMs`; jitter
   * shortens each delay by up to half.
   */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

/**
 * Repeats `attempt` with exponential backoff and jitter until `stopping` is aborted. An attempt opens a
 * connection, lasts until the connection breaks, and must not reject. When the attempt calls `succeeded`, the
 * backoff restarts at the first delay.
 */
export async function retryForever(
  { firstRetryMs, longestRetryMs }: RetryTimings,
  stopping: AbortSignal,
  attempt: (succeeded: () => void) => Promise<unknown>,
): Promise<void> {
  let retryMs = firstRetryMs;
  while (!stopping.aborted) {
    await attempt(() => {
      retryMs = firstRetryMs;
    });
    // Jitter: replicas that lost the same server must not reconnect at the same moment.
    const jitteredMs = retryMs * (0.5 + Math.random() / 2);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
    await wait(jitteredMs, undefined, { signal: stopping }).catch(() => {});
  }
}
