/** What somebody with a token may try with operations alone: refused alike on every transport, others served. */
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { bootGateway, PRODUCTION } from '../harness/gateway.ts';
import { isClean, TRANSPORTS } from '../harness/transports.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway({
  environment: PRODUCTION,
});
const tokenOf = async (sub: string) =>
  `Bearer ${await new SignJWT({ sub, roles: ['VIEWER'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(PRODUCTION.AUTH_ISSUER)
    .setAudience(PRODUCTION.AUTH_AUDIENCE)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(PRODUCTION.AUTH_SECRET))}`;

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
/** Fragments of which each spreads the next one twice. */
const doubling = (count: number, last: string) =>
  `${times(count, (n) => `fragment F${n} on VkycSession { replaces { ...F${n + 1} } replacedBy { ...F${n + 1} } }`)} fragment F${count} on VkycSession { ${last} }`;
/** Fragments without a level of depth, of which each spreads the next two. */
const pairs = (count: number) =>
  `{ session(id: "x") { ...F0 } } ${times(count, (n) => `fragment F${n} on VkycSession { id ...F${n + 1} ...F${Math.min(n + 2, count)} }`)} fragment F${count} on VkycSession { id }`;
const pages = (levels: number): string =>
  levels === 0 ? 'id' : `user { sessions(first: 100) { nodes { ${pages(levels - 1)} } } }`;

const PARSE = 'GRAPHQL_PARSE_FAILED';
const VALIDATION = 'GRAPHQL_VALIDATION_FAILED';
const COMPLEX = 'QUERY_TOO_COMPLEX';

const ATTACKS: Record<string, [query: string, code: string]> = {
  'alias bomb': [`{ ${times(200, (n) => `a${n}: viewer { id }`)} }`, VALIDATION],
  'alias bomb below the root': [`{ viewer { ${times(200, (n) => `a${n}: id`)} } }`, VALIDATION],
  'alias bomb by fragments': [
    `{ viewer { ${times(30, () => '...F')} } } fragment F on Viewer { ${times(30, (n) => `a${n}: id`)} }`,
    VALIDATION,
  ],
  'deep query': [`{ session(id: "x") { ${'replaces { '.repeat(50)}id${' }'.repeat(50)} } }`, VALIDATION],
  'deep query by inline fragments': [
    `{ session(id: "x") { ${'... on VkycSession { replaces { '.repeat(50)}id${' } }'.repeat(50)} } }`,
    VALIDATION,
  ],
  'deep introspection': [
    `{ __schema { types { ${'fields { type { '.repeat(20)}name${' } }'.repeat(20)} } } }`,
    VALIDATION,
  ],
  'circular fragments': [
    '{ session(id: "x") { ...A } } fragment A on VkycSession { replaces { ...B } } fragment B on VkycSession { replaces { ...A } }',
    VALIDATION,
  ],
  'a fragment of itself': ['{ session(id: "x") { ...A } } fragment A on VkycSession { id ...A }', VALIDATION],
  'doubling fragments': [`{ session(id: "x") { ...F0 } } ${doubling(14, 'id')}`, VALIDATION],
  'doubling fragments, deeper': [`{ session(id: "x") { ...F0 } } ${doubling(60, 'id')}`, VALIDATION],
  'fragments that each spread the next two': [pairs(34), VALIDATION],
  'fragments that each spread the next two, more of them': [pairs(60), VALIDATION],
  'fragments that each spread the next two, as many as tokens allow': [pairs(120), VALIDATION],
  'a fragment that is spread a thousand times': [
    `{ viewer { ${times(900, () => '...F')} } } fragment F on Viewer { id roles }`,
    VALIDATION,
  ],
  'directive flood': [`{ viewer { id ${times(200, () => '@include(if: true)')} } }`, VALIDATION],
  'directive flood of unknown ones': [`query ${times(200, (n) => `@a${n}`)} { viewer { id } }`, VALIDATION],
  'token flood': [`{ viewer { ${times(5_000, () => 'id')} } }`, PARSE],
  'token flood in a value': [`{ nodes(ids: [${times(5_000, () => '""')}]) { id } }`, PARSE],
  'token flood of nesting': [`${'{ viewer '.repeat(4_000)}`, PARSE],
  'token flood of variables': [`query (${times(1_000, (n) => `$a${n}: Int`)}) { viewer { id } }`, PARSE],
  'fields that have to be compared with one another': [
    `{ viewer { ${times(1_990, () => 'id')} } }`,
    VALIDATION,
  ],
  'costly nested pages': [`{ sessions(first: 100) { nodes { ${pages(3)} } } }`, COMPLEX],
  'costly pages by aliases': [
    `{ ${times(10, (n) => `a${n}: sessions(first: 100) { nodes { transitions(first: 100) { nodes { id } } } }`)} }`,
    COMPLEX,
  ],
  'a page of more than a page': ['{ sessions(first: 2147483647) { nodes { id } } }', 'BAD_USER_INPUT'],
  introspection: ['{ __schema { types { name } } }', VALIDATION],
  'introspection of a type': ['{ __type(name: "VkycSession") { fields { name } } }', VALIDATION],
  'introspection by a fragment': [
    '{ ...F } fragment F on Query { s: __schema { types { name } } }',
    VALIDATION,
  ],
  'guessing names': ['{ viewer { rolse } }', VALIDATION],
  'guessing arguments': ['{ sessions(fist: 1) { nodes { id } } }', VALIDATION],
};

