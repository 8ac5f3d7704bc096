import type { Release } from './harness/releases.ts';

/** One bench of `npm run bench`. */
export interface Bench {
  /** What it compares, in one line. */
  readonly about: string;
  /** Takes so long that it runs only where it is named. */
  readonly onlyByName?: true;
  run(conditions: Conditions): Promise<Report>;
}

export interface Conditions {
  /** To try it out: fewer rounds, the small size alone. */
  readonly quick: boolean;
  /** Of the databases, in sessions, where a bench has more than one; null: its own. */
  readonly sizes: readonly number[] | null;
  /** What starts says at once how it ends. */
  onEnd(release: Release): void;
  /** Progress, line by line. */
  say(line: string): void;
}

export interface Report {
  /** For people. */
  readonly text: string;
  /** For machines. */
  readonly figures: object;
  /** A drawing of it, as SVG. */
  readonly plot?: string;
}
