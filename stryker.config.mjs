/**
 * Mutation testing, `npm run test:mutants`: changes the code in thousands of small ways and fails if the suites notice
 * fewer than 95 % of them.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  // The other files of src/feed are left out: their suites would wait seconds for each subscriber that a
  // mutant makes hang.
  mutate: [
    'src/domain/*.ts',
    'src/client/*.ts',
    // The bindings are tested against a gateway, and the possible types are generated.
    '!src/client/{apollo,live-store,possible-types,react,type-policies,urql}.ts',
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
      // Skips mutations of strings: most are texts for people, and tests compare the strings that decide
      // something.
      'StringLiteral',
      // Skips objects that are emptied as a whole: most would not compile, and Stryker does not compile
      // mutants.
      'ObjectLiteral',
    ],
  },
  // Names a file that does not exist. Stryker would rewrite an existing file by means of an API that
  // TypeScript 7 lacks.
  tsconfigFile: '.none',
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: true },
  tempDirName: '.stryker',
  thresholds: { high: 95, low: 95, break: 95 },
};
