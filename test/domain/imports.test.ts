/// <reference types="vite/client" />
import { expect, test } from 'vitest';

const MODULES = import.meta.glob([
  '../../src/{domain,client}/*.ts',
  '../../src/graphql/{cost,document-size,limits,pace}.ts',
  './chains.ts',
]);

// Mutation testing does not count a test file that cannot be imported as a failure. Without these tests, a mutant that
// makes one of these modules throw while it is imported would be reported as unnoticed.
test.each(Object.entries(MODULES))('%s can be imported', async (_path, load) => {
  await expect(load()).resolves.toBeDefined();
});
