import type { Spread } from './statistics.ts';
import { show } from './table.ts';

/** What was wanted, and what was found. */
export interface Verdict {
  readonly wanted: string;
  readonly found: Spread;
  readonly met: boolean;
}

interface Bounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Whether a median is within bounds, of which there may be none: then it is only told. */
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
