import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Speed and memory, and what they rest on: query plans, numbers of statements. One file at a time, since they measure. */
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
