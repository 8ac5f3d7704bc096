/**
 * Subscriber of the hub (the followed logs of a process) without a transport. Collects the transitions that
 * it receives.
 */
import { UNLIMITED_FRAME_BUDGET } from '../../src/feed/frame-budget.ts';
import { FrameJson } from '../../src/feed/frame-json.ts';
import type { LogSubscription, UnexecutedFrame } from '../../src/feed/subscription.ts';

export interface Collector {
  readonly subscriber: LogSubscription;
  readonly seen: { sessionId: string; sequence: number }[];
  /** Resolves with the collected transitions when there are this many. */
  count(wanted: number): Promise<{ sessionId: string; sequence: number }[]>;
}

export function createCollector(): Collector {
  const seen: { sessionId: string; sequence: number }[] = [];
  let wake = () => {};
  const place = (frame: UnexecutedFrame) =>
    frame.kind === 'TRANSITION'
      ? { sessionId: frame.transition.sessionId, sequence: frame.transition.sequence }
      : {};
  return {
    seen,
    subscriber: {
      selection: {
        key: 'place',
        execute: async (frames) =>
          frames.map((frame) => ({
            json: new FrameJson(JSON.stringify(place(frame))),
            dependsOnViewer: false,
            immutable: false,
          })),
      },
      sink: {
        send(json) {
          seen.push(JSON.parse(json));
          wake();
        },
        cork: (send) => send(),
        writable: true,
        drained: async () => {},
        closeForRetry() {
          throw new Error('A hub subscription failed');
        },
      },
      viewer: { id: 'collector', roles: ['ADMIN'], verificationIds: [], expiresAt: null },
      budget: UNLIMITED_FRAME_BUDGET,
      after: null,
      cursorOf: () => 'never asked for',
      wants: () => true,
      heartbeats: false,
      wantsDeadline: null,
      findResyncPoint: null,
    },
    async count(wanted) {
      while (seen.length < wanted)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return seen;
    },
  };
}
