/**
 * `npm run schema`: writes the files of `schema/` from which clients and receivers of webhooks are built, the
 * possible types of the client package, and the console's typed operations.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_SUBGRAPH_PREFIX } from '../config.ts';
import { buildClientKitFiles, buildPossibleTypesModule } from '../graphql/client-kit.ts';
import { formatSchemaSdl } from '../graphql/schema.ts';
import { formatSubgraphSdl } from '../graphql/subgraph.ts';
import { buildMerchantWebhookFiles } from './merchant-webhook-files.ts';
import { readTextWithLf } from './read-text.ts';
import { typedOperations } from './typed-operations.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const operations = await readTextWithLf(`${root}schema/operations.graphql`);
const files = {
  ...Object.fromEntries(
    Object.entries(buildClientKitFiles(operations)).map(([name, text]) => [`schema/${name}`, text]),
  ),
  ...Object.fromEntries(
    Object.entries(buildMerchantWebhookFiles()).map(([name, text]) => [`schema/webhooks/${name}`, text]),
  ),
  'src/client/possible-types.ts': buildPossibleTypesModule(),
  'schema/subgraph.graphql': formatSubgraphSdl(DEFAULT_SUBGRAPH_PREFIX),
  'src/console/operations.ts': await typedOperations(formatSchemaSdl(), operations),
};
for (const [path, text] of Object.entries(files)) {
  await mkdir(dirname(root + path), { recursive: true });
  await writeFile(root + path, text);
  process.stdout.write(`${root}${path}\n`);
}
