import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** What takes minutes: the tests of `npm test` that have a larger size, those that have no small one, and performance. */
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
      // Progress is shown while a test runs.
      disableConsoleIntercept: true,
    },
  },
);

/** Tests that neither measure nor fill both cores. */
const SIDE_BY_SIDE = [
  'test/{clients,deployment,kit,simulation}/*.heavy.ts',
  'test/launch/{dev,signals,stack-traces,terminal}.heavy.ts',
  'test/console/!(many-sessions).heavy.ts',
  'test/client/*.heavy.ts',
  'test/attacks/real-clients.heavy.ts',
  'test/db/{pgbouncer,silent-connection}.heavy.ts',
  'test/live/dead-sockets.heavy.ts',
  'test/processes/before-its-database.heavy.ts',
  'test/survival/{full-disk,provider-away}.heavy.ts',
  'test/journeys/*.test.ts',
  'test/api/{any-input,made-up-queries,random-walk,roles}.test.ts',
];

/** Files that a run does without, separated by spaces: CI names those of which it runs a smaller one. */
const LEFT_OUT = process.env.HEAVY_LEFT_OUT?.split(' ') ?? [];

export default defineConfig({
  test: {
    // One PostgreSQL for both projects.
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
