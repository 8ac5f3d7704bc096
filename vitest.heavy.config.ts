import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** What takes minutes: the same tests at full size, and those that have no small size. Their progress is shown. */
const heavy = {
  test: {
    env: {
      BOTH_WAYS: '0',
      JOURNEYS: process.env.JOURNEYS ?? '250',
      WALK_STEPS: process.env.WALK_STEPS ?? '2500',
    },
    testTimeout: 300_000,
    hookTimeout: 60_000,
    // They measure, or fill both cores by themselves.
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
};

const merged = mergeConfig(base, heavy);
export default {
  ...merged,
  test: {
    ...merged.test,
    include: ['test/**/*.heavy.ts', 'test/journeys/*.test.ts', 'test/api/random-walk.test.ts'],
  },
};
