import { buildSchema, getNamedType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import {
  FIELD_ACCESS,
  FIELD_RULES,
  findFieldRule,
  OPERATION_ROLES,
  type Role,
} from '../../src/domain/access.ts';
import { applyAccessRules } from '../../src/graphql/access-rules.ts';
import { call, everythingOf, fieldsOf, routesOfQueries, schema } from '../harness/everything.ts';
import type { Answer } from '../harness/gateway.ts';
import { bootMarked, CALLERS, mutationType, OWN_WORDS, subOf } from '../harness/marked.ts';

const marked = await bootMarked();
const { own, other, ask, seen } = marked;
const routes = routesOfQueries(own);
const types = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter((type) => !type.name.startsWith('__') && type !== schema.getSubscriptionType());

/** Types that this test does not reach: only subscriptions or provider failures return them. No field is restricted. */
const NOT_MET = ['SessionSnapshot', 'Heartbeat', 'FeedReset', 'DeadlinePassed', 'ProviderError'];

const isRefused = ({ errors }: Answer): boolean =>
  (errors ?? []).some((error) => error.extensions.code === 'FORBIDDEN');

// Invariant 11 of ARCHITECTURE.md
test('every operation is allowed for exactly the roles of the access table, whatever its arguments', {
  timeout: 120_000,
}, async () => {
  for (const type of types) {
    const route = type === mutationType ? { before: 'mutation {', behind: '}' } : routes.get(type.name);
    for (const field of fieldsOf(type)) {
      // `routes` has only types that a query can reach. Types that only mutations return need a route as soon as one of
      // their fields has arguments.
      if (!route && field.args.length > 0) throw new Error(`Add a route to ${type.name}.${field.name}`);
      if (!route) continue;
      const needed = OPERATION_ROLES[`${type.name}.${field.name}` as keyof typeof OPERATION_ROLES];
      const calls = [own, other].flatMap((given) => [
        call(field, given),
        ...field.args.map(({ name }) => call(field, given, [name])),
      ]);
      for (const written of new Set(calls)) {
        const everything = everythingOf(getNamedType(field.type), 1, { first: 20 });
        const query = `${route.before} ${written} ${everything} ${route.behind}`;
        for (const caller of CALLERS) {
          const answer = await ask(caller, query);
          const allowed: readonly unknown[] = needed ?? CALLERS.filter((each) => each !== 'NONE');
          expect(isRefused(answer), `${caller}: ${query}`).toBe(!allowed.includes(caller));
        }
      }
    }
  }
});

// Invariant 11 of ARCHITECTURE.md
test('every field is shown to exactly the roles of the access table, however its object is reached', {
  timeout: 120_000,
}, async () => {
  const everything = { first: 20 };
  for (const type of types.filter(({ name }) => routes.has(name) && name !== 'Query')) {
    const { before, behind } = routes.get(type.name)!;
    const selection = everythingOf(type, 1, everything).slice(1, -1);
    for (const caller of CALLERS) await ask(caller, `${before} ${selection} ${behind}`);
  }
  const node = schema.getType('Node')!;
  for (const { name } of schema.getPossibleTypes(node as never))
    for (const id of new Set(seen('ADMIN', name, 'id')))
      for (const caller of CALLERS) {
        const fields = everythingOf(schema.getType(name) as never, 1, everything);
        await ask(caller, `{ node(id: "${id}") { ... on ${name} ${fields} } }`);
      }

  for (const type of types) {
    if (type.name === 'Query' || type === mutationType) continue;
    const isMet = marked.hasMet(type.name) || NOT_MET.includes(type.name);
    expect(isMet, `no ${type.name} was returned: create one in bootMarked`).toBe(true);
    for (const { name } of fieldsOf(type)) {
      const rule = findFieldRule(type.name, name)!;
      const { roles, ...kind } = FIELD_RULES[rule];
      if (rule === 'OPEN') continue;
      for (const caller of CALLERS) {
        const where = `${caller}, ${type.name}.${name}`;
        const values = seen(caller, type.name, name).filter((value) => value !== null);
        if ((roles as readonly unknown[]).includes(caller)) expect(values.length, where).toBeGreaterThan(0);
        else if (rule === 'PHONE') for (const value of values) expect(value, where).toMatch(/^•{6}\d{4}$/);
        else if ('own' in kind)
          for (const value of values) expect([OWN_WORDS, subOf(caller)]).toContain(value);
        else expect(values, where).toEqual([]);
      }
    }
  }
  expect(seen('VIEWER', 'VkycUser', 'phone')).toContain('••••••0042');
  expect(seen('CUSTOMER', 'VkycUser', 'phone')).toContain('7000000042');
  expect(seen('CUSTOMER', 'Meeting', 'cancelReason')).toContain(OWN_WORDS);
  expect(seen('CUSTOMER', 'Meeting', 'reason')).toContain(OWN_WORDS);
  expect(seen('NONE', 'VkycSession', 'id')).toEqual([]);
});

test('a gateway with a field missing from the access tables does not start, and the tables name only existing fields', () => {
  const refusal = (sdl: string) => () => applyAccessRules(buildSchema(sdl));

  expect(refusal('type Query { everything: Int }')).toThrow(
    'Query.everything is not in OPERATION_ROLES of src/domain/access.ts',
  );
  expect(refusal('type Query { viewer: Viewer } type Viewer { id: ID password: String }')).toThrow(
    'Viewer.password is not in FIELD_ACCESS of src/domain/access.ts',
  );
  const named = Object.entries(FIELD_ACCESS).flatMap(([type, rules]) =>
    Object.values(rules).flatMap((fields) => fields.split(/\s+/).map((field) => `${type}.${field}`)),
  );
  const has = (path: string) => {
    const [type, field] = path.split('.') as [string, string];
    return field in ((schema.getType(type) as { getFields?(): object } | undefined)?.getFields?.() ?? {});
  };
  expect([...named, ...Object.keys(OPERATION_ROLES)].filter((path) => !has(path))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});

test('fields open to every role have no resolver that checks roles', () => {
  const session = schema.getType('PageInfo') as never as {
    getFields(): Record<string, { resolve?: unknown }>;
  };
  const roles: readonly Role[] = FIELD_RULES.OPEN.roles;

  expect(roles).toHaveLength(6);
  expect(session.getFields().hasNextPage?.resolve).toBeUndefined();
});
