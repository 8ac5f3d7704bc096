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
  'doubling fragments': [`{ session(id: "x") { ...F0 } } ${doubling(14, 'id')}`, COMPLEX],
  'doubling fragments, deeper': [`{ session(id: "x") { ...F0 } } ${doubling(60, 'id')}`, VALIDATION],
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

tally.close(Object.keys(ATTACKS).length * Object.keys(TRANSPORTS).length);
