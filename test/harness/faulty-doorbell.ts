import type { Doorbell, DoorbellListener } from '../../src/domain/ports.ts';
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';

export interface FaultyDoorbell extends Doorbell {
  /** Numbers of rings so far that were lost, delivered twice, or delivered after a later ring (`overtaken`). */
  readonly faults: { lost: number; repeated: number; overtaken: number };
  /** Number of rings that are delayed at the moment. */
  readonly onTheirWay: number;
}

const LONGEST_DELAY_MS = 40;

/**
 * Creates a doorbell (notifications between replicas) that loses, repeats, delays and reorders rings,
 * independently for each listener.
 */
export function createFaultyDoorbell(inner: Doorbell, random: SeededRandom): FaultyDoorbell {
  const faults = { lost: 0, repeated: 0, overtaken: 0 };
  const timers = new Set<NodeJS.Timeout>();
  let rung = 0;
  let newestHeard = 0;

  const sometime = (tell: () => void) => {
    rung += 1;
    const number = rung;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        if (number < newestHeard) faults.overtaken += 1;
        newestHeard = Math.max(newestHeard, number);
        tell();
      },
      random.integer(0, LONGEST_DELAY_MS),
    );
    timers.add(timer);
  };
  const mistreat = (tell: () => void) => {
    if (random.chance(0.3)) {
      faults.lost += 1;
      return;
    }
    sometime(tell);
    if (random.chance(0.3)) {
      faults.repeated += 1;
      sometime(tell);
    }
  };

  return {
    faults,
    get onTheirWay() {
      return timers.size;
    },
    ring: (...ring) => inner.ring(...ring),
    listen: ({ onRing: rung, onGap: missed }: DoorbellListener) =>
      inner.listen({
        onRing: (...ring) => mistreat(() => rung(...ring)),
        onGap: () => mistreat(missed),
      }),
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await inner.stop();
    },
  };
}
