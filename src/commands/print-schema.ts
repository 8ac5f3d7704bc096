/** `npm run schema`: prints what clients are built from to `schema/`, where they and reviewers read it. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { clientKit } from '../graphql/client-kit.ts';

const folder = fileURLToPath(new URL('../../schema/', import.meta.url));
const operations = await readFile(`${folder}operations.graphql`, 'utf8');
for (const [name, text] of Object.entries(clientKit(operations))) {
  await writeFile(`${folder}${name}`, text);
  process.stdout.write(`${folder}${name}\n`);
}
