/**
 * Writes the published operations as TypeScript, typed by the published schema, so that the compiler checks
 * the console's use of them.
 */
import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildSchema, getOperationAST, parse } from 'graphql';
import { buildManifest } from '../graphql/client-kit.ts';

const HEAD = `// Printed by \`npm run schema\` from schema/operations.graphql, as it is in schema/trusted-documents.json.
import { document } from './gateway/document.ts';
`;

/** Returns a TypeScript module with each operation's text and the types of its variables and data. */
export async function typedOperations(schema: string, operations: string): Promise<string> {
  const types = await codegen({
    filename: 'operations.ts',
    schema: parse(schema),
    schemaAst: buildSchema(schema),
    documents: [{ location: 'operations.graphql', document: parse(operations) }],
    config: { scalars: { DateTime: 'string' } },
    pluginMap: { typescriptOperations },
    plugins: [{ typescriptOperations: {} }],
  });
  return [HEAD, types, ...Object.values(buildManifest(operations)).map(constantOf)].join('\n');
}

const constantOf = (text: string): string => {
  const { name, operation } = getOperationAST(parse(text)) ?? {};
  const kind = operation ? operation[0]?.toUpperCase() + operation.slice(1) : '';
  const types = `${name?.value}${kind}, ${name?.value}${kind}Variables`;
  return `export const ${name?.value} = document<${types}>(\`\\\n${text}\`);\n`;
};
