/**
 * Tests starts that fail for a reason that the operator can fix: each prints what is wrong, and no stack
 * trace.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { freshFolder } from '../harness/checkout.ts';
import { databaseUrl } from '../harness/postgres.ts';
import { runToItsEnd } from '../harness/process.ts';

/** Starts the gateway, which must exit with code 1 and print no stack trace. Returns what it printed. */
async function failToStart(environment: Record<string, string>): Promise<string> {
  const { code, said } = await runToItsEnd({ PORT: '0', SANDBOX_PORT: '0', ...environment });
  expect(said).not.toMatch(/^ +at /m);
  expect(code, said).toBe(1);
  return said;
}

test('a start with PORT=abc is refused, and the message names the setting and its value', async () => {
  expect(await failToStart({ PORT: 'abc' })).toContain('PORT: must be a port, from 0 to 65535 (found "abc")');
});

test('a start is refused if DATA_DIR holds the data of another PostgreSQL version, and the message names both versions', async () => {
  const DATA_DIR = await freshFolder();
  await mkdir(join(DATA_DIR, 'postgres'));
  await writeFile(join(DATA_DIR, 'postgres/PG_VERSION'), '15\n');

  const said = await failToStart({ DATA_DIR });

  expect(said).toMatch(/contains the data of PostgreSQL 15, but .* is PostgreSQL 18\./);
  expect(said).toContain('Set DATA_DIR to another folder');
});

test('a start is refused if the folder postgres in DATA_DIR contains files that are not of PostgreSQL', async () => {
  const DATA_DIR = await freshFolder();
  await mkdir(join(DATA_DIR, 'postgres'));
  await writeFile(join(DATA_DIR, 'postgres/notes.txt'), 'mine');

  expect(await failToStart({ DATA_DIR })).toContain('contains other files (notes.txt)');
});

test('a start is refused if DATA_DIR is a file, and the message names the setting', async () => {
  const file = join(await freshFolder(), 'file');
  await writeFile(file, '');

  expect(await failToStart({ DATA_DIR: file })).toContain(
    'DATA_DIR: the gateway cannot write to this folder',
  );
});

test('if the database refuses the connection, the message of the failed start names DATABASE_URL', async () => {
  const DATABASE_URL = databaseUrl(inject('postgresUrl'), 'no_such_database');

  const said = await failToStart({ DATABASE_URL, DATA_DIR: await freshFolder() });

  expect(said).toContain("DATABASE_URL: the database refused the gateway's connection");
  expect(said).toContain('"no_such_database" does not exist');
});
