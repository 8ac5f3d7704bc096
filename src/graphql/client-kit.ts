/** What clients are built from, as files: `schema/operations.graphql` is written by hand, the others follow from it. */
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
import { getSchema, printedSchema } from './schema.ts';
import type { Manifest } from './trusted-documents.ts';

/** The files that `npm run schema` prints into `schema/`, by name. */
export const clientKit = (operations: string): Readonly<Record<string, string>> => ({
  'schema.graphql': printedSchema(),
  'introspection.json': asFile(introspectionFromSchema(getSchema(), { inputValueDeprecation: true })),
  'possible-types.json': asFile(possibleTypes(getSchema())),
  'trusted-documents.json': asFile(manifestOf(operations)),
});

/** Refusals of later releases: Apollo Client takes what is no name for a pattern. */
const LATER_REFUSALS = '\\w+Error';

/**
 * Which types an interface or union may turn out to be, as Apollo Client's `possibleTypes` wants it. Without the pattern
 * its cache would keep the message of a refusal that it does not know to itself.
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
 * Each operation with the fragments that it needs, by the SHA-256 of its text: the form of graphql-codegen's persisted
 * documents (`hashAlgorithm: 'sha256'`), so that a client's own can stand beside ours as they are.
 */
export const manifestOf = (operations: string): Manifest =>
  Object.fromEntries(
    Object.values(separateOperations(parse(operations))).map((document) => {
      const text = print({ ...document, definitions: [...document.definitions].sort(operationsFirst) });
      return [createHash('sha256').update(text).digest('hex'), text];
    }),
  );

const operationsFirst = (one: DefinitionNode, other: DefinitionNode): number =>
  Number(other.kind === Kind.OPERATION_DEFINITION) - Number(one.kind === Kind.OPERATION_DEFINITION);

const asFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
