import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createTrustedDocumentPolicy, parseDocumentManifest } from '../../src/graphql/trusted-documents.ts';
import { atTheEnd } from '../harness/gateway.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/**
 * Packages that a frontend project needs besides vkyc-gateway. The gateway's own dependencies are not among
 * them, because the client kit needs none of them.
 */
const TOOLS = ['@graphql-codegen', '@graphql-typed-document-node', 'graphql', 'graphql-ws', 'typescript'];
const run = promisify(execFile);

/** Creates a project into which the packed gateway is unpacked, as `npm install` of the tarball would do. */
async function projectWithPackage(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'vkyc-kit-'));
  atTheEnd(() => rm(project, { recursive: true, force: true }));
  await cp(fileURLToPath(new URL('project', import.meta.url)), project, { recursive: true });
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await run('npm', ['pack', '--pack-destination', project], { cwd: ROOT });
  const tarball = (await readdir(project)).find((name) => name.endsWith('.tgz')) as string;
  const target = join(project, 'node_modules/vkyc-gateway');
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(project, tarball), '-C', target, '--strip-components=1']);
  for (const tool of TOOLS)
    await symlink(join(ROOT, 'node_modules', tool), join(project, 'node_modules', tool));
  return project;
}

test('a frontend project can generate its types from the packed npm package alone, and compiles with them', async () => {
  const project = await projectWithPackage();

  await run(process.execPath, ['generate.mjs'], { cwd: project });
  await run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: project }).catch(({ stdout }) =>
    expect.fail(stdout),
  );

  const generated = parseDocumentManifest(
    JSON.parse(await readFile(join(project, 'generated/persisted-documents.json'), 'utf8')),
  );
  const kit = JSON.parse(await readFile(join(ROOT, 'schema/trusted-documents.json'), 'utf8'));
  expect(Object.keys(generated)).toHaveLength(Object.keys(kit).length);
  for (const [hash, query] of Object.entries(generated))
    expect(createTrustedDocumentPolicy(generated)({ documentId: `sha256:${hash}` })).toMatchObject({ query });
});
