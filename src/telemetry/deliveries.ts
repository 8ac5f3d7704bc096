import type { Metrics } from './metrics.ts';
import { traced } from './trace.ts';

/** What of a transition is needed to say how long it took to get here. */
export interface Delivered {
  readonly recordedAt: Date;
  readonly traceparent?: string | null;
}

/** Passes transitions on; resolves when most of those who follow them have been sent them. */
export type WatchDelivery = (entries: readonly Delivered[], passOn: () => Promise<void>) => Promise<void>;

interface Parts {
  /** Whether it is the log of one session, or of all. */
  readonly log: 'session' | 'all';
  readonly clock: { now(): Date };
  readonly metrics: Metrics | undefined;
}

/** Measures each transition from its recording, by the clock of whichever replica recorded it. */
export const watchDelivery =
  ({ log, clock, metrics }: Parts): WatchDelivery =>
  async (entries, passOn) => {
    await withinTraces(entries, log, passOn);
    if (!metrics) return;
    const now = clock.now().getTime();
    for (const { recordedAt } of entries)
      metrics.deliveries.observe({ log }, Math.max(0, now - recordedAt.getTime()) / 1000);
  };

/** The frames of one transition, to all who select the same, are one span of the trace in which it was recorded. */
const withinTraces = (
  entries: readonly Delivered[],
  log: string,
  passOn: () => Promise<void>,
): Promise<void> =>
  entries.reduce<() => Promise<void>>(
    (work, { traceparent }) =>
      traceparent
        ? () =>
            traced(
              'send frames',
              { kind: 'PRODUCER', from: traceparent, attributes: { 'vkyc.log': log } },
              work,
            )
        : work,
    passOn,
  )();
