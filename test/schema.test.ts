import { fileURLToPath } from 'node:url';
import {
  type GraphQLScalarType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
  validate,
  validateSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { buildMerchantWebhookFiles } from '../src/commands/merchant-webhook-files.ts';
import { readTextWithLf } from '../src/commands/read-text.ts';
import { typedOperations } from '../src/commands/typed-operations.ts';
import { DEFAULT_SUBGRAPH_PREFIX } from '../src/config.ts';
import { buildClientKitFiles, buildPossibleTypesModule } from '../src/graphql/client-kit.ts';
import { findDocumentSizeErrors } from '../src/graphql/document-size.ts';
import { formatSchemaSdl, getSchema } from '../src/graphql/schema.ts';
import { formatSubgraphSdl } from '../src/graphql/subgraph.ts';

const committed = (name: string) =>
  readTextWithLf(fileURLToPath(new URL(`../schema/${name}`, import.meta.url)));

test.each(Object.entries(buildClientKitFiles(await committed('operations.graphql'))))(
  'schema/%s is up to date; `npm run schema` writes it again',
  async (name, text) => {
    // Compares to a boolean, because the diff of two long texts would be unreadable.
    expect((await committed(name)) === text).toBe(true);
  },
);

test.each(Object.entries(buildMerchantWebhookFiles()))(
  'schema/webhooks/%s is up to date; `npm run schema` writes it again',
  async (name, text) => {
    expect((await committed(`webhooks/${name}`)) === text).toBe(true);
  },
);

test('the possible types of the client package are up to date; `npm run schema` generates them', async () => {
  expect((await committed('../src/client/possible-types.ts')) === buildPossibleTypesModule()).toBe(true);
});

test('schema/subgraph.graphql is up to date; `npm run schema` writes it again', async () => {
  expect((await committed('subgraph.graphql')) === formatSubgraphSdl(DEFAULT_SUBGRAPH_PREFIX)).toBe(true);
});

test('the typed operations of the console are up to date; `npm run schema` generates them', async () => {
  const printed = await typedOperations(formatSchemaSdl(), await committed('operations.graphql'));

  expect((await committed('../src/console/operations.ts')) === printed).toBe(true);
});

test('the schema is valid by the GraphQL specification', () => {
  expect(validateSchema(getSchema())).toEqual([]);
});

test("every operation of the client kit (schema/operations.graphql) is valid for the schema and within the gateway's limits for documents", async () => {
  const document = parse(await committed('operations.graphql'));

  expect([...findDocumentSizeErrors(document), ...validate(getSchema(), document)]).toEqual([]);
});

/**
 * Yields each element of the schema that can have a description, with its coordinate (such as `Type.field`).
 */
function* described(schema: GraphQLSchema): Generator<[string, { description?: string | null | undefined }]> {
  yield ['schema', schema];
  for (const directive of schema.getDirectives()) {
    yield [`@${directive.name}`, directive];
    for (const argument of directive.args) yield [`@${directive.name}(${argument.name}:)`, argument];
  }
  for (const type of Object.values(schema.getTypeMap()).filter((each) => !each.name.startsWith('__'))) {
    yield [type.name, type];
    if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      yield [`${type.name}.${field.name}`, field];
      for (const argument of 'args' in field ? field.args : [])
        yield [`${type.name}.${field.name}(${argument.name}:)`, argument];
    }
  }
}

const SMALL_WORDS = new Set(['a', 'an', 'the', 'of', 'its', 'it', 'is', 'this', 'that', 'in', 'to']);
const wordsOf = (text: string): string[] =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/s$/, ''))
    .filter((word) => word !== '' && !SMALL_WORDS.has(word));

/** Returns whether a description only repeats the words of the coordinate. */
const saysNothing = (coordinate: string, description: string): boolean => {
  const known = new Set(wordsOf(coordinate));
  return wordsOf(description).filter((word) => !known.has(word)).length < 2;
};

test('every element of the schema has a description that says more than its name', () => {
  const all = [...described(getSchema())];

  expect(all.length).toBeGreaterThan(400);
  expect(all.filter(([, { description }]) => !description?.trim()).map(([name]) => name)).toEqual([]);
  expect(
    all
      .filter(([name, { description }]) => saysNothing(name, description ?? ''))
      .map(([name, { description }]) => `${name}: ${description}`),
  ).toEqual([]);
  expect(saysNothing('AddressInput.house', 'The house.')).toBe(true);
});

test('every custom scalar of the schema has a specifiedBy URL', () => {
  const own = Object.values(getSchema().getTypeMap()).filter(
    (type) => isScalarType(type) && !isSpecifiedScalarType(type),
  ) as GraphQLScalarType[];

  expect(own.map(({ name }) => name)).toEqual(['DateTime']);
  for (const scalar of own) expect(scalar.specifiedByURL).toMatch(/^https:/);
});
