// Program of `npm run test:postgres`: runs the tests that depend on the database on every installed
// PostgreSQL with its default settings. POSTGRES_BINS adds folders of other versions, separated by colons; on
// these only `test/db`, `test/feed` and the tests of query plans run.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const MIN_MAJOR = 14;
const CORE = ['test/db', 'test/feed'];
const API = [
  ...[
    'archives',
    'audit',
    'erase',
    'lists',
    'meetings-and-reviews',
    'recorded-at-once',
    'retention',
    'rotate',
  ],
  ...['sessions', 'start-at-the-provider', 'start-session', 'statistics', 'webhooks'],
].map((name) => `test/api/${name}.test.ts`);
const HEAVY = ['--config', 'vitest.heavy.config.ts', 'test/db/start-latency.heavy.ts'];

const PLANS = ['--config', 'vitest.performance.config.ts', 'test/performance/plan'];

const { reports } = parseArgs({ options: { reports: { type: 'string' } } }).values;
const list = (folder) => (existsSync(folder) ? readdirSync(folder).toSorted() : []);

// Paths in which the packages of Debian and of PostgreSQL's Red Hat repository install the server.
const installed = [
  ...list('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`),
  ...list('/usr').flatMap((name) => (name.startsWith('pgsql-') ? `/usr/${name}/bin` : [])),
].filter((folder) => existsSync(join(folder, 'initdb')));
const added = (process.env.POSTGRES_BINS ?? '').split(':').filter(Boolean);
const failed = [];

for (const folder of installed) await test(folder, [...CORE, 'test/reconciling', ...API], PLANS, HEAVY);
for (const folder of added) await test(folder, CORE, PLANS);
if (installed.length === 0)
  console.log(
    'Found no PostgreSQL in /usr/lib/postgresql or /usr/pgsql-*: the tests on an installed PostgreSQL are ' +
      'SKIPPED. On Debian, install one with apt-get install postgresql.',
  );
if (failed.length > 0) {
  console.log(`Tests failed on: ${failed.join('; ')}`);
  process.exitCode = 1;
}

/** Runs vitest once for each list of arguments. */
async function test(folder, ...runs) {
  const version = execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
  const [, major] = version.match(/ (\d+)/);
  if (Number(major) < MIN_MAJOR) {
    console.log(`${version} in ${folder} is SKIPPED: the gateway needs ${MIN_MAJOR} or later.`);
    return;
  }
  console.log(`\n${version} in ${folder}`);
  for (const [index, args] of runs.entries()) {
    const report = `${reports}/postgres-${major}-${index}.json`;
    const json = reports ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : [];
    const child = spawn('node', ['src/launch/run.cjs', 'test', ...args, ...json], {
      env: { ...process.env, POSTGRES_BIN: folder },
      stdio: 'inherit',
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) failed.push(`${version}: ${args.join(' ')}`);
  }
}
