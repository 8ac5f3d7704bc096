import { readFile } from 'node:fs/promises';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { clientKit } from '../src/graphql/client-kit.ts';
import { limitsRule } from '../src/graphql/limits.ts';
import { getSchema } from '../src/graphql/schema.ts';

const committed = (name: string) => readFile(new URL(`../schema/${name}`, import.meta.url), 'utf8');

test.each(Object.entries(clientKit(await committed('operations.graphql'))))(
  'schema/%s is what the code says; where it is stale, `npm run schema` prints it anew',
  async (name, text) => {
    // Of two long texts the difference is not worth reading.
    expect((await committed(name)) === text).toBe(true);
  },
);

test('every operation of the kit is valid, and within the limits of what may be asked', async () => {
  const document = parse(await committed('operations.graphql'));

  expect(validate(getSchema(), document, [...specifiedRules, limitsRule])).toEqual([]);
});

test('every type, field, argument, input and enum value is described', () => {
  const undescribed: string[] = [];
  const check = (path: string, { description }: { description?: string | null | undefined }) => {
    if (!description) undescribed.push(path);
  };
  for (const type of Object.values(getSchema().getTypeMap()).filter((each) => !each.name.startsWith('__'))) {
    if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) check(type.name, type);
    for (const field of isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []) {
      check(`${type.name}.${field.name}`, field);
      for (const arg of field.args) check(`${type.name}.${field.name}(${arg.name})`, arg);
    }
    for (const field of isInputObjectType(type) ? Object.values(type.getFields()) : [])
      check(`${type.name}.${field.name}`, field);
    for (const value of isEnumType(type) ? type.getValues() : []) check(`${type.name}.${value.name}`, value);
  }
  expect(undescribed).toEqual([]);
});
