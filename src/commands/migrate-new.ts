/**
 * `npm run migrate:new -- --name NAME`: writes the migrations that src/domain/status.ts and
 * src/db/schema/tables.ts need, in a form that can run while replicas of the last release still run (rolling
 * deploy). `--out FOLDER` uses another folder than migrations/.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ALL_PAIRS } from '../domain/status.ts';
import { makeMigrationOnline } from '../gate/online-migration.ts';
import {
  comparePairs,
  generateStatusPairsMigration,
  type PairName,
  parsePairsFromMigrations,
} from '../gate/status-pairs.ts';
import { runCommand } from './run-command.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DRIZZLE_KIT = join(ROOT, 'node_modules/drizzle-kit/bin.cjs');

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Lists the migrations of a folder by name, in the order in which they run. */
async function namesIn(folder: string): Promise<string[]> {
  const journal = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8'));
  return (journal as { entries: { tag: string }[] }).entries.map(({ tag }) => tag);
}

/**
 * Makes drizzle-kit write a migration with its journal entry and snapshot. Returns the path of the migration;
 * null if the tables have not changed.
 */
async function generate(folder: string, ...args: string[]): Promise<string | null> {
  const before = await namesIn(join(ROOT, folder));
  // These paths are relative, because drizzle-kit resolves them against its working directory.
  const common = [
    'generate',
    '--dialect=postgresql',
    '--schema=./src/db/schema/tables.ts',
    `--out=${folder}`,
  ];
  const child = spawn(process.execPath, [DRIZZLE_KIT, ...common, ...args], {
    cwd: ROOT,
    // The child inherits the terminal, because drizzle-kit may ask there whether a column was renamed.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'close');
  if (code !== 0)
    throw new Error(`drizzle-kit ended with ${code}: run npx drizzle-kit ${common.join(' ')} to see why.`);
  const name = (await namesIn(join(ROOT, folder))).find((each) => !before.includes(each));
  return name === undefined ? null : join(folder, `${name}.sql`);
}

async function writeStatusPairs(folder: string): Promise<string | null> {
  const names = await namesIn(join(ROOT, folder));
  const migrations = await Promise.all(
    names.map((name) => readFile(join(ROOT, folder, `${name}.sql`), 'utf8')),
  );
  const wanted = ALL_PAIRS.map(({ status, subStatus }): PairName => `${status}/${subStatus}`);
  const { missing, gone } = comparePairs(parsePairsFromMigrations(migrations), wanted);
  if (gone.length > 0)
    throw new Error(
      `src/domain/status.ts lacks ${gone.join(', ')}, which the database may contain and the last release may store. Put them back; to remove one, write its migration by hand.`,
    );
  if (missing.length === 0) return null;
  const file = await generate(folder, '--custom', '--name=status_pairs');
  if (file === null)
    throw new Error(
      `drizzle-kit wrote no migration, so the database cannot store ${missing.join(', ')} yet: run this command again.`,
    );
  await writeFile(join(ROOT, file), generateStatusPairsMigration(wanted));
  print(`Wrote ${file}, which lets the database store ${missing.join(', ')}.`);
  return file;
}

async function writeTables(folder: string, name: string | undefined): Promise<string | null> {
  const file = await generate(folder, ...(name === undefined ? [] : [`--name=${name}`]));
  if (file === null) return null;
  const generated = await readFile(join(ROOT, file), 'utf8');
  await writeFile(join(ROOT, file), makeMigrationOnline(generated));
  print(
    `Wrote ${file}, which applies the changes of src/db/schema/tables.ts. Review it, and run npx vitest run test/db.`,
  );
  return file;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: 'string' }, out: { type: 'string', default: 'migrations' } },
  });
  const written = [await writeStatusPairs(values.out), await writeTables(values.out, values.name)];
  if (written.every((file) => file === null))
    print(
      'No migration is needed: the migrations already cover src/domain/status.ts and src/db/schema/tables.ts.',
    );
}

await runCommand(main);
