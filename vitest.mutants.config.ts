import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * Suites that `npm run test:mutants` runs against each mutant (changed code): fast suites that need neither
 * PostgreSQL nor a running gateway.
 */
const { globalSetup: _, include: __, ...shared } = base.test ?? {};

export default mergeConfig(
  { ...base, test: shared },
  defineConfig({
    test: {
      include: [
        'test/client/{order,parts,subscription}.test.ts',
        'test/domain/*.test.ts',
        'test/feed/{cursor,frame-json,parts}.test.ts',
        'test/graphql/*.test.ts',
      ],
    },
  }),
);
