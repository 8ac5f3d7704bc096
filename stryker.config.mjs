/**
 * Mutation testing, `npm run test:mutants`: changes the code in thousands of small ways and fails if the suites notice
 * fewer than 95 % of them.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  // The rest of src/feed is not here yet: its suites wait seconds for each follower that a mutant makes hang.
  mutate: [
    'src/domain/*.ts',
    'src/client/*.ts',
    'src/feed/{cursor,fingerprint,frame-budget,frame-json}.ts',
    'src/graphql/{cost,document-size,limits,pace,rate-limit}.ts',
  ],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutants.config.ts' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  mutator: {
    excludedMutations: [
      // Texts for people; the ones that decide something are compared in full by the tests of the decision.
      'StringLiteral',
      // Tables and option objects emptied as a whole: most do not compile, which Stryker does not check.
      'ObjectLiteral',
    ],
  },
  // Stryker rewrites this file by means of an API that TypeScript 7 does not have. It leaves a missing file alone.
  tsconfigFile: '.none',
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: true },
  tempDirName: '.stryker',
  thresholds: { high: 95, low: 95, break: 95 },
};
