import type { Metrics } from './metrics.ts';
import { withSpan } from './trace.ts';

/** Fields of a transition from which its delivery time is computed. */
export interface DeliveredTransition {
  readonly recordedAt: Date;
  readonly traceparent?: string | null;
}

/**
 * Function that measures a delivery of transitions. `passOn` sends the transitions, and resolves when each
 * live subscriber of a group (those that select the same fields) has been sent all transitions, or is no
 * longer live (its socket is full, or it reads the log itself).
 */
export type MeasureTransitionDelivery = (
  entries: readonly DeliveredTransition[],
  passOn: () => Promise<void>,
) => Promise<void>;

interface Dependencies {
  /** Kind of the followed log: the log of one session, or the feed of all sessions. */
  readonly log: 'session' | 'all';
  readonly clock: { now(): Date };
  readonly metrics: Metrics | undefined;
}

/**
 * Measures the time from the recording of each transition to its delivery. The time of the recording comes from
 * the clock of the replica that recorded the transition.
 */
export const createTransitionDeliveryMeter =
  ({ log, clock, metrics }: Dependencies): MeasureTransitionDelivery =>
  async (entries, passOn) => {
    await withinTraces(entries, log, passOn);
    if (!metrics) return;
    const now = clock.now().getTime();
    for (const { recordedAt } of entries)
      metrics.deliveries.observe({ log }, Math.max(0, now - recordedAt.getTime()) / 1000);
  };

/**
 * Runs a delivery in one span per transition. Each span belongs to the trace in which its transition was
 * recorded.
 */
const withinTraces = (
  entries: readonly DeliveredTransition[],
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
