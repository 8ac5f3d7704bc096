/**
 * Compares the polling policy with round-robin, over several loads and seeds. `npm run simulate` runs this
 * file.
 */
import { expect, test } from 'vitest';
import { quantile, type Setting, type Staleness, simulate } from './staleness.ts';

const DAYS = 6;
/** Seeds: `npm run simulate` uses all five; the heavy tests use fewer, to save time. */
const SEEDS = ['1', '2', '3', '4', '5'].slice(0, Number(process.env.SIMULATED_SEEDS ?? 2));
const SETTINGS: readonly Setting[] = [
  ...SEEDS.map((seed) => ({ seed, sessions: 500, pollsPerMinute: 70, days: DAYS })),
  { seed: '1', sessions: 50, pollsPerMinute: 70, days: DAYS },
  // Left out if there is only one seed, because this setting takes longer than all others together.
  ...(SEEDS.length > 1 ? [{ seed: '1', sessions: 2_000, pollsPerMinute: 70, days: DAYS }] : []),
  { seed: '1', sessions: 100, pollsPerMinute: 3, days: DAYS },
];
const WIDTH = 40;

const show = (text: string) => process.stdout.write(`${text}\n`);
const seconds = ({ seconds: sorted }: Staleness) =>
  [0.5, 0.9, 0.99].map((part) => `${quantile(sorted, part).toFixed(0)} s`.padStart(8)).join('');
const bar = (value: number, most: number) => '█'.repeat(Math.max(1, Math.round((value / most) * WIDTH)));

test.each(SETTINGS)(
  'the polling policy sees half of the changes at least 30 % sooner than round-robin with $sessions sessions, $pollsPerMinute polls a minute, seed $seed',
  (setting) => {
    const inTurn = simulate(setting, 'ROUND_ROBIN');
    const ours = simulate(setting, 'OURS');
    const medians = [inTurn, ours].map((each) => quantile(each.seconds, 0.5)) as [number, number];
    const ratio = medians[1] / medians[0];
    const tail = quantile(ours.seconds, 0.99) / quantile(inTurn.seconds, 0.99);

    show(
      `\n${setting.sessions} sessions, ${setting.pollsPerMinute} polls a minute, seed ${setting.seed}: ${ours.seconds.length} changes`,
    );
    show(`              p50     p90     p99   polls`);
    show(`robin   ${seconds(inTurn)} ${String(inTurn.polls).padStart(7)}  ${bar(medians[0], medians[0])}`);
    show(`ours    ${seconds(ours)} ${String(ours.polls).padStart(7)}  ${bar(medians[1], medians[0])}`);
    show(`median ${ratio.toFixed(2)}, 99th percentile ${tail.toFixed(2)} of round-robin`);

    expect(ratio).toBeLessThanOrEqual(0.7);
    if (setting.sessions === 500) expect(tail).toBeLessThanOrEqual(1);
  },
);
