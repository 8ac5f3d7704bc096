/**
 * Composition of the committed subgraph by @apollo/composition. The library is no dev dependency, because its
 * licence (Elastic-2.0) is no open-source licence; this suite installs it into a temporary folder.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { print } from 'graphql';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';
import { SUBGRAPHS, type Subgraph, UNPROJECTED } from './peers.ts';

const run = promisify(execFile);
const LIBRARIES = ['@apollo/composition@2.14.4', 'graphql@16.15.0'];

/** Runs in a process of its own: graphql rejects types of another copy of itself. Prints errors and hints as JSON. */
const PROGRAM = `
const { readFileSync } = require('node:fs');
const { parse } = require('graphql');
const { composeServices } = require('@apollo/composition');
const subgraphs = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { errors = [], supergraphSdl = '' } = composeServices(
  subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
);
console.log(JSON.stringify({ errors: errors.map(({ message }) => message), supergraphSdl }));
`;

let folder = '';
let leftOut: string | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vkyc-composition-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'compose.cjs'), PROGRAM);
  leftOut = await run('npm', ['view', 'graphql@16.15.0', 'version', '--fetch-retries=0']).then(
    () => null,
    () => 'The package registry cannot be reached.',
  );
  if (leftOut) return console.warn(`All tests of @apollo/composition are SKIPPED: ${leftOut}`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  await run('npm', ['install', ...options, '--prefix', folder, ...LIBRARIES]);
}, 120_000);

beforeEach(({ skip }) => {
  if (leftOut) skip(leftOut);
});

async function compose(subgraphs: readonly Subgraph[]): Promise<{ errors: string[]; supergraphSdl: string }> {
  const file = join(folder, 'subgraphs.json');
  const texts = subgraphs.map(({ name, url, typeDefs }) => ({ name, url, sdl: print(typeDefs) }));
  await writeFile(file, JSON.stringify(texts));
  const { stdout } = await run(process.execPath, ['compose.cjs', file], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

describe('@apollo/composition', () => {
  test('composes the subgraph with a Relay-style subgraph and one with generic type names, and keeps costs, roles and tags', async () => {
    const { errors, supergraphSdl } = await compose(SUBGRAPHS);

    expect(errors).toEqual([]);
    for (const directive of ['@cost', '@listSize', '@authenticated', '@requiresScopes', '@tag'])
      expect(supergraphSdl).toContain(directive);
  }, 60_000);

  test('does not compose the schema itself with these subgraphs', async () => {
    expect((await compose(UNPROJECTED)).errors).not.toEqual([]);
  }, 60_000);
});
