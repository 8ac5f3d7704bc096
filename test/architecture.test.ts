import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** Folders that a folder may import from. The composition, `app.ts`, `main.ts` and the commands may import all. */
const ARROWS: Record<string, string[]> = {
  domain: [],
  client: [],
  // A client like any other: it knows the published schema and the published helper, by their public names.
  console: [],
  gate: ['domain'],
  provider: ['domain'],
  telemetry: ['domain'],
  db: ['domain', 'config', 'telemetry'],
  feed: ['domain', 'db', 'telemetry'],
  services: ['domain', 'db', 'provider', 'telemetry'],
  sandbox: ['domain', 'provider', 'config'],
  graphql: ['domain', 'db', 'feed', 'services', 'telemetry'],
  http: ['domain', 'feed', 'graphql', 'services', 'provider', 'config', 'telemetry'],
};

async function importsOf(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  const paths = [...source.matchAll(/from '(\.[^']+)'/g)].map((match) =>
    join(dirname(file), match[1] as string),
  );
  return paths.map((path) => (relative(SRC, path).split('/')[0] as string).replace(/\.ts$/, ''));
}

test('imports go one way, from the edges to the domain', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => /\.tsx?$/.test(file));
  const wrong: string[] = [];
  for (const file of files) {
    const folder = file.includes('/') ? (file.split('/')[0] as string) : null;
    if (!folder || folder === 'commands' || folder === 'composition') continue;
    const allowed = ARROWS[folder];
    expect(allowed, `src/${folder} is not in the table of arrows`).toBeDefined();
    for (const target of await importsOf(join(SRC, file))) {
      if (target !== folder && !allowed?.includes(target)) wrong.push(`${file} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('nobody but the configuration and the commands reads the environment', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('commands/'),
  );
  const readers = [];
  for (const file of files)
    if ((await readFile(join(SRC, file), 'utf8')).includes('process.env')) readers.push(file);
  // The first is a configuration; the second gives a package a home folder, and reads no setting.
  expect(readers.sort()).toEqual(['console/vite.config.ts', 'db/home-folder.ts', 'main.ts']);
});
