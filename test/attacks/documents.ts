/**
 * Hostile GraphQL operations: `REFUSED` documents (too costly, slow to validate, or probing the schema), each with the
 * error code of its refusal; documents `AT_THE_LIMITS`, which the gateway must execute; and `FLOODS` of variables.
 */

import { type Request, TRANSPORTS, type Transport } from '../harness/transports.ts';

/**
 * Maximum size of requests that are tried over a WebSocket: the gateway closes the socket on a larger message, without
 * reading the message.
 */
const MAX_MESSAGE_BYTES = 60_000;
export const transportsFor = (request: Request): Transport[] =>
  (Object.keys(TRANSPORTS) as Transport[]).filter(
    (transport) => transport !== 'WebSocket' || JSON.stringify(request).length < MAX_MESSAGE_BYTES,
  );

export const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
/**
 * Returns a chain of fragments, each of which spreads the next fragment twice, so that the number of fields doubles
 * with each fragment.
 */
const doubling = (count: number, last: string) =>
  `${times(count, (n) => `fragment F${n} on VkycSession { replaces { ...F${n + 1} } replacedBy { ...F${n + 1} } }`)} fragment F${count} on VkycSession { ${last} }`;
/**
 * Returns a document whose fragments each spread the next two fragments: the expansion grows exponentially, but has no
 * depth.
 */
const pairs = (count: number) =>
  `{ session(id: "x") { ...F0 } } ${times(count, (n) => `fragment F${n} on VkycSession { id ...F${n + 1} ...F${Math.min(n + 2, count)} }`)} fragment F${count} on VkycSession { id }`;
const pages = (levels: number): string =>
  levels === 0 ? 'id' : `user { sessions(first: 100) { nodes { ${pages(levels - 1)} } } }`;

const PARSE = 'GRAPHQL_PARSE_FAILED';
const VALIDATION = 'GRAPHQL_VALIDATION_FAILED';
const COMPLEX = 'QUERY_TOO_COMPLEX';

const inSession = (selection: string): string => `{ session(id: "x") { ${selection} } }`;
/** Returns nested, repeated `replaces` fields: one level for each count, with that many equal fields on the level. */
const nested = ([count, ...below]: readonly number[], leaf: string): string =>
  count === undefined ? leaf : times(count, () => `replaces { ${nested(below, leaf)} }`);