const tally = tallyOf('operations');

for (const [transport, send] of Object.entries(TRANSPORTS)) {
  test.each(Object.entries(ATTACKS))(`${transport}: %s is refused`, async (attack, [query, code]) => {
    const since = performance.now();
    const [{ data, errors, text }, other] = await Promise.all([
      tokenOf('mallory').then((token) => send(gateway, { query }, token)),
      tokenOf('asha').then((token) => send(gateway, { query: '{ viewer { id } }' }, token)),
    ]);
    const seconds = (performance.now() - since) / 1000;

    tally.note(`${transport}: ${attack}`, errors.length === 0 || data !== null);
    expect(data).toBeNull();
    expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set([code]));
    expect(isClean(text)).toBe(true);
    expect(text).not.toContain('Did you mean');
    expect(other.data).toEqual({ viewer: { id: 'asha' } });
    expect(seconds).toBeLessThan(2);
  });
}

const FLOODS: Record<string, Record<string, unknown>> = {
  'fifty thousand wrong enum values': { filter: { status: Array(50_000).fill('FAILD') } },
  'fifty thousand right enum values': { filter: { status: Array(50_000).fill('FAILED') } },
  'a long wrong enum value': { filter: { status: ['A'.repeat(900_000)] } },
  'a filter of fifty thousand unknown fields': {
    filter: Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`statu${n}`, 1])),
  },
};
const FLOODED = ['HTTP', 'SSE'] as const;
const LIST = 'query ($filter: SessionFilter) { sessions(first: 1, filter: $filter) { nodes { id } } }';

// A WebSocket closes on a message of this size: it is refused before it is read.
for (const transport of FLOODED) {
  const send = TRANSPORTS[transport];
  test.each(Object.entries(FLOODS))(
    `${transport}: %s are refused with few errors`,
    async (attack, variables) => {
      const since = performance.now();
      const { data, errors, text } = await send(
        gateway,
        { query: LIST, variables },
        await tokenOf('mallory'),
      );
      const seconds = (performance.now() - since) / 1000;

      tally.note(`${transport}: ${attack}`, errors.length === 0 || data !== null);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.length).toBeLessThan(20);
      expect(text.length).toBeLessThan(20_000);
      expect(seconds).toBeLessThan(2);
    },
  );
}

tally.close(
  Object.keys(ATTACKS).length * Object.keys(TRANSPORTS).length + Object.keys(FLOODS).length * FLOODED.length,
);
