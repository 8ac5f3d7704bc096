import { setTimeout as delay } from 'node:timers/promises';
import { type CallLimits, pauseCalls, spendCall } from '../db/call-budget.ts';
import type { Database } from '../db/client.ts';
import { ProviderFailure } from '../domain/errors.ts';
import type { CallBudget } from '../domain/ports.ts';

/** The part of the budget that polls leave to mutations. */
const KEPT_FOR_MUTATIONS = 0.3;
/** How long somebody who waits for a mutation is kept waiting for a free call. */
const PATIENCE_MS = 2_000;
/** A pause that the provider asks for is not believed beyond this. */
const LONGEST_PAUSE_SECONDS = 600;

/** `perMinute` shared out: some accounts have five calls in all, and both purposes need at least one. */
export function limitsOf(perMinute: number): CallLimits {
  const kept = Math.max(1, Math.round(perMinute * KEPT_FOR_MUTATIONS));
  return { total: perMinute, polls: Math.max(1, perMinute - kept) };
}

/** One budget for all replicas on one database. A poll waits for its turn, until `stopping` ends the wait. */
export function createCallBudget(db: Database, limits: CallLimits, stopping: AbortSignal): CallBudget {
  return {
    async take(purpose) {
      for (;;) {
        const waitMs = await spendCall(db, purpose, limits);
        if (waitMs === 0) return;
        if (purpose === 'MUTATION' && waitMs > PATIENCE_MS) {
          throw new ProviderFailure('UNAVAILABLE', 'The calls that the provider takes are used up for now.', {
            retryAfterSeconds: Math.ceil(waitMs / 1000),
          });
        }
        await delay(waitMs, undefined, { signal: stopping });
      }
    },
    pause: (seconds, whom) => pauseCalls(db, Math.min(seconds, LONGEST_PAUSE_SECONDS), whom),
  };
}
