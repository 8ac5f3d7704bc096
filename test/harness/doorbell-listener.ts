import type { Doorbell } from '../../src/domain/ports.ts';

/** A listener that remembers. */
export interface Ear {
  /** Every ring heard, as it came. */
  readonly rings: [sessionId: string, sequence: number][];
  /** How often it was told to look at everything. */
  readonly misses: number;
  /** Whether all these sessions were rung for at this sequence or a later one since `forget`. */
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
