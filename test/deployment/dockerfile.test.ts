import { existsSync } from 'node:fs';
import dockerfile from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { lastOf, readProjectFile, readStages } from './dockerfile.ts';

test('the Dockerfile validator finds no error in the Dockerfile', async () => {
  const complaints = dockerfile.validate(await readProjectFile('Dockerfile'));

  expect(complaints.map(({ message }) => message)).toEqual([]);
});

test('the Docker image runs as an unprivileged user, has a health check, and pins the versions of its base images', async () => {
  const stages = await readStages();
  const last = stages.at(-1);
  if (!last) throw new Error('The Dockerfile has no stages');

  expect(lastOf(last, 'USER')).toBe('node');
  expect(last.instructions.at(-1)).toEqual({
    keyword: 'CMD',
    words: '["node", "--enable-source-maps", "--max-semi-space-size=64", ".build/gateway/main.js"]',
  });
  expect(lastOf(last, 'HEALTHCHECK')).toContain('/healthz');
  for (const { base } of stages) expect(base).toMatch(/^[a-z]+:\d+/);
  // The last stage must not run commands: then its base image needs neither a shell nor the network.
  expect(last.instructions.map(({ keyword }) => keyword)).not.toContain('RUN');
});

test('every path that the Dockerfile copies exists, and .dockerignore excludes everything else', async () => {
  const ignored = (await readProjectFile('.dockerignore')).trim().split('\n');
  const copied = (await readStages())
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, words }) => keyword === 'COPY' && !words.startsWith('--from'))
    .flatMap(({ words }) => words.split(' ').slice(0, -1));

  expect(ignored[0]).toBe('*');
  expect(new Set(ignored.slice(1))).toEqual(new Set(copied.map((path) => `!${path}`)));
  for (const path of copied) expect(existsSync(new URL(`../../${path}`, import.meta.url)), path).toBe(true);
});
