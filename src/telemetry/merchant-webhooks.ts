import type { Metrics } from './metrics.ts';

/** Outcome of an attempt to deliver a merchant webhook: `HTTP` and the status, or the code of an error. */
interface Attempt {
  readonly outcome: string;
}

/** Creates the function that counts attempts by endpoint and class of outcome, which has few values. */
export const createAttemptCounter =
  (metrics: Metrics) =>
  (endpoint: string, { outcome }: Attempt): void =>
    metrics.merchantAttempts.inc({ endpoint, outcome: classify(outcome) });

function classify(outcome: string): string {
  const [, digit] = outcome.match(/^HTTP (\d)\d\d$/) ?? [];
  if (digit !== undefined) return `${digit}xx`;
  return outcome === 'TIMEOUT' || outcome === 'ADDRESS_REFUSED' ? outcome : 'UNREACHABLE';
}
