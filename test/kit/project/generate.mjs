// Generates types with the client preset of `graphql-codegen`, from nothing but the files of the package.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { parse } from 'graphql';

const read = (file) => readFile(fileURLToPath(import.meta.resolve(`vkyc-gateway/${file}`)), 'utf8');
const rawSDL = await read('operations.graphql');

const outputs = await preset.buildGeneratesSection({
  baseOutputDir: './generated/',
  schema: parse(await read('schema.graphql')),
  documents: [{ location: 'operations.graphql', document: parse(rawSDL), rawSDL }],
  config: { scalars: { DateTime: 'string' }, strictScalars: true, useTypeImports: true },
  presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
  pluginMap: {},
  plugins: [],
  documentTransforms: [],
});
await mkdir('generated', { recursive: true });
for (const output of outputs) await writeFile(output.filename, await codegen(output));
