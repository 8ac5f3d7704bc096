import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';

test('the migrations are all that the tables need; where one is missing, `npm run migrate:new` writes it', async () => {
  // Within the project, since the tool takes paths relative to it; as a dot-folder, which git ignores.
  const copy = await mkdtemp('.build/migrations-');
  atTheEnd(() => rm(copy, { recursive: true, force: true }));
  await cp('migrations', copy, { recursive: true });
  const before = await readdir(copy);

  const args = [
    'drizzle-kit',
    'generate',
    '--dialect=postgresql',
    '--schema=./src/db/tables.ts',
    `--out=${join(copy)}`,
  ];
  await promisify(execFile)('npx', args);

  expect(await readdir(copy)).toEqual(before);
});
