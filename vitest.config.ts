import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Loads graphql only once: CommonJS and ES modules would otherwise load a copy each, and graphql rejects
  // types of another copy.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // Resolves the published client helper to its source file, so that coverage and stack traces name that
      // file.
      {
        find: 'vkyc-gateway/client',
        replacement: fileURLToPath(new URL('src/client/resuming.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/harness/postgres.ts',
    // Turns autovacuum of the test server off: it would process the databases of all earlier tests, about a
    // thousand.
    provide: { autovacuum: 'off' },
    // Test files of one worker share imported modules: no module keeps state between test files, and
    // importing each only once halves the time.
    isolate: false,
    maxWorkers: 3,
    // Lets `expect.poll` wait almost as long as a test may take (`testTimeout`), so that a slow machine fails
    // no test.
    expect: { poll: { timeout: 18_000 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
