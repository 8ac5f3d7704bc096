/** `npm run adopt`: records verifications that exist at the provider but not in the database. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  IMPORT_OUTCOME_TEXTS,
  type ImportOutcome,
  importVerification,
} from '../services/polling/import-verification.ts';
import { openCommandDatabase } from './open-database.ts';
import { openCommandProvider } from './open-provider.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run adopt -- --verification-id ID   asks the provider about ID and records its session; repeatable
npm run adopt -- --file F               does the same for the id on each line of F; skips lines that begin with #`;

const VERIFICATION_ID = /^[A-Za-z0-9._-]{1,50}$/;
/**
 * Outcomes after which the verification is in the database or in an archive. After any other outcome the
 * command exits with 1.
 */
const SETTLED: readonly ImportOutcome[] = ['ADOPTED', 'KNOWN', 'ARCHIVED'];

const print = (line: string) => process.stdout.write(`${line}\n`);

/**
 * Reads the verification ids of a file, one per line. Empty lines and lines that begin with # are skipped.
 * @throws Error if another line is not a verification id
 */
async function readIds(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, index) => {
    const id = line.trim();
    if (id === '' || id.startsWith('#')) return [];
    if (!VERIFICATION_ID.test(id))
      throw new Error(
        `${file}, line ${index + 1} is not a verification id (1 to 50 characters of A-Z a-z 0-9 . _ -). Correct or remove the line.`,
      );
    return [id];
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'verification-id': { type: 'string', multiple: true, default: [] },
      file: { type: 'string' },
    },
  });
  for (const id of values['verification-id'])
    if (!VERIFICATION_ID.test(id))
      throw new Error('--verification-id must be 1 to 50 characters of A-Z a-z 0-9 . _ -');
  const listed = values.file === undefined ? [] : await readIds(values.file);
  const ids = [...new Set([...values['verification-id'], ...listed])];
  if (ids.length === 0) throw new Error(USAGE);

  const database = await openCommandDatabase();
  const provider = openCommandProvider(database);
  try {
    const counts = new Map<ImportOutcome, number>();
    for (const [index, id] of ids.entries()) {
      const outcome = await importVerification(provider, id);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      print(`${id}  ${IMPORT_OUTCOME_TEXTS[outcome]}`);
      if (ids.length > 1) process.stderr.write(`\r${index + 1} of ${ids.length}`);
    }
    if (ids.length > 1) process.stderr.write('\n');
    const total = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    print(`Checked ${ids.length} verification ids: ${total}.`);
    if ([...counts.keys()].some((outcome) => !SETTLED.includes(outcome))) process.exitCode = 1;
  } finally {
    provider.close();
    await database.close();
  }
}

await runCommand(main);
