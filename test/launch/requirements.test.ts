import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type ConfigError, readConfig } from '../../src/config.ts';
import { freshFolder, ROOT } from '../harness/checkout.ts';

const require = createRequire(import.meta.url);
const { PRODUCTION_SETTINGS, explainNode, explainProblem, explainTools } =
  require('../../src/launch/requirements.cjs') as {
    PRODUCTION_SETTINGS: string[];
    explainNode(range: string, version: string): string | null;
    explainProblem(root: string, script: string): string | null;
    explainTools(root: string): string | null;
  };
const { satisfies } = require('semver') as { satisfies(version: string, range: string): boolean };
const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));

/** Creates a checkout in which only the given packages are installed. */
async function checkoutWith(packages: readonly string[], name = 'checkout'): Promise<string> {
  const root = join(await freshFolder(), name);
  for (const each of packages) {
    await mkdir(join(root, 'node_modules', each), { recursive: true });
    await writeFile(join(root, 'node_modules', each, 'package.json'), '{}');
  }
  await mkdir(root, { recursive: true });
  const manifest = { engines, dependencies: { pg: '1' }, devDependencies: { typescript: '1', vite: '1' } };
  await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
  return root;
}

describe('check before an npm script', () => {
  test('a complete checkout passes the check before an npm script', async () => {
    const root = await checkoutWith(['pg', 'typescript', 'vite']);

    expect(explainProblem(root, 'start')).toBeNull();
    expect(explainProblem(root, 'test')).toBeNull();
    expect(explainTools(root)).toBeNull();
  });

  test('the check before an npm script accepts exactly the Node versions that package.json allows', () => {
    for (const major of [12, 18, 20, 21, 22, 23, 24, 25])
      for (const minor of [0, 12, 13, 18, 19, 20])
        expect(explainNode(engines.node, `${major}.${minor}.1`) === null, `${major}.${minor}`).toBe(
          satisfies(`${major}.${minor}.1`, engines.node),
        );
  });

  test('if Node is too old, the check before an npm script names the required versions and the command to type', () => {
    const said = explainNode(engines.node, '18.20.8');

    expect(said).toContain('runs on Node 20.19+, 22.13+, 24 or later; this is Node 18.20.8');
    expect(said).toContain('npm ci && npm start');
  });

  test('the check before an npm script is written in JavaScript that an old Node can parse', async () => {
    for (const file of ['run.cjs', 'requirements.cjs']) {
      const code = await readFile(join(ROOT, 'src/launch', file), 'utf8');
      expect(code, file).not.toMatch(
        /\?\.|\?\?|\|\|=|&&=|'node:|\bawait\b|#\w+ ?[=(]|\.at\(|\.flat\(|catch \{/,
      );
    }
  });

  test('if no packages are installed, the check before an npm script says to type npm ci', async () => {
    expect(explainProblem(await checkoutWith([]), 'start')).toMatch(/missing: pg\).*npm ci && npm start/);
  });

  test('after npm ci --omit=dev, the check before an npm script names the packages that a test or a build lacks', async () => {
    const root = await checkoutWith(['pg']);

    expect(explainProblem(root, 'start')).toBeNull();
    expect(explainProblem(root, 'test')).toContain('npm ci --include=dev');
    expect(explainTools(root)).toContain('missing: typescript, vite');
  });

  test('if NODE_ENV=production has kept the dev packages from being installed, the check before an npm script says so and names every setting that production needs', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const said = explainTools(await checkoutWith(['pg']));
    vi.unstubAllEnvs();

    expect(said).toContain('NODE_ENV=production is set in this shell');
    expect(said).toContain('unset NODE_ENV && npm ci --include=dev && npm start');
    for (const setting of PRODUCTION_SETTINGS) expect(said).toContain(setting);
  });

  test('the check before an npm script names the same production settings as the configuration requires', () => {
    let complaints: readonly string[] = [];
    try {
      readConfig({ NODE_ENV: 'production' });
    } catch (error) {
      complaints = (error as ConfigError).issues;
    }

    const named = complaints.map((complaint) => complaint.split(':')[0]);
    expect(named).toEqual([...PRODUCTION_SETTINGS, 'NODE_ENV']);
  });

  test.each(['#', '?', '\\', '"', '$', '`'])(
    'the check before an npm script refuses a checkout whose path contains %s',
    async (character) => {
      const root = await checkoutWith(['pg', 'typescript', 'vite'], `a${character}b`);

      expect(explainProblem(root, 'start')).toContain(`contains the character ${character},`);
    },
  );

  test.each(['a b', "it's", 'a[b]', 'a,b', 'ä', 'a:b', 'a+b'])(
    'the check before an npm script accepts a checkout in a folder named %s',
    async (name) => {
      const root = await checkoutWith(['pg', 'typescript', 'vite'], name);

      expect(explainProblem(root, 'start')).toBeNull();
      expect(explainProblem(root, 'test')).toBeNull();
    },
  );

  test('if the path of a checkout contains a percent sign, the check before an npm script refuses tests, but not a start', async () => {
    const root = await checkoutWith(['pg', 'typescript', 'vite'], 'a%20b');

    expect(explainProblem(root, 'start')).toBeNull();
    expect(explainProblem(root, 'test')).toContain('contains the character %,');
  });
});
