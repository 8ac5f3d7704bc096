import type { Metrics } from './metrics.ts';
import { withSpan } from './trace.ts';

/** Fields of a transition from which its delivery time is computed. */
export interface Delivered {
  readonly recordedAt: Date;
  readonly traceparent?: string | null;
}

/**
 * Function that measures a delivery of transitions. `passOn` sends them, and resolves when every live
 * subscriber has been sent them or lags because its socket is full.
 */
export type ObserveDelivery = (entries: readonly Delivered[], passOn: () => Promise<void>) => Promise<void>;

interface Dependencies {
  /** Whether the log is one session's, or the feed of all sessions. */
  readonly log: 'session' | 'all';
  readonly clock: { now(): Date };
  readonly metrics: Metrics | undefined;
}

/**
 * Measures the time from the recording of each transition to its delivery. The start is taken by the clock of the
 * replica that recorded it.
 */
export const createDeliveryObserver =
  ({ log, clock, metrics }: Dependencies): ObserveDelivery =>
  async (entries, passOn) => {
    await withinTraces(entries, log, passOn);
    if (!metrics) return;
    const now = clock.now().getTime();
    for (const { recordedAt } of entries)
      metrics.deliveries.observe({ log }, Math.max(0, now - recordedAt.getTime()) / 1000);
  };

/** Runs a delivery in one span per transition, which belongs to the trace in which the transition was recorded. */
const withinTraces = (
  entries: readonly Delivered[],
  log: string,
  passOn: () => Promise<void>,
): Promise<void> =>
  entries.reduce<() => Promise<void>>(
    (work, { traceparent }) =>
      traceparent
        ? () =>
            withSpan(
              'send frames',
              { kind: 'PRODUCER', from: traceparent, attributes: { 'vkyc.log': log } },
              work,
            )
        : work,
    passOn,
  )();
