import type { Release } from './harness/releases.ts';

/** One benchmark that `npm run bench` can run. */
export interface Bench {
  /** One line about what the bench measures or compares. */
  readonly about: string;
  /** Set for a long bench, which runs only if the command line names it. */
  readonly onlyByName?: true;
  run(conditions: Conditions): Promise<Report>;
}

export interface Conditions {
  /** Whether this is a trial run, with fewer rounds and smaller databases. */
  readonly quick: boolean;
  /**
   * Numbers of sessions in the databases of a bench that runs on several; null: the defaults of the bench.
   */
  readonly sizes: readonly number[] | null;
  /**
   * Registers a function that stops a process or server at the end. Call this in the same tick as the start, so
   * that an interruption (Ctrl-C) in between cannot leave the process running.
   */
  onEnd(release: Release): void;
  /** Prints a line of progress. */
  say(line: string): void;
}

export interface Report {
  /** The report as text, for people. */
  readonly text: string;
  /** The report as JSON. */
  readonly figures: object;
  /** The report as a chart (SVG), if the bench draws one. */
  readonly plot?: string;
}
