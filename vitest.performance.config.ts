import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * Configuration of `npm run test:performance`: tests of speed, memory, query plans and numbers of statements.
 * Files run one at a time, because parallel tests would distort the measurements.
 */
const { include: _, ...shared } = base.test ?? {};
export default mergeConfig(
  { ...base, test: shared },
  {
    test: {
      include: ['test/performance/*.perf.ts'],
      maxWorkers: 1,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  },
);
