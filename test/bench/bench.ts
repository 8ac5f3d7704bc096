import type { Release } from './harness/releases.ts';

/** One bench of `npm run bench`. */
export interface Bench {
  /** What the bench compares, in one line. */
  readonly about: string;
  /** Long-running: runs only if named on the command line. */
  readonly onlyByName?: true;
  run(conditions: Conditions): Promise<Report>;
}

export interface Conditions {
  /** Trial run: fewer rounds and only the small size. */
  readonly quick: boolean;
  /** Database sizes (in sessions) for a bench that runs on several; null: its defaults. */
  readonly sizes: readonly number[] | null;
  /** Registers the release of something the bench started, in the same tick as its start. */
  onEnd(release: Release): void;
  /** Prints a line of progress. */
  say(line: string): void;
}

export interface Report {
  /** The human-readable report. */
  readonly text: string;
  /** The report as JSON. */
  readonly figures: object;
  /** The chart of the report, as SVG. */
  readonly plot?: string;
}
