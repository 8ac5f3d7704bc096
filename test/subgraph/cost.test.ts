/** The costs in schema/subgraph.graphql, by which a router limits operations before it sends them to the gateway. */
import {
  type ConstDirectiveNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { expect, test } from 'vitest';
import { estimateOperationSize } from '../../src/graphql/cost.ts';
import { buildSubgraphSchema } from '../../src/graphql/subgraph.ts';
import { type Chance, chanceOf, oneOf } from '../harness/made-documents.ts';
import { SUBGRAPHS } from './peers.ts';

const schema = buildSubgraphSchema('Vkyc');

/** Arguments of the directives of each field of the committed SDL: coordinate, directive, arguments. */
const DIRECTIVES = new Map<string, Map<string, Record<string, any>>>();
for (const type of SUBGRAPHS[0]?.typeDefs.definitions ?? []) {
  if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
  for (const field of type.fields ?? [])
    DIRECTIVES.set(
      `${type.name.value}.${field.name.value}`,
      new Map((field.directives ?? []).map((each) => [each.name.value, argumentsOf(each)])),
    );
}

function argumentsOf({ arguments: given = [] }: ConstDirectiveNode): Record<string, any> {
  return Object.fromEntries(given.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
}

const sizeOf = (field: FieldNode, names: readonly string[]): number => {
  const given = (field.arguments ?? []).find(({ name }) => names.includes(name.value));
  return given ? Number(valueFromASTUntyped(given.value)) : 1;
};

/**
 * Returns the cost of a selection as a router computes it from the directives: the weight of each field, plus the cost
 * below it, times the size of its list.
 */
function costByDirectives(set: SelectionSetNode | undefined, parent: GraphQLCompositeType, page = 1): number {
  let cost = 0;
  for (const node of set?.selections ?? []) {
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const type = schema.getType(node.typeCondition?.name.value ?? '') as GraphQLCompositeType;
      cost += costByDirectives(node.selectionSet, type, page);
      continue;
    }
    if (node.kind !== Kind.FIELD || node.name.value === '__typename') continue;
    const field = (parent as GraphQLObjectType).getFields()[node.name.value] as GraphQLField<
      unknown,
      unknown
    >;
    const directives = DIRECTIVES.get(`${parent.name}.${node.name.value}`);
    const type = getNamedType(field.type);
    const weight = directives?.get('cost')?.weight ?? (isCompositeType(type) ? 1 : 0);
    if (!isCompositeType(type)) {
      cost += weight;
      continue;
    }
    const { assumedSize, slicingArguments, sizedFields } = directives?.get('listSize') ?? {};
    const below = slicingArguments ? sizeOf(node, slicingArguments) : 1;
    const isSized = isListType(getNullableType(field.type)) && assumedSize === undefined;
    if (sizedFields) expect(sizedFields).toEqual(['edges', 'nodes']);
    const size = isSized ? page : (assumedSize ?? 1);
    cost += size * (weight + costByDirectives(node.selectionSet, type, below));
  }
  return cost;
}

/** Returns a random selection of a type, without fields that need an argument other than a page size. */
function randomSelection(chance: Chance, type: GraphQLObjectType, levels: number): string {
  const fields = Object.values(type.getFields()).filter(
    ({ type: of, args, name }) =>
      !name.startsWith('_') &&
      args.every(({ type: needed }) => getNullableType(needed) === needed) &&
      (isLeafType(getNamedType(of)) || (levels > 0 && isObjectType(getNamedType(of)))),
  );
  const chosen = new Map(
    Array.from({ length: 1 + chance(4) }, () => oneOf(chance, fields)).map((each) => [each?.name, each]),
  );
  const texts = [...chosen.values()].map((field) => {
    if (!field) return '__typename';
    const below = getNamedType(field.type);
    const page = field.args.some(({ name }) => name === 'first') ? `(first: ${1 + chance(5)})` : '';
    return isObjectType(below)
      ? `${field.name}${page} ${randomSelection(chance, below, levels - 1)}`
      : field.name;
  });
  return `{ ${texts.join(' ')} }`;
}

test('the cost by @cost and @listSize equals the cost that the gateway charges, for 1,000 random queries', () => {
  const chance = chanceOf(28);
  let dear = 0;
  for (let made = 0; made < 1_000; made += 1) {
    const query = schema.getQueryType() as GraphQLObjectType;
    const document = parse(randomSelection(chance, query, 6));
    const operation = getOperationAST(document) as OperationDefinitionNode;
    const { cost } = estimateOperationSize({ schema, document, operation, values: {} });
    if (cost > 50) dear += 1;
    expect({
      query: document.loc?.source.body,
      cost: Math.max(1, costByDirectives(operation.selectionSet, query)),
    }).toEqual({
      query: document.loc?.source.body,
      cost,
    });
  }
  expect(dear).toBeGreaterThan(100);
});

test('the cost of `users`, a list of at most 20, and of statistics equals what the gateway charges', () => {
  for (const text of [
    '{ users(phone: "9988776655") { id sessions(first: 7) { nodes { user { id } } } } }',
    '{ sessionStats { total byStatus { count } funnel { medianSecondsSpent } intervals { from } } }',
    'mutation { refreshSession(sessionId: "x") { __typename ... on VkycRefreshSessionSuccess { session { user { id } } } } }',
  ]) {
    const document = parse(text);
    const operation = getOperationAST(document) as OperationDefinitionNode;
    const root = schema.getRootType(operation.operation) as GraphQLObjectType;
    expect([text, costByDirectives(operation.selectionSet, root)]).toEqual([
      text,
      estimateOperationSize({ schema, document, operation, values: {} }).cost,
    ]);
  }
});
