import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

// Leaves out the global set-up, which the suites below do not need, and the list of all test files.
const { globalSetup: _, include: __, ...shared } = base.test ?? {};

export default mergeConfig(
  { ...base, test: shared },
  defineConfig({
    test: {
      // Suites that `npm run test:mutants` runs against each mutant: fast, without PostgreSQL or a gateway.
      include: [
        'test/client/{parts,subscription}.test.ts',
        'test/domain/*.test.ts',
        'test/feed/{cursor,frame-json,parts}.test.ts',
        'test/graphql/*.test.ts',
      ],
    },
  }),
);
