import { readFile } from 'node:fs/promises';
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { getSchema, printedSchema } from '../src/graphql/schema.ts';

test('schema/schema.graphql is what the code says; where it is stale, `npm run schema` prints it anew', async () => {
  const committed = await readFile(new URL('../schema/schema.graphql', import.meta.url), 'utf8');
  expect(committed).toBe(printedSchema());
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
