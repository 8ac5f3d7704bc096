import { expect, test } from 'vitest';
import { quantile, simulate } from '../simulation/staleness.ts';

test('if every webhook is lost, the polling policy finds half of the changes at least 30 % sooner than round-robin, and 99 % of the changes no later than round-robin', () => {
  const setting = { seed: 'a test', sessions: 500, pollsPerMinute: 70, days: 2 };
  const inTurn = simulate(setting, 'ROUND_ROBIN');
  const ours = simulate(setting, 'OURS');

  expect(ours.seconds.length).toBeGreaterThan(1_000);
  expect(ours.polls).toBeLessThanOrEqual(inTurn.polls);
  expect(quantile(ours.seconds, 0.5) / quantile(inTurn.seconds, 0.5)).toBeLessThanOrEqual(0.7);
  expect(quantile(ours.seconds, 0.99)).toBeLessThanOrEqual(quantile(inTurn.seconds, 0.99));
});
