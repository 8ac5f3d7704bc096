import { ProviderFailure } from '../domain/errors.ts';
import type { ProviderCallPurpose } from '../domain/ports.ts';
import type { Metrics } from './metrics.ts';
import { withSpan } from './trace.ts';

/**
 * Runs and measures one attempt to call the provider. `endpoint` is the method and path without ids, because
 * ids would be personal and unlimited label values.
 */
export type MeasureCallAttempt = <T>(
  endpoint: string,
  purpose: ProviderCallPurpose,
  attempt: () => Promise<T>,
) => Promise<T>;

/** Creates a function that measures the duration and outcome of attempts to call the provider, each in a span. */
export const createCallAttemptMeter =
  ({ providerCalls }: Metrics): MeasureCallAttempt =>
  async (endpoint, purpose, attempt) => {
    const begun = performance.now();
    const note = (outcome: string) =>
      providerCalls.observe({ endpoint, purpose, outcome }, (performance.now() - begun) / 1000);
    try {
      const attributes = { 'vkyc.purpose': purpose };
      const answer = await withSpan(`provider ${endpoint}`, { kind: 'CLIENT', attributes }, attempt);
      note('OK');
      return answer;
    } catch (error) {
      note(error instanceof ProviderFailure ? error.kind : 'STOPPED');
      throw error;
    }
  };
