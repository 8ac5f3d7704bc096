/** Composition of the committed subgraph with subgraphs of other teams, by two composition libraries. */
import { readFileSync } from 'node:fs';
import { composeServices } from '@theguild/federation-composition';
import { federateSubgraphs, ROUTER_COMPATIBILITY_VERSION_ONE } from '@wundergraph/composition';
import { parse, print, visit } from 'graphql';
import { describe, expect, test } from 'vitest';
import { FIELD_ACCESS, FIELD_RULES, OPERATION_ROLES, ROLES } from '../../src/domain/access.ts';
import { LINK, SUBGRAPHS, type Subgraph, subgraph, UNPROJECTED } from './peers.ts';

/** Each composer returns its errors as texts. */
const COMPOSERS: Record<string, (subgraphs: readonly Subgraph[]) => string[]> = {
  '@theguild/federation-composition': (subgraphs) =>
    (composeServices([...subgraphs]).errors ?? []).map(({ message }) => message),
  '@wundergraph/composition': (subgraphs) => {
    const result = federateSubgraphs({
      subgraphs: subgraphs.map(({ name, url, typeDefs }) => ({ name, url, definitions: typeDefs })),
      version: ROUTER_COMPATIBILITY_VERSION_ONE,
    });
    return result.success ? [] : result.errors.map(({ message }) => message);
  },
};

const page = readFileSync(new URL('../../schema/SUPERGRAPH.md', import.meta.url), 'utf8');
const exampleOfPage = page.match(/```graphql\r?\n([^`]+)```/)?.[1] ?? '';
const EXAMPLE = subgraph('loans', `${LINK} type Query { loan: Loan } ${exampleOfPage}`);

describe.each(Object.entries(COMPOSERS))('%s', (_name, compose) => {
  test('composes the subgraph alone', () => {
    expect(compose(SUBGRAPHS.slice(0, 1))).toEqual([]);
  });

  test('composes the subgraph with a Relay-style subgraph and one with generic type names', () => {
    expect(compose(SUBGRAPHS)).toEqual([]);
  });

  test('composes the subgraph with the example of schema/SUPERGRAPH.md', () => {
    expect(exampleOfPage).toContain('type Loan');
    expect(compose([...SUBGRAPHS.slice(0, 1), EXAMPLE])).toEqual([]);
  });

  test('does not compose the schema itself with these subgraphs', () => {
    expect(compose(UNPROJECTED)).not.toEqual([]);
  });
});

const sdl = SUBGRAPHS[0]?.typeDefs ?? parse('');

describe('schema/subgraph.graphql', () => {
  test('has no root field or type that every subgraph may define: node, nodes, viewer, Node, Viewer', () => {
    const text = print(sdl);
    expect(text).not.toMatch(/^type \w+ implements (\w+ & )*Node\b/m);
    expect(text).not.toMatch(/^(type|interface) (Vkyc)?(Node|Viewer)\b/m);
    const query = sdl.definitions.find((each) => 'name' in each && each.name?.value === 'Query') as any;
    const fields = query.fields.map(({ name }: any) => name.value);
    expect(fields).toContain('sessions');
    expect(['node', 'nodes', 'viewer'].filter((name) => fields.includes(name))).toEqual([]);
  });

  test('lets other subgraphs refer to sessions by verificationId and to people by userId', () => {
    expect(print(sdl)).toMatch(/^type VkycSession @key\(fields: "id"\) @key\(fields: "verificationId"\)/m);
    expect(print(sdl)).toMatch(/^type VkycUser @key\(fields: "id"\) @key\(fields: "userId"\)/m);
    expect(print(sdl)).toMatch(/^type VkycMeeting @key\(fields: "id"\) \{/m);
  });

  test('requires scopes exactly where the access table limits a field to some roles', () => {
    const scopes: Record<string, string[]> = {};
    const authenticated: string[] = [];
    let type = '';
    visit(sdl, {
      ObjectTypeDefinition: ({ name }) => {
        type = name.value;
      },
      FieldDefinition: ({ name, directives = [] }) => {
        for (const directive of directives) {
          const coordinate = `${type}.${name.value}`;
          if (directive.name.value === 'authenticated') authenticated.push(coordinate);
          const value = directive.name.value === 'requiresScopes' && directive.arguments?.[0]?.value;
          if (value) scopes[coordinate] = JSON.parse(print(value).replaceAll('\n', '')).flat();
        }
      },
    });
    const inSubgraph = Object.entries(OPERATION_ROLES).filter(
      ([name]) => !/^Query\.(node|nodes|viewer)$/.test(name),
    );
    const limited = [...inSubgraph, ...fieldsWithRoles()].filter(
      ([, roles]) => roles.length < Object.keys(ROLES).length,
    );
    expect(authenticated.sort()).toEqual(inSubgraph.map(([name]) => name).sort());
    expect(limited.length).toBeGreaterThan(30);
    expect(scopes).toEqual(Object.fromEntries(limited.map(([name, roles]) => [name, [...roles]])));
  });
});

/** Rules under which a viewer without the role gets null or a refusal, never a masked or an own value. */
const RULES_BY_ROLE = [
  'PERSONAL',
  'STAFF_ONLY',
  'ADMIN_ONLY',
  'FOR_CUSTOMER',
  'RECORDING',
  'SDK_TOKEN',
] as const;

const fieldsWithRoles = (): [string, readonly string[]][] =>
  Object.entries(FIELD_ACCESS).flatMap(([type, rules]) =>
    RULES_BY_ROLE.flatMap((rule) =>
      (rules[rule]?.split(/\s+/) ?? []).map((field): [string, readonly string[]] => [
        `${type.startsWith('Vkyc') ? type : `Vkyc${type}`}.${field}`,
        FIELD_RULES[rule].roles,
      ]),
    ),
  );
