import type { Doorbell } from '../../src/domain/ports.ts';

/** Listener of a doorbell (notifications between replicas) that records the rings it gets. */
export interface Ear {
  /** Every ring, in order of arrival. */
  readonly rings: [sessionId: string, sequence: number][];
  /** Number of times that the doorbell reported a gap: rings may have been missed. */
  readonly misses: number;
  /**
   * Returns whether the doorbell has rung for each of these sessions, with at least the given sequence, since `forget`
   * was called.
   */
  knowsOf(sequences: ReadonlyMap<string, number>): boolean;
  forget(): void;
  leave(): void;
}

export function listenTo(doorbell: Doorbell): Ear {
  const rings: [string, number][] = [];
  let highest = new Map<string, number>();
  let misses = 0;
  const leave = doorbell.listen({
    onRing(sessionId, sequence) {
      rings.push([sessionId, sequence]);
      highest.set(sessionId, Math.max(sequence, highest.get(sessionId) ?? 0));
    },
    onGap() {
      misses += 1;
    },
  });
  return {
    rings,
    get misses() {
      return misses;
    },
    knowsOf: (sequences) =>
      [...sequences].every(([sessionId, sequence]) => (highest.get(sessionId) ?? 0) >= sequence),
    forget() {
      rings.length = 0;
      highest = new Map();
      misses = 0;
    },
    leave,
  };
}
