import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../db/connection/client.ts';
import {
  acquireProviderCallOrGetWaitMs,
  type ProviderCallLimits,
  pauseProviderCalls,
} from '../../db/polling/call-budget.ts';
import { ProviderFailure } from '../../domain/errors.ts';
import { MUTATION_RESERVE_FRACTION } from '../../domain/polling.ts';
import type { ProviderCallBudget, ProviderCallPurpose } from '../../domain/ports.ts';

/**
 * Maximum wait until the budget allows a call to the provider: short for a mutation, whose caller waits for the
 * answer; long for a poll, which runs in the background.
 */
const WAIT_TIMEOUT_MS = { MUTATION: 2_000, POLL: 30_000 } as const satisfies Record<
  ProviderCallPurpose,
  number
>;
/**
 * A mutation refused for lack of budget pauses polls until its `retryAfterSeconds` plus these seconds have passed, so
 * that its retry finds free calls.
 */
const PRECEDENCE_SECONDS = 10;

/**
 * Divides the calls per minute between mutations and polls. Each purpose gets at least one call, even if the
 * provider account allows only five calls per minute.
 */
export function splitCallBudget(perMinute: number): ProviderCallLimits {
  const kept = Math.max(1, Math.round(perMinute * MUTATION_RESERVE_FRACTION));
  return { total: perMinute, polls: Math.max(1, perMinute - kept) };
}

/**
 * Creates the call budget that all replicas on one database share. When `stopping` is aborted, polls that wait
 * for a call reject, and no further poll begins.
 */
export function createCallBudget(
  db: Database,
  limits: ProviderCallLimits,
  stopping: AbortSignal,
): ProviderCallBudget {
  return {
    async take(purpose) {
      const deadline = performance.now() + WAIT_TIMEOUT_MS[purpose];
      for (;;) {
        if (purpose === 'POLL') stopping.throwIfAborted();
        const waitMs = await acquireProviderCallOrGetWaitMs(db, purpose, limits);
        if (waitMs === 0) return;
        if (performance.now() + waitMs > deadline) throw await usedUp(purpose, waitMs);
        await delay(waitMs, undefined, purpose === 'POLL' ? { signal: stopping } : {});
      }
    },
    pause: (seconds, whom) => pauseProviderCalls(db, seconds, whom),
  };

  async function usedUp(purpose: ProviderCallPurpose, waitMs: number): Promise<ProviderFailure> {
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    // Pauses polls, which could otherwise use up a small budget before the caller of the mutation retries
    // (starvation).
    if (purpose === 'MUTATION') await pauseProviderCalls(db, retryAfterSeconds + PRECEDENCE_SECONDS, 'POLLS');
    return new ProviderFailure('UNAVAILABLE', 'The call budget for the provider is used up for now.', {
      retryAfterSeconds,
      sent: false,
    });
  }
}
