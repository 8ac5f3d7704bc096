/** `npm run roles`: writes the table of roles and their rights into schema/README.md, between its two markers. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { replaceAccessTable } from '../domain/access-table.ts';

const file = fileURLToPath(new URL('../../schema/README.md', import.meta.url));
await writeFile(file, replaceAccessTable(await readFile(file, 'utf8')));
process.stdout.write(`${file}\n`);
