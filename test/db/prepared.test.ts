import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, test } from 'vitest';
import { statementTextsByName } from '../../src/db/statements/prepared.ts';
import { atTheEnd, bootGateway, freshDatabase } from '../harness/gateway.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
/** Folders of `src` whose modules register named statements when they are imported. */
const FOLDERS = ['db', 'services', 'feed'];

test('PostgreSQL can prepare every named statement of the source on the migrated schema', async () => {
  const databaseUrl = await freshDatabase();
  await bootGateway({ database: databaseUrl });
  for (const folder of FOLDERS)
    for (const file of await readdir(`${SRC}${folder}`, { recursive: true }))
      if (file.endsWith('.ts')) await import(`${SRC}${folder}/${file}`);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  atTheEnd(() => client.end());

  const refused: string[] = [];
  for (const [name, text] of statementTextsByName)
    await client
      .query(`prepare "${name}" as ${text()}`)
      .catch(({ message }: Error) => refused.push(`${name}: ${message}`));

  expect(refused).toEqual([]);
  const { rows } = await client.query('select count(*)::int as prepared from pg_prepared_statements');
  expect(rows).toEqual([{ prepared: statementTextsByName.size }]);
  expect(statementTextsByName.size).toBeGreaterThan(30);
});
