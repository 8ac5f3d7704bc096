/** Starts that fail for reasons that the operator can fix. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { freshFolder } from '../harness/checkout.ts';
import { databaseUrl } from '../harness/postgres.ts';
import { runToItsEnd } from '../harness/process.ts';

/** Returns the output of a start that exits with 1 and prints no stack trace. */
async function failToStart(environment: Record<string, string>): Promise<string> {
  const { code, said } = await runToItsEnd({ PORT: '0', SANDBOX_PORT: '0', ...environment });
  expect(said).not.toMatch(/^ +at /m);
  expect(code, said).toBe(1);
  return said;
}

test('PORT=abc is refused with the value', async () => {
  expect(await failToStart({ PORT: 'abc' })).toContain('PORT: must be a port, from 0 to 65535 (found "abc")');
});

test("another PostgreSQL's folder in DATA_DIR is refused with both versions", async () => {
  const DATA_DIR = await freshFolder();
  await mkdir(join(DATA_DIR, 'postgres'));
  await writeFile(join(DATA_DIR, 'postgres/PG_VERSION'), '15\n');

  const said = await failToStart({ DATA_DIR });

  expect(said).toMatch(/contains the data of PostgreSQL 15, but .* is PostgreSQL 18\./);
  expect(said).toContain('Set DATA_DIR to another folder');
});

test('a DATA_DIR whose postgres folder holds other files is refused', async () => {
  const DATA_DIR = await freshFolder();
  await mkdir(join(DATA_DIR, 'postgres'));
  await writeFile(join(DATA_DIR, 'postgres/notes.txt'), 'mine');

  expect(await failToStart({ DATA_DIR })).toContain('contains other files (notes.txt)');
});

test('a DATA_DIR that is a file is refused by name', async () => {
  const file = join(await freshFolder(), 'file');
  await writeFile(file, '');

  expect(await failToStart({ DATA_DIR: file })).toContain(
    'DATA_DIR: the gateway cannot write to this folder',
  );
});

test('a refused database connection is reported with the name of its setting', async () => {
  const DATABASE_URL = databaseUrl(inject('postgresUrl'), 'no_such_database');

  const said = await failToStart({ DATABASE_URL, DATA_DIR: await freshFolder() });

  expect(said).toContain("DATABASE_URL: the database refused the gateway's connection");
  expect(said).toContain('"no_such_database" does not exist');
});
