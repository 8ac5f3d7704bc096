import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * Configuration of `npm run test:heavy`: tests that take minutes. These are tests of `npm test` in a larger
 * size, tests that exist only in a large size (`*.heavy.ts`), and performance tests (`*.perf.ts`).
 */
const { globalSetup, include: _, provide: __, ...shared } = base.test ?? {};
const heavy = mergeConfig(
  { ...base, test: shared },
  {
    test: {
      env: {
        BOTH_WAYS: '0',
        JOURNEYS: process.env.JOURNEYS ?? '250',
        WALK_STEPS: process.env.WALK_STEPS ?? '2500',
        BAD_VALUES_STRIDE: '1',
        COMPARE_EVERYTHING: '1',
        QUERIES: process.env.QUERIES ?? '400',
      },
      testTimeout: 300_000,
      hookTimeout: 60_000,
      // Prints console output immediately, so that long tests show their progress.
      disableConsoleIntercept: true,
    },
  },
);

/** Tests that may run in parallel: they measure nothing, and none of them keeps both cores busy. */
const SIDE_BY_SIDE = [
  'test/{clients,deployment,kit,packages,simulation}/*.heavy.ts',
  'test/launch/{dev,signals,stack-traces,terminal}.heavy.ts',
  'test/console/!(many-sessions).heavy.ts',
  'test/client/*.heavy.ts',
  'test/attacks/real-clients.heavy.ts',
  'test/db/{pgbouncer,silent-connection}.heavy.ts',
  'test/live/dead-sockets.heavy.ts',
  'test/processes/{before-its-database,claims}.heavy.ts',
  'test/{api/graphiql,gate/line-ends}.heavy.ts',
  'test/survival/{full-disk,provider-away}.heavy.ts',
  'test/journeys/*.test.ts',
  'test/api/{any-input,made-up-queries,random-walk,roles}.test.ts',
];

/** Test files to leave out, separated by spaces. CI leaves out those that it already runs in a smaller size. */
const LEFT_OUT = process.env.HEAVY_LEFT_OUT?.split(' ') ?? [];

export default defineConfig({
  test: {
    // Starts one PostgreSQL server for both projects.
    ...(globalSetup ? { globalSetup } : {}),
    projects: [
      mergeConfig(heavy, {
        test: { name: 'side by side', include: SIDE_BY_SIDE, maxWorkers: 2, sequence: { groupOrder: 1 } },
      }),
      mergeConfig(heavy, {
        test: {
          name: 'one at a time',
          include: ['test/**/*.heavy.ts', 'test/performance/*.perf.ts'],
          exclude: [...SIDE_BY_SIDE, ...LEFT_OUT],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      }),
    ],
  },
});