export const REFUSED: Record<string, [query: string, code: string]> = {
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
  'a fragment that spreads itself': [
    '{ session(id: "x") { ...A } } fragment A on VkycSession { id ...A }',
    VALIDATION,
  ],
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
  'flood of unknown directives': [`query ${times(200, (n) => `@a${n}`)} { viewer { id } }`, VALIDATION],
  'token flood': [`{ viewer { ${times(5_000, () => 'id')} } }`, PARSE],
  'token flood in a value': [`{ nodes(ids: [${times(5_000, () => '""')}]) { id } }`, PARSE],
  'token flood of nesting': [`${'{ viewer '.repeat(4_000)}`, PARSE],
  'token flood of variables': [`query (${times(1_000, (n) => `$a${n}: Int`)}) { viewer { id } }`, PARSE],
  'fields that must all be compared with one another (overlapping fields)': [
    `{ viewer { ${times(1_990, () => 'id')} } }`,
    VALIDATION,
  ],
  'costly nested pages': [`{ sessions(first: 100) { nodes { ${pages(3)} } } }`, COMPLEX],
  'costly pages by aliases': [
    `{ ${times(10, (n) => `a${n}: sessions(first: 100) { nodes { transitions(first: 100) { nodes { id } } } }`)} }`,
    COMPLEX,
  ],
  'a page size above the limit': ['{ sessions(first: 2147483647) { nodes { id } } }', 'BAD_USER_INPUT'],
  'hundreds of equal fields': [inSession(times(490, () => 'replaces { id }')), VALIDATION],
  'equal fields below equal fields': [inSession(nested([30, 10], 'id')), VALIDATION],
  'equal fields on five levels': [inSession(nested([6, 5, 5], 'id status subStatus')), VALIDATION],
  'equal pages': [inSession(times(165, () => 'transitions(first: 1) { nodes { id } }')), VALIDATION],
  'equal fields by fragments': [
    `${inSession(times(100, (n) => `...F${n}`))} ${times(100, (n) => `fragment F${n} on VkycSession { id status replaces { id } }`)}`,
    VALIDATION,
  ],
  'equal fields in an unused fragment': [
    `{ viewer { id } } fragment F on VkycSession { ${times(450, () => 'replaces { id }')} }`,
    VALIDATION,
  ],
  'unused doubling fragments': [`{ viewer { id } } ${doubling(60, 'id')}`, VALIDATION],
  'a cycle of 150 fragments after thousands of lines': [
    `${'\n'.repeat(4_900)}${inSession('...F0')} ${times(150, (n) => `fragment F${n} on VkycSession { id ...F${(n + 1) % 150} }`)}`,
    VALIDATION,
  ],
  'an unused cycle of fragments': [
    `{ viewer { id } } ${times(150, (n) => `fragment F${n} on VkycSession { id ...F${(n + 1) % 150} }`)}`,
    VALIDATION,
  ],
  'fifty thousand lines': [`${'\n'.repeat(50_000)}{ viewer { rolse } }`, VALIDATION],
  'fifty thousand lines in a string': [
    `{ session(id: ${'""'}"${'\n'.repeat(50_000)}"${'""'}) { id } }`,
    VALIDATION,
  ],
  'the whole schema nineteen times': [
    `{ ${times(19, (n) => `a${n}: __schema { types { name } }`)} }`,
    VALIDATION,
  ],
  'unknown fields': [inSession(times(900, (n) => `f${n}`)), VALIDATION],
  'unknown fields after thousands of lines': [
    `${'\n'.repeat(4_900)}${inSession(times(900, (n) => `f${n}`))}`,
    VALIDATION,
  ],
  'unknown arguments': [`{ session(id: "x" ${times(600, (n) => `f${n}: 1`)}) { id } }`, VALIDATION],
  '150 fragments spread in one selection': [
    `${inSession(times(150, (n) => `...F${n}`))} ${times(150, (n) => `fragment F${n} on VkycSession { id }`)}`,
    VALIDATION,
  ],
  'unknown types': [inSession(times(90, (n) => `... on T${n} { id }`)), VALIDATION],
  'unknown fragments': [inSession(times(400, (n) => `...F${n}`)), VALIDATION],
  'unused variables': [`query (${times(450, (n) => `$v${n}: Int`)}) { viewer { id } }`, VALIDATION],
  'one variable declared 450 times': [`query (${times(450, () => '$v: Int')}) { viewer { id } }`, VALIDATION],
  'one argument given 500 times': [`{ session(${times(500, () => 'id: "x"')}) { id } }`, VALIDATION],
  'fields of one name with different arguments': [
    inSession(times(90, (n) => `transitions(first: ${n}) { nodes { id } }`)),
    VALIDATION,
  ],
  'fields of one name with different selections': [
    inSession(
      `${times(40, () => 'replaces { id status }')} ${times(9, () => 'replaces: replacedBy { id: status status: id }')}`,
    ),
    VALIDATION,
  ],
  'a filter of unknown fields': [
    `{ sessions(first: 1, filter: { ${times(600, (n) => `statu${n}: 1`)} }) { nodes { id } } }`,
    VALIDATION,
  ],
  'a filter with the same field 190 times': [
    `{ sessions(first: 1, filter: { ${times(190, () => 'status: [FAILED]')} }) { nodes { id } } }`,
    VALIDATION,
  ],
  'wrong enum values': [
    `{ sessions(first: 1, filter: { status: [${times(1_500, () => 'FAILD')}] }) { nodes { id } } }`,
    VALIDATION,
  ],
  'lists in lists': [`{ nodes(ids: ${'['.repeat(900)}"x"${']'.repeat(900)}) { id } }`, VALIDATION],
  'objects in objects': [
    `{ sessions(first: 1, filter: ${'{a: '.repeat(450)}1${'}'.repeat(450)}) { nodes { id } } }`,
    VALIDATION,
  ],
  'a list type in list types': [
    `query ($v: ${'['.repeat(400)}Int${']'.repeat(400)}) { viewer { id } }`,
    VALIDATION,
  ],
  'type definitions in a document': [
    `{ viewer { id } } ${times(200, (n) => `type T${n} { id: ID }`)}`,
    VALIDATION,
  ],
  'a hundred operations that spread many fragments': [
    `${times(100, (n) => `query Q${n} { ...F0 }`)} ${times(150, (n) => `fragment F${n} on Query { ...F${n + 1} }`)} fragment F150 on Query { viewer { id } }`,
    VALIDATION,
  ],
  'one operation name 180 times': [times(180, () => 'query Q { viewer { id } }'), VALIDATION],
  introspection: ['{ __schema { types { name } } }', VALIDATION],
  'introspection of a type': ['{ __type(name: "VkycSession") { fields { name } } }', VALIDATION],
  'introspection by a fragment': [
    '{ ...F } fragment F on Query { s: __schema { types { name } } }',
    VALIDATION,
  ],
  'a misspelt field, to guess names by suggestions': ['{ viewer { rolse } }', VALIDATION],
  'a misspelt argument, to guess names by suggestions': [
    '{ sessions(fist: 1) { nodes { id } } }',
    VALIDATION,
  ],
};

