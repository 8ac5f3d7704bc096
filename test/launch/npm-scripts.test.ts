import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const { scripts } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

test('every npm script that starts node uses exec, so that a signal that npm passes on reaches node', () => {
  const kept = Object.entries(scripts)
    .map(([name, script]) => [name, script.split('&&').at(-1)?.trim() ?? ''] as const)
    .filter(([, last]) => /\bnode\b|vitest/.test(last) && !/^([A-Z_]+=\S+ )*exec node /.test(last));

  expect(kept).toEqual([]);
});

test('package.json has no pre or post script except prepack, because npm skips such scripts under ignore-scripts', () => {
  const hooks = Object.keys(scripts).filter((name) => /^(pre|post)/.test(name) && name !== 'prepack');

  expect(hooks).toEqual([]);
});

test('the npm scripts start, test and test:heavy run run.cjs, which first checks the Node version and the installed packages', () => {
  for (const name of ['start', 'test', 'test:heavy']) expect(scripts[name]).toContain('src/launch/run.cjs');
});
