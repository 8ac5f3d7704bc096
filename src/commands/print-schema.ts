/** `npm run schema`: prints the SDL to `schema/schema.graphql`, where reviewers and clients read it. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { printedSchema } from '../graphql/schema.ts';

const file = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url));
await writeFile(file, printedSchema());
process.stdout.write(`${file}\n`);
