import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/**
 * Folders of src that each folder may import from. `composition`, `app.ts`, `main.ts` and the commands may
 * import from all folders.
 */
const ARROWS: Record<string, string[]> = {
  domain: [],
  client: [],
  // The console is a client: it may import only the published schema and the published helper.
  console: [],
  gate: ['domain'],
  provider: ['domain'],
  telemetry: ['domain'],
  encryption: ['config'],
  postgres: ['config', 'db'],
  db: ['domain', 'config', 'telemetry', 'encryption'],
  feed: ['domain', 'db', 'telemetry'],
  services: ['domain', 'db', 'encryption', 'telemetry'],
  sandbox: ['domain', 'provider', 'config'],
  graphql: ['domain', 'db', 'encryption', 'feed', 'services', 'telemetry'],
  http: ['domain', 'feed', 'graphql', 'services', 'config', 'telemetry'],
};

/** Returns the paths, relative to `src`, of the files that a file imports. */
async function filesImportedBy(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  return [...source.matchAll(/from '(\.[^']+)'/g)].map((match) =>
    relative(SRC, join(dirname(file), match[1] as string)),
  );
}

/** Returns the folders of `src`, or files at its top, that a file imports from. */
const foldersImportedBy = async (file: string): Promise<string[]> =>
  (await filesImportedBy(file)).map((path) => (path.split('/')[0] as string).replace(/\.ts$/, ''));

test('each folder of src imports only from the folders that ARROWS allows: imports go from the edges to the domain', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => /\.tsx?$/.test(file));
  const wrong: string[] = [];
  for (const file of files) {
    const folder = file.includes('/') ? (file.split('/')[0] as string) : null;
    if (!folder || folder === 'commands' || folder === 'composition') continue;
    const allowed = ARROWS[folder];
    expect(allowed, `src/${folder} is missing in ARROWS`).toBeDefined();
    for (const target of await foldersImportedBy(join(SRC, file))) {
      if (target !== folder && !allowed?.includes(target)) wrong.push(`${file} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the files of src have no import cycle, type-only imports included', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => /\.tsx?$/.test(file));
  const imports = new Map<string, string[]>();
  for (const file of files) imports.set(file, await filesImportedBy(join(SRC, file)));
  const finished = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || finished.has(file)) return;
    for (const imported of imports.get(file) ?? []) visit(imported, [...path, file]);
    finished.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test('only src/main.ts and the commands read settings from process.env', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('commands/'),
  );
  const readers = [];
  for (const file of files)
    if ((await readFile(join(SRC, file), 'utf8')).includes('process.env')) readers.push(file);
  // postgres/home-folder.ts only sets HOME, which a package needs, and the console's Vite configuration only
  // serves development.
  expect(readers.sort()).toEqual(['console/vite.config.ts', 'main.ts', 'postgres/home-folder.ts']);
});

/**
 * Names, headers, paths and time formats of the provider's API. Each must occur in `src/provider`, so that
 * the list contains no obsolete entry.
 */
const PROVIDER_TERMS: readonly RegExp[] = [
  /cashfree/i,
  /x-webhook-(timestamp|signature)/i,
  /x-client-(id|secret)/i,
  /x-cf-signature/i,
  /x-api-version/i,
  /x-ratelimit-/i,
  /[\s'"`]\/vkyc(?=[\s'"`?])/,
  /[\s'"`]\/user(?=[\s'"`?])/,
  /[\s'"`]\/oauth\/token/,
  /X-Amz-/i,
  /Z\|IST\b/,
  /vkyc_link|link_expiry|meeting_schedule|recording_link|agent_remarks|auditor_remarks/,
];
/**
 * Matches folders and files that may contain PROVIDER_TERMS: provider, sandbox, settings and composition root.
 */
const KNOWS_THE_PROVIDER =
  /^(provider|sandbox|composition)\/|^(app|config|environment|environment-rules|weak-settings)\.ts$|^commands\/open-provider\.ts$|^launch\/requirements\.cjs$/;
/**
 * The only other line that may name the provider: the default of the column `provider`, for rows written by an
 * earlier release.
 */
const STORED_NAME = { file: 'db/schema/tables.ts', line: "const FIRST_PROVIDER = 'cashfree';" };

test('only src/provider, the sandbox, the composition root and the settings mention names, headers, paths and time formats of the provider', async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => /\.(tsx?|cjs|mjs)$/.test(file));
  const found: string[] = [];
  const known = new Set<RegExp>();
  for (const file of files) {
    for (const [index, line] of (await readFile(join(SRC, file), 'utf8')).split('\n').entries()) {
      const terms = PROVIDER_TERMS.filter((term) => term.test(line));
      if (file.startsWith('provider/')) for (const term of terms) known.add(term);
      if (KNOWS_THE_PROVIDER.test(file) || terms.length === 0) continue;
      if (file === STORED_NAME.file && line === STORED_NAME.line) continue;
      found.push(`${file}:${index + 1} ${line.trim()}`);
    }
  }
  expect(found).toEqual([]);
  expect(PROVIDER_TERMS.filter((term) => !known.has(term))).toEqual([]);
});