/** Documents just below the limits: the most expensive documents that the gateway must validate and execute. */
export const AT_THE_LIMITS: Record<string, string> = {
  'equal fields': inSession(times(70, () => 'replaces { id }')),
  'equal pages': inSession(times(58, () => 'transitions(first: 1) { nodes { id } }')),
  'equal fields on two levels': inSession(nested([7, 10], 'id')),
  'equal fields by fragments': `${inSession(times(40, (n) => `...F${n}`))} ${times(40, (n) => `fragment F${n} on VkycSession { id status replaces { id } }`)}`,
  'fragments in fragments': `${inSession(times(45, (n) => `...F${n}`))} ${times(45, (n) => `fragment F${n} on VkycSession { replaces { ...G${n} } } fragment G${n} on VkycSession { id }`)}`,
  'many operations that spread many fragments': `query Q { viewer { id } } ${times(49, (n) => `query Q${n} { ...F0 }`)} ${times(150, (n) => `fragment F${n} on Query { ...F${n + 1} }`)} fragment F150 on Query { viewer { id } }`,
  'one deep chain of fragments': `{ ...F0 } ${times(300, (n) => `fragment F${n} on Query { ...F${n + 1} }`)} fragment F300 on Query { viewer { id } }`,
  conditions: `query (${times(20, (n) => `$v${n}: Boolean = true`)}) { viewer { ${times(20, (n) => `a${n}: id @include(if: $v${n})`)} } }`,
  'a page with every field of its sessions':
    '{ sessions(first: 100) { nodes { id verificationId status subStatus rawStatus statusInfo { explanation recommendedAction } statusSince version disputed link createdAt updatedAt startCursor availableActions blockedActions { __typename } user { id phone } } } }',
  'pages in a page':
    '{ sessions(first: 100) { nodes { id transitions(first: 100) { nodes { id sequence status subStatus source recordedAt } } } } }',
  'pages in a page, with statusInfo':
    '{ sessions(first: 100) { nodes { id transitions(first: 100) { nodes { id cursor sequence statusInfo { explanation recommendedAction } } } } } }',
  'pages in a page, with many leaf fields': `{ sessions(first: 100) { nodes { transitions(first: 100) { nodes { ${times(48, (n) => `a${n}: id`)} } } } } }`,
  'pages in a page, with many cursors': `{ sessions(first: 100) { nodes { transitions(first: 100) { nodes { ${times(48, (n) => `a${n}: cursor`)} } } } } }`,
  'a string of escape sequences': `{ session(id: "${'\\u0041'.repeat(10_000)}") { id } }`,
  'a document of comments': `${'#\n'.repeat(990)}{ viewer { id } }`,
  'invalid ids': `{ nodes(ids: [${times(100, (n) => `"${'x'.repeat(500)}${n}"`)}]) { id } }`,
  'the status reference': '{ statusCatalog { status subStatus } transitionRules { __typename } }',
};

/** Variables of `LIST` that are too large, or for which graphql-js would report one error per value. */
export const FLOODS: Record<string, Record<string, unknown>> = {
  'fifty thousand wrong enum values': { filter: { status: Array(50_000).fill('FAILD') } },
  'fifty thousand valid enum values': { filter: { status: Array(50_000).fill('FAILED') } },
  'a long wrong enum value': { filter: { status: ['A'.repeat(900_000)] } },
  'a filter of fifty thousand unknown fields': {
    filter: Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`statu${n}`, 1])),
  },
  'a filter of 1,900 unknown fields': {
    filter: Object.fromEntries(Array.from({ length: 1_900 }, (_, n) => [`statu${n}`, 1])),
  },
  '1,900 wrong enum values': { filter: { status: Array(1_900).fill('FAILD') } },
};
export const LIST = 'query ($filter: SessionFilter) { sessions(first: 1, filter: $filter) { nodes { id } } }';
