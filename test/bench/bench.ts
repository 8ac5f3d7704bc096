import type { Release } from './harness/releases.ts';

/** One bench of `npm run bench`. */
export interface Bench {
  /** What it compares, in one line. */
  readonly about: string;
  run(conditions: Conditions): Promise<Report>;
}

export interface Conditions {
  /** To try it out: fewer rounds, the small size alone. */
  readonly quick: boolean;
  /** What starts says at once how it ends. */
  onEnd(release: Release): void;
  /** Progress, line by line. */
  say(line: string): void;
}

export interface Report {
  /** For people. */
  readonly text: string;
  /** For `--json`. */
  readonly figures: object;
}
