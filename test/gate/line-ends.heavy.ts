/**
 * On Windows, git may check files out with CRLF line ends (core.autocrlf). The schema gate, which compares
 * the schema with the last release, must not report these line ends as a change.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';

const run = promisify(execFile);

/** Copies the built commands and the files that they read, and gives every text file CRLF line ends. */
async function checkoutWithCrlf(): Promise<string> {
  const root = await mkdtemp('.build/crlf-');
  atTheEnd(() => rm(root, { recursive: true, force: true }));
  for (const folder of (await readdir('.build')).filter((name) => !/^(crlf|migrations)-/.test(name)))
    await cp(join('.build', folder), join(root, '.build', folder), { recursive: true });
  await mkdir(join(root, 'src/console'), { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  await cp('schema', join(root, 'schema'), { recursive: true });
  for (const file of ['package.json', 'src/console/operations.ts']) await cp(file, join(root, file));
  const entries = await readdir(join(root, 'schema'), { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)));
  for (const file of [...texts, 'package.json']) {
    const text = await readFile(join(root, file), 'utf8');
    await writeFile(join(root, file), text.replaceAll('\n', '\r\n'));
  }
  return root;
}

const gate = (root: string) =>
  run('node', ['.build/commands/schema-gate.js'], { cwd: root }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }) => ({ code, stdout }),
  );

test('npm run schema:gate and npm run schema have the same results in a checkout with CRLF line ends as in one with LF', {
  timeout: 60_000,
}, async () => {
  const root = await checkoutWithCrlf();

  expect(await gate(root)).toEqual(await gate(process.cwd()));
  await run('node', ['.build/commands/print-schema.js'], { cwd: root });

  for (const name of ['trusted-documents.json', 'schema.graphql'])
    expect(
      (await readFile(join(root, 'schema', name), 'utf8')) === (await readFile(join('schema', name), 'utf8')),
    ).toBe(true);
  const operations = 'src/console/operations.ts';
  expect((await readFile(join(root, operations), 'utf8')) === (await readFile(operations, 'utf8'))).toBe(
    true,
  );
});
