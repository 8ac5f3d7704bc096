import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // CommonJS and ES modules would each load a GraphQL of their own, which do not know each other's types.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // What clients import, from the source: coverage and stack traces then name it.
      {
        find: 'vkyc-gateway/client',
        replacement: fileURLToPath(new URL('src/client/resuming.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/harness/postgres.ts',
    // It would go round the databases of all earlier tests, of which there are a thousand.
    provide: { autovacuum: 'off' },
    // The files share nothing but modules that hold no state of theirs: importing them once saves half the time.
    isolate: false,
    maxWorkers: 3,
    // What is awaited comes when it comes: the test's own time bounds it.
    expect: { poll: { timeout: 18_000 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
