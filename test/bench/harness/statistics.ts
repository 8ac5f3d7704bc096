/** Median of the rounds and their spread. Both are robust: a single outlier changes them little. */
export interface Spread {
  readonly median: number;
  /** Median absolute deviation: half of the rounds differ from the median by no more than this. */
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const median = medianOf(values);
  return { median, deviation: medianOf(values.map((value) => Math.abs(value - median))) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}
