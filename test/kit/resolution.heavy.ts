/**
 * Tests that the types and the code of vkyc-gateway/client are found with every `moduleResolution` that a
 * frontend may use.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/**
 * Compiler of TypeScript 5, which the package checker depends on. Later compilers do not support
 * `moduleResolution: node10`.
 */
const COMPILER = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core')).resolve(
  'typescript/bin/tsc',
);
const run = promisify(execFile);

const TYPED = `import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';
export const client = resuming(createClient, { url: 'ws://127.0.0.1:4000/graphql' }, { onState: (state: FeedState) => { state; } });
// @ts-expect-error no such state
export const misspelt: FeedState = 'alive';
`;

/** Settings of frontends: `module`, `moduleResolution`, and the `type` in package.json (ESM or CommonJS). */
const WAYS = [
  ['CommonJS', 'node10', 'commonjs'],
  ['ESNext', 'node10', 'module'],
  ['Node16', 'node16', 'commonjs'],
  ['Node16', 'node16', 'module'],
  ['NodeNext', 'nodenext', 'commonjs'],
  ['NodeNext', 'nodenext', 'module'],
  ['ESNext', 'bundler', 'module'],
] as const;

let project = '';
let tarball = '';

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'vkyc-resolution-'));
  atTheEnd(() => rm(project, { recursive: true, force: true }));
  await run('npm', ['pack', '--pack-destination', project], { cwd: ROOT });
  tarball = (await readdir(project)).find((name) => name.endsWith('.tgz')) as string;
  const target = join(project, 'node_modules/vkyc-gateway');
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(project, tarball), '-C', target, '--strip-components=1']);
  for (const tool of ['graphql', 'graphql-ws'])
    await cp(join(ROOT, 'node_modules', tool), join(project, 'node_modules', tool), { recursive: true });
}, 120_000);

describe('vkyc-gateway/client', () => {
  test('an import of vkyc-gateway/client finds the types of its own module kind (ESM or CommonJS) under every resolver', async () => {
    const packed = createPackageFromTarballData(await readFile(join(project, tarball)));

    const checked = await checkPackage(packed, { entrypoints: ['client'] });

    if (!checked.types) throw new Error('The package has no types');
    expect(checked.problems).toEqual([]);
  });

  test.each(WAYS)(
    'vkyc-gateway/client has types with module %s and moduleResolution %s in a package of type %s',
    {
      timeout: 60_000,
    },
    async (module, moduleResolution, type) => {
      await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type }));
      await writeFile(join(project, 'app.ts'), TYPED);
      const options = ['--module', module, '--moduleResolution', moduleResolution, '--target', 'ES2022'];
      const args = [...options, '--strict', '--noEmit', '--skipLibCheck', '--lib', 'ES2023,DOM', 'app.ts'];

      const told = await run(process.execPath, [COMPILER, ...args], { cwd: project }).then(
        () => '',
        ({ stdout }) => stdout,
      );

      expect(told).toBe('');
    },
  );

  test.each([
    ['import', 'app.mjs', `import { resuming } from 'vkyc-gateway/client'; console.log(typeof resuming);`],
    [
      'require',
      'app.cjs',
      `const { resuming } = require('vkyc-gateway/client'); console.log(typeof resuming);`,
    ],
  ])('Node can load vkyc-gateway/client by %s', async (_way, file, source) => {
    await writeFile(join(project, file), source);

    const { stdout, stderr } = await run(process.execPath, [file], { cwd: project });

    expect({ stdout, stderr }).toEqual({ stdout: 'function\n', stderr: '' });
  });
});
