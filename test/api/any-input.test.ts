import { randomUUID } from 'node:crypto';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { expectSound } from '../harness/acting.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';

const schema = getSchema();
const gateway = await bootGateway();
const mine = await gateway.start('any.1');
const another = await gateway.start('any.2', { user: { phone: '9988776644' } });
/** Session with a review. The other sessions have none, so that mutations on them are refused for bad input only. */
const reviewed = await gateway.start('any.3', { user: { phone: '9988776633' } });
await gateway.webhook({
  event_time: new Date(Date.now() + 60_000).toISOString(),
  data: { verification_id: 'any.3', status: 'AGENT_REVIEWED', sub_status: 'AGENT_REJECTED' },
});
const reviewedBy = `{ session(id: "${reviewed.id}") { reviews { id } } }`;
await eventually(async () => (await gateway.graphql(reviewedBy)).data.session.reviews.length === 1);
const { data } = await gateway.graphql('query ($id: ID!) { session(id: $id) { user { id } } }', {
  id: mine.id,
});
const userId: string = data.session.user.id;

const TEXTS = [
  '',
  ' ',
  'nonsense',
  'x'.repeat(10_000),
  'null\0byte',
  'half \ud83d a pair',
  '\u200b',
  '🦄',
  "'; drop table vkyc_session; --",
  '%_\\',
  mine.startCursor,
  another.startCursor,
  mine.id,
  another.id,
  userId,
];
const TIMES = [
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '2001-01-01T00:00:00Z',
  inMinutes(5),
  '9999-12-31T23:59:59Z',
  '-000001-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
];
const OTHERS = [null, true, -1, 0, 1, 1.5, 2_147_483_647, 2 ** 31, 1e300, [], [null], {}, { a: 1 }];
const BAD = [...TEXTS, ...TIMES, ...OTHERS];

/**
 * To save time, each argument and input field is tried with only every STRIDE-th bad value, from a changing offset.
 * With a STRIDE of 1, each is tried with every bad value.
 */
const STRIDE = Number(process.env.BAD_VALUES_STRIDE ?? 5);
let placesSeen = 0;
function badValuesOfNextPlace(): unknown[] {
  placesSeen += 1;
  return BAD.filter((_, index) => (index + placesSeen) % STRIDE === 0);
}

/**
 * Returns a valid value of an input type, for every value of a request except the bad value under test. Each idempotency
 * key is new: otherwise a call would be refused as a repetition of another with a different input.
 */
function fitting(type: GraphQLInputType, name = ''): unknown {
  if (isNonNullType(type)) return fitting(type.ofType, name);
  if (isListType(type)) return [fitting(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields()).map((field) => [field.name, fitting(field.type, field.name)]),
    );
  if (name === 'idempotencyKey') return randomUUID();
  return (
    { ID: mine.id, Int: 1, Float: 1, Boolean: true, DateTime: inMinutes(30) }[getNamedType(type).name] ??
    'fitting-text'
  );
}

/** Yields the path of every value within an argument: the argument itself and, recursively, its input fields. */
function* places(type: GraphQLInputType, path: string[] = []): Generator<string[]> {
  yield path;
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    const inner = isListType(isNonNullType(type) ? type.ofType : type) ? [...path, '0'] : path;
    for (const field of Object.values(named.getFields())) yield* places(field.type, [...inner, field.name]);
  }
}

function withValue(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return replacement;
  const copy = structuredClone(value) as any;
  copy[head] = withValue(copy[head], rest, replacement);
  return copy;
}

/**
 * Functions that make an operation from the selection of a field, by the type that has the field. Each type that has a
 * field with arguments must be listed; otherwise the test fails.
 */
const REACHED: Record<string, (selection: string) => string> = {
  Query: (selection) => `{ ${selection} }`,
  Mutation: (selection) => `{ ${selection} }`,
  VkycSession: (selection) => `{ session(id: "${mine.id}") { ${selection} } }`,
  VkycUser: (selection) => `{ session(id: "${mine.id}") { user { ${selection} } } }`,
  Review: (selection) => `{ session(id: "${reviewed.id}") { reviews { ${selection} } } }`,
  StatusInfo: (selection) => `{ session(id: "${mine.id}") { statusInfo { ${selection} } } }`,
  SessionStats: (selection) => `{ sessionStats { ${selection} } }`,
};

const fields = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter((type) => !type.name.startsWith('__') && type.name !== 'Subscription')
  .flatMap((type) => Object.values(type.getFields()).map((field) => ({ owner: type.name, field })))
  .filter(({ field }) => field.args.length > 0);

async function send(
  owner: string,
  field: GraphQLField<unknown, unknown>,
  argument: GraphQLArgument,
  value: unknown,
) {
  const variables = Object.fromEntries(
    field.args
      .filter((each) => each === argument || isNonNullType(each.type) || each.name === 'first')
      .map((each) => [each.name, each === argument ? value : fitting(each.type)]),
  );
  const given = field.args.filter((each) => each.name in variables);
  const declared = given.map((each) => `$${each.name}: ${each.type}`).join(', ');
  const passed = given.map((each) => `${each.name}: $${each.name}`).join(', ');
  const selection = `${field.name}(${passed}) ${isLeafType(getNamedType(field.type)) ? '' : '{ __typename }'}`;
  const reach = REACHED[owner];
  if (!reach) throw new Error(`Add a route to ${owner}.${field.name} to REACHED`);
  const operation = owner === 'Mutation' ? 'mutation' : 'query';
  return gateway.graphql(`${operation} (${declared}) ${reach(selection)}`, variables);
}

test.each(fields.map(({ owner, field }) => [`${owner}.${field.name}`, owner, field] as const))(
  '%s answers every bad argument value with a result or a client error, never with an internal error',
  { timeout: 60_000 },
  async (_name, owner, field) => {
    for (const argument of field.args) {
      for (const path of places(argument.type)) {
        for (const value of badValuesOfNextPlace()) {
          const answer = await send(owner, field, argument, withValue(fitting(argument.type), path, value));
          const where = `${argument.name}.${path.join('.')} = ${JSON.stringify(value)?.slice(0, 80)}: ${JSON.stringify(answer).slice(0, 300)}`;
          for (const error of answer.errors ?? []) {
            expect(error.extensions.code, where).toMatch(
              /^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED|BAD_REQUEST|FORBIDDEN)$/,
            );
          }
        }
      }
    }
  },
);

test('after all bad values, every audit chain is valid, every session equals the state computed from its log, and no internal error was logged', async () => {
  await expectSound(gateway);
  expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
});
