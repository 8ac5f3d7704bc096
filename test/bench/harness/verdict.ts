import type { Spread } from './statistics.ts';
import { show } from './table.ts';

/** Goal of a bench, the measured value, and whether it meets the goal. */
export interface Verdict {
  readonly wanted: string;
  readonly found: Spread;
  readonly met: boolean;
}

interface Bounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/**
 * Compares a measured median with its bounds. Without bounds the goal counts as met, and the value is only
 * reported.
 */
export function judge(what: string, found: Spread, { atLeast, atMost }: Bounds): Verdict {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ];
  return {
    wanted: `${bounds.join(' and ')} ${what}`,
    found,
    met: found.median >= (atLeast ?? 0) && found.median <= (atMost ?? Number.POSITIVE_INFINITY),
  };
}

export const lineOf = ({ wanted, found, met }: Verdict): string =>
  `${met ? 'pass' : 'FAIL'}  ${wanted}: ${show(found, 2)}`;
