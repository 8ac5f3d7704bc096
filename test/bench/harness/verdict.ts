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
 * Compares a measured median with the bounds of a goal. A goal without bounds counts as met: its value is just
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
