/** Counts the given times (in seconds) by interval: the intervals begin at 0 and are each `seconds` long. */
export function stretchesOf(times: readonly number[], seconds: number): number[] {
  const last = Math.max(0, ...times);
  const counts = Array.from({ length: Math.floor(last / seconds) + 1 }, () => 0);
  for (const time of times)
    counts[Math.floor(time / seconds)] = (counts[Math.floor(time / seconds)] ?? 0) + 1;
  return counts;
}

/** Returns the share (0 to 1) of the interval with the largest count. */
export const largestShare = (counts: readonly number[]): number =>
  Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);

const WIDTH = 50;

/** Draws a histogram for a terminal, one line for each interval. */
export function drawHistogram(counts: readonly number[], seconds: number): string {
  const most = Math.max(...counts, 1);
  return counts
    .map((count, index) => {
      const bar = '#'.repeat(Math.ceil((count / most) * WIDTH));
      return `${String(index * seconds).padStart(4)} s ${bar} ${count}`;
    })
    .join('\n');
}
