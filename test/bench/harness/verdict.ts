import type { Spread } from './statistics.ts';
import { show } from './table.ts';

/** A goal and the measured value. */
export interface Verdict {
  readonly wanted: string;
  readonly found: Spread;
  readonly met: boolean;
}

interface Bounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Judges whether a median is within bounds. Without bounds it is only reported. */
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
