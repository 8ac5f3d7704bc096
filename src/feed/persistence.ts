import { setTimeout as wait } from 'node:timers/promises';

/** How soon something is tried again. */
export interface RetryTimings {
  /** Each wait is up to twice the one before, within these. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

/**
 * Makes one attempt after the other until told to stop. An attempt ends by itself and never rejects; once it says that
 * it succeeded, the next one comes soon after its end.
 */
export async function keepTrying(
  { firstRetryMs, longestRetryMs }: RetryTimings,
  stopping: AbortSignal,
  attempt: (succeeded: () => void) => Promise<unknown>,
): Promise<void> {
  let retryMs = firstRetryMs;
  while (!stopping.aborted) {
    await attempt(() => {
      retryMs = firstRetryMs;
    });
    // Replicas that lost the same server must not come back to it all at once.
    const jitteredMs = retryMs * (0.5 + Math.random() / 2);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
    await wait(jitteredMs, undefined, { signal: stopping }).catch(() => {});
  }
}
