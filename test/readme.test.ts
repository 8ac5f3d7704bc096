import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { withAccessTable } from '../src/domain/access-table.ts';
import { FAULTS } from '../src/sandbox/faults.ts';
import { SCENARIOS } from '../src/sandbox/scenarios.ts';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

test('the README names every scenario, every fault and every setting', async () => {
  const readme = await read('README.md');
  const settings = [...(await read('src/config.ts')).matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(
    ([, name]) => name as string,
  );
  expect(settings).toContain('PROVIDER_CALLS_PER_MINUTE');

  const unnamed = [...Object.keys(SCENARIOS), ...Object.keys(FAULTS), ...settings].filter(
    (name) => !readme.includes(`\`${name}\``),
  );
  // What the hosting platform sets says itself what it is.
  expect(unnamed.filter((name) => name !== 'NODE_ENV')).toEqual([]);
});

test('the README tells who may do and see what; where it is stale, `npm run roles` prints it anew', async () => {
  const readme = await read('README.md');

  expect(readme).toBe(withAccessTable(readme));
});
