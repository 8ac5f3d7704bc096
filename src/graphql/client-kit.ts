/**
 * Files from which clients are built, published in `schema/`. `operations.graphql` is written by hand; this
 * module generates the others.
 */
import { createHash } from 'node:crypto';
import {
  type DefinitionNode,
  type GraphQLSchema,
  introspectionFromSchema,
  isAbstractType,
  Kind,
  parse,
  print,
  separateOperations,
} from 'graphql';
import { formatSchemaSdl, getSchema } from './schema.ts';
import type { DocumentManifest } from './trusted-documents.ts';

/** Returns the files that `npm run schema` writes to `schema/`, by name. */
export const buildClientKitFiles = (operations: string): Readonly<Record<string, string>> => ({
  'schema.graphql': formatSchemaSdl(),
  'introspection.json': asFile(introspectionFromSchema(getSchema(), { inputValueDeprecation: true })),
  'possible-types.json': asFile(possibleTypes(getSchema())),
  'trusted-documents.json': asFile(buildTrustedDocumentManifest(operations)),
});

/**
 * Pattern that matches the names of error types that later releases will add. Apollo Client treats an entry
 * of `possibleTypes` that is not a valid type name as a regular expression.
 */
const LATER_REFUSALS = '\\w+Error';

/**
 * Returns the possible types of each interface and union, in the form of Apollo Client's `possibleTypes`. The
 * result includes `LATER_REFUSALS`, because Apollo's cache drops the `message` of an error type that is not
 * listed.
 */
const possibleTypes = (schema: GraphQLSchema): Record<string, string[]> =>
  Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter((type) => isAbstractType(type))
      .map((type) => {
        const names = schema.getPossibleTypes(type).map(({ name }) => name);
        return [type.name, type.name === 'MutationError' ? [...names, LATER_REFUSALS] : names];
      }),
  );

/**
 * Returns each operation with the fragments that it uses, keyed by the SHA-256 of its text. graphql-codegen
 * writes its persisted documents in the same form (`hashAlgorithm: 'sha256'`), so clients can add their own
 * documents to this manifest unchanged.
 */
export const buildTrustedDocumentManifest = (operations: string): DocumentManifest =>
  Object.fromEntries(
    Object.values(separateOperations(parse(operations))).map((document) => {
      const text = print({ ...document, definitions: [...document.definitions].sort(operationsFirst) });
      return [createHash('sha256').update(text).digest('hex'), text];
    }),
  );

const operationsFirst = (one: DefinitionNode, other: DefinitionNode): number =>
  Number(other.kind === Kind.OPERATION_DEFINITION) - Number(one.kind === Kind.OPERATION_DEFINITION);

const asFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
