import { buildSchema, Kind, parse, Source, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { findDocumentSizeErrors } from '../../src/graphql/document-size.ts';
import { LIMITS, noIntrospectionRule, PARSE_OPTIONS } from '../../src/graphql/limits.ts';

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (levels: number) => `${'a { '.repeat(levels)}a${' }'.repeat(levels)}`;
/** Returns the error messages for a document; empty if no limit is exceeded. */
const refusalsOf = (document: string) =>
  findDocumentSizeErrors(parse(document)).map(({ message }) => message);

/**
 * For each limit: its value, a function that makes a document of a given size, and the error. A document of
 * the limit's size is accepted, one more is refused.
 */
const SIZES: Record<string, [limit: number, document: (size: number) => string, message: RegExp]> = {
  lines: [LIMITS.lines, (size) => `{ a${'\n'.repeat(size - 1)}}`, /5000 lines/],
  'lines that end with CRLF': [LIMITS.lines, (size) => `{ a${'\r\n'.repeat(size - 1)}}`, /5000 lines/],
  'lines that end with CR': [LIMITS.lines, (size) => `{ a${'\r'.repeat(size - 1)}}`, /5000 lines/],
  operations: [LIMITS.operations, (size) => times(size, (n) => `query Q${n} { a }`), /50 operations/],
  selections: [
    LIMITS.selections,
    (size) => `{ a { ${times(size - 1, (n) => `b${n}`)} } }`,
    /1000 fields and/,
  ],
  'selections in spread fragments': [
    LIMITS.selections,
    // 821 selections: `a`, and 10 times a field `d`, a spread in it and the 80 fields of the fragment.
    (size) =>
      `{ a { ${times(10, (n) => `d${n} { ...F }`)} ${times(size - 821, (n) => `b${n}`)} } } fragment F on A { ${times(80, (n) => `c${n}`)} }`,
    /1000 fields and/,
  ],
  'fields at the root': [LIMITS.rootFields, (size) => `{ ${times(size, (n) => `a${n}`)} }`, /20 root fields/],
  'fields at the root in fragments': [
    LIMITS.rootFields,
    (size) => `{ ...F ... { ${times(size - 2, (n) => `a${n}`)} } } fragment F on Query { x y }`,
    /20 root fields/,
  ],
  'levels of depth': [LIMITS.depth, (size) => `{ ${nested(size - 1)} }`, /16 levels/],
  'levels of depth after a shallow field': [
    LIMITS.depth,
    (size) => `{ b ${nested(size - 1)} c }`,
    /16 levels/,
  ],
  'levels of depth in a fragment': [
    LIMITS.depth,
    (size) => `{ a { ...F ... on A { ...F } } } fragment F on A { ${nested(size - 2)} }`,
    /16 levels/,
  ],
  aliases: [LIMITS.aliases, (size) => `{ a { ${times(size, (n) => `b${n}: c`)} } }`, /50 aliases/],
  'aliases at several levels': [
    LIMITS.aliases,
    (size) => `{ x: a { ${times(size - 1, (n) => `b${n}: c`)} } }`,
    /50 aliases/,
  ],
  directives: [LIMITS.directives, (size) => `{ a { ${times(size, (n) => `b${n} @c`)} } }`, /50 directives/],
  'directives everywhere': [
    LIMITS.directives,
    (size) =>
      `query ($v: Int @c @c) @c { ...F @c ... on Query @c { a @c } } fragment F on Query @c { x { ${times(size - 7, (n) => `b${n} @c`)} } }`,
    /50 directives/,
  ],
  '__schema fields': [
    LIMITS.schemas,
    (size) => `{ ${times(size, (n) => `a${n}: __schema { x }`)} }`,
    /1 __schema/,
  ],
  'pairs of fields with one name': [
    LIMITS.pairs,
    // 100 fields `b` make 4,950 pairs of equally named fields (100 · 99 / 2); each field `c`, written twice, makes one.
    (size) => `{ a { ${times(100, () => 'b')} ${times(size - 4950, (n) => `c${n} c${n}`)} } }`,
    /5000 pairs/,
  ],
  'pairs of fields with one alias': [
    LIMITS.pairs,
    (size) =>
      `{ a { ${times(49, (n) => `x: b${n}`)} ${times(87, () => 'b')} ${times(size - 4917, (n) => `c${n} c${n}`)} } }`,
    /5000 pairs/,
  ],
  'pairs of fragments': [
    LIMITS.pairs,
    (size) =>
      `{ a { ${times(100, (n) => `...F${n}`)} ${times(size - 4950, (n) => `c${n} c${n}`)} } } ${times(100, (n) => `fragment F${n} on A { f${n} }`)}`,
    /5000 pairs/,
  ],
  'pairs within pairs': [
    LIMITS.pairs,
    // The two fields `a` are one pair, and the 100 fields `b` below them make 4,950 pairs.
    (size) =>
      `{ x { a { ${times(50, () => 'b')} } ... { a { ${times(50, () => 'b')} ${times(size - 4951, (n) => `c${n} c${n}`)} } } } }`,
    /5000 pairs/,
  ],
  'pairs by way of fragments': [
    LIMITS.pairs,
    (size) =>
      `{ a { ...F ...F ${times(50, () => 'b')} ${times(size - 4950, (n) => `c${n} c${n}`)} } } fragment F on A { ${times(25, () => 'b')} }`,
    /5000 pairs/,
  ],
};

describe('findDocumentSizeErrors', () => {
  test.each(Object.entries(SIZES))(
    'a document with as many %s as the limit is accepted, and with one more refused',
    (_name, [limit, document, message]) => {
      expect(refusalsOf(document(limit))).toEqual([]);
      const [first, ...others] = refusalsOf(document(limit + 1));
      expect(first).toMatch(message);
      expect(others).toEqual([]);
    },
  );

  test('findDocumentSizeErrors returns one error for each exceeded limit, located at the operation that exceeds the limit', () => {
    const deep = nested(LIMITS.depth);
    const errors = findDocumentSizeErrors(
      parse(`query Small { a } query Large { ${deep} ${times(51, (n) => `b${n}: c @d`)} }`),
    );
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^An operation has at most 20 root fields: send several/),
      expect.stringMatching(/^An operation has at most 16 levels of nesting/),
      expect.stringMatching(/^An operation has at most 50 aliases/),
      expect.stringMatching(/^An operation has at most 50 directives/),
    ]);
    for (const { nodes } of errors)
      expect(nodes?.map((node) => 'name' in node && (node.name as { value: string }).value)).toEqual([
        'Large',
      ]);
  });

  test('findDocumentSizeErrors measures a fragment that no operation spreads, but does not count its fields as root fields', () => {
    expect(refusalsOf(`{ a } fragment F on A { ${nested(LIMITS.depth)} }`)).toEqual([
      expect.stringMatching(/16 levels/),
    ]);
    expect(refusalsOf(`{ a } fragment F on A { ${times(30, (n) => `b${n}`)} }`)).toEqual([]);
  });

  test('findDocumentSizeErrors returns at most ten errors', () => {
    const deep = `{ ${nested(LIMITS.depth)} }`;
    expect(refusalsOf(times(11, (n) => `query Q${n} ${deep}`))).toHaveLength(LIMITS.errors);
  });

  test('a fragment that spreads itself, directly or through others, is refused', () => {
    for (const document of [
      '{ ...F } fragment F on Q { ...F }',
      '{ ...F } fragment F on Q { a { ...G } } fragment G on Q { ... { ...F } }',
    ])
      expect(refusalsOf(document)).toEqual([
        'Fragment "F" spreads itself, directly or through other fragments: remove the cycle.',
      ]);
    const [error] = findDocumentSizeErrors(parse('{ ...F } fragment F on Q { ...F }'));
    expect(error?.nodes).toMatchObject([{ kind: Kind.FRAGMENT_DEFINITION }]);
    expect(refusalsOf('{ ...F ...F } fragment F on Q { a ...G } fragment G on Q { b }')).toEqual([]);
  });

  test('findDocumentSizeErrors counts the spread of a missing fragment as one selection', () => {
    expect(refusalsOf('{ ...Missing }')).toEqual([]);
  });

  test('findDocumentSizeErrors measures 60 fragments that each spread the next one twice in less than a second, not in exponential time', () => {
    const doubling = times(60, (n) => `fragment F${n} on Q { ...F${n + 1} ...F${n + 1} }`);
    const since = performance.now();
    expect(refusalsOf(`{ ...F0 } ${doubling} fragment F60 on Q { a }`)[0]).toMatch(/1000 fields and/);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  test('findDocumentSizeErrors counts a document that was parsed without its source text as one line', () => {
    expect(findDocumentSizeErrors(parse(new Source('{ a }'), { noLocation: true }))).toEqual([]);
  });

  test('findDocumentSizeErrors throws an internal error (a bug) instead of returning the error as an exceeded limit', () => {
    expect(() =>
      findDocumentSizeErrors({
        kind: Kind.DOCUMENT,
        definitions: [
          {
            kind: Kind.OPERATION_DEFINITION,
            get selectionSet(): never {
              throw new TypeError('broken');
            },
          },
        ],
      } as never),
    ).toThrow('broken');
  });
});

describe('limits of GraphQL documents', () => {
  test('PARSE_OPTIONS make the parser stop at 2,000 tokens, 1,000 comments and 65,536 characters', () => {
    const tokens = (count: number) => `{ ${times(count - 2, () => 'a')} }`;
    expect(() => parse(tokens(2_000), PARSE_OPTIONS)).not.toThrow();
    expect(() => parse(tokens(2_001), PARSE_OPTIONS)).toThrow();
    expect(PARSE_OPTIONS).toMatchObject({ maxComments: 1_000, maxSourceLength: 65_536 });
  });

  test('if introspection is off, __schema and __type are refused, but not __typename', () => {
    const schema = buildSchema('type Query { a: Int }');
    const errors = (document: string) => validate(schema, parse(document), [noIntrospectionRule]);
    expect(errors('{ a __typename }')).toEqual([]);
    for (const document of ['{ __schema { description } }', '{ __type(name: "Query") { name } }'])
      expect(errors(document)).toMatchObject([
        { message: expect.stringMatching(/^Introspection is disabled/), nodes: [{ kind: Kind.FIELD }] },
      ]);
  });
});
