import { getIntrospectionQuery } from 'graphql';
import { expect, test } from 'vitest';
import { GRAPHIQL_EXAMPLES } from '../../src/http/graphiql-examples.ts';
import { bootGateway } from '../harness/gateway.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const gateway = await bootGateway();
const nested = (levels: number) => `${'replaces { '.repeat(levels)}id${' }'.repeat(levels)}`;
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const AT_THE_LIMIT = {
  depth: [`{ session(id: "x") { ${nested(14)} } }`, `{ session(id: "x") { ${nested(15)} } }`],
  'depth within a fragment': [
    `{ session(id: "x") { ...F } } fragment F on VkycSession { ${nested(14)} }`,
    `{ session(id: "x") { ...F } } fragment F on VkycSession { ${nested(15)} }`,
  ],
  aliases: [
    `{ viewer { ${times(50, (n) => `a${n}: id`)} } }`,
    `{ viewer { ${times(51, (n) => `a${n}: id`)} } }`,
  ],
  'aliases in a fragment that is spread often': [
    `{ viewer { ...F } } fragment F on Viewer { ${times(10, (n) => `a${n}: id`)} }`,
    `{ viewer { ${times(6, () => '...F')} } } fragment F on Viewer { ${times(10, (n) => `a${n}: id`)} }`,
  ],
  directives: [
    `{ viewer { ${times(50, () => 'id @include(if: true)')} } }`,
    `{ viewer { ${times(51, () => 'id @include(if: true)')} } }`,
  ],
  'root fields': [
    `{ ${times(20, (n) => `a${n}: feedCursor`)} }`,
    `{ ${times(21, (n) => `a${n}: feedCursor`)} }`,
  ],
  tokens: [
    `{ sessions(first: 1, filter: { status: [${times(1_978, () => 'FAILED')}] }) { nodes { id } } }`,
    `{ sessions(first: 1, filter: { status: [${times(1_979, () => 'FAILED')}] }) { nodes { id } } }`,
  ],
  cost: [
    '{ sessions(first: 100) { nodes { transitions(first: 100) { edges { node { sequence statusInfo { status } } } } } } }',
    '{ sessions(first: 100) { nodes { user { sessions(first: 100) { nodes { user { userId } } } } meetings(first: 100) { nodes { id } } } } }',
  ],
} as const;

for (const [transport, send] of Object.entries(TRANSPORTS))
  test.each(Object.entries(AT_THE_LIMIT))(
    `${transport}: an operation at a limit is accepted, and an operation beyond the limit is refused: %s`,
    async (_what, [within, beyond]) => {
      const served = await send(gateway, { query: within });
      const refused = await send(gateway, { query: beyond });

      expect(served.errors.map(({ extensions }) => extensions.code)).toEqual(
        within.includes('"x"') ? ['BAD_USER_INPUT'] : [],
      );
      expect(refused.errors).toHaveLength(1);
      expect(refused.errors[0]).toMatchObject({
        message: expect.stringMatching(/at most|more that|the limit is/),
        extensions: {
          code: expect.stringMatching(/^(GRAPHQL_(PARSE|VALIDATION)_FAILED|QUERY_TOO_COMPLEX)$/),
        },
      });
    },
  );

test('every HTTP response reports its cost: a page costs as much as its entries, also with a variable page size', async () => {
  const costOf = async (query: string, variables = {}) => {
    const answer = await TRANSPORTS.HTTP(gateway, { query, variables });
    return JSON.parse(answer.text).extensions.cost;
  };
  const page =
    'query ($n: Int = 7) { sessions(first: $n) { nodes { transitions(last: 5) { nodes { sequence } } } } }';

  expect(await costOf('{ feedCursor }')).toEqual({ requested: 1, maximum: 25_000 });
  expect(await costOf(page)).toEqual({ requested: 1 + 7 * (1 + 1 + 5), maximum: 25_000 });
  expect(await costOf(page, { n: 100 })).toEqual({ requested: 1 + 100 * (1 + 1 + 5), maximum: 25_000 });
  expect(
    (
      await costOf(
        page
          .replaceAll('nodes { transitions', 'edges { node { transitions')
          .replace(' } } } }', ' } } } } }'),
      )
    ).requested,
  ).toBe(50);
});

test('fields about a whole list (totalCount) cost the same for every page size, also within a fragment', async () => {
  const costOf = async (query: string) =>
    JSON.parse((await TRANSPORTS.HTTP(gateway, { query })).text).extensions.cost.requested;

  expect(await costOf('{ sessions(first: 100) { totalCount nodes { id } } }')).toBe(1 + 10 + 100);
  expect(
    await costOf(
      '{ sessions(first: 100) { ...C } } fragment C on VkycSessionConnection { totalCount nodes { user { sessions(first: 2) { totalCount } } } }',
    ),
  ).toBe(1 + 10 + 100 * (1 + 1 + (1 + 10)));
});

test('the cost of sessionStats depends on the selected fields and on whether ended sessions must be counted', async () => {
  const costOf = async (selection: string, given = '', variables = {}) => {
    const query = `query ($openOnly: Boolean! = true) { sessionStats${given} { ${selection} } viewer @skip(if: $openOnly) { id } }`;
    const answer = await TRANSPORTS.HTTP(gateway, { query, variables });
    return JSON.parse(answer.text).extensions.cost.requested;
  };

  const others = 1 + 1;
  expect(await costOf('byStatus { count }')).toBe(others + 20 * 20);
  expect(await costOf('funnel { reached }')).toBe(others + 20 * 50);
  expect(await costOf('funnel { reached medianSecondsSpent }')).toBe(others + 20 * (50 + 50));
  expect(await costOf('byStatus { count }', '(openOnly: true)')).toBe(others + 20);
  expect(await costOf('byStatus { count }', '(openOnly: false)')).toBe(others + 20 * 20);
  expect(await costOf('byStatus { count }', '(openOnly: $openOnly)')).toBe(others + 20);
  expect(await costOf('byStatus { count }', '(openOnly: $openOnly)', { openOnly: false })).toBe(
    others + 20 * 20,
  );
});

test('an operation that selects sessionStats twice, by aliases or in fragments, is refused unless both selections merge', async () => {
  const codeOf = async (query: string) =>
    (await TRANSPORTS.HTTP(gateway, { query })).errors[0]?.extensions.code;

  expect(
    await codeOf('{ sessionStats { total } ...More } fragment More on Query { sessionStats { total } }'),
  ).toBe(undefined);
  for (const query of [
    '{ sessionStats { total } other: sessionStats(openOnly: true) { total } }',
    '{ sessionStats { total } ...More } fragment More on Query { other: sessionStats { total } }',
    '{ ... on Query { a: sessionStats { total } } ... on Query { b: sessionStats { total } } }',
  ])
    expect(await codeOf(query), query).toBe('GRAPHQL_VALIDATION_FAILED');
});

test('fragments that expand exponentially are refused within a second', async () => {
  const bomb = `{ session(id: "x") { ...F0 } } ${times(14, (n) => `fragment F${n} on VkycSession { replaces { ...F${n + 1} } replacedBy { ...F${n + 1} } }`)} fragment F14 on VkycSession { id }`;
  const since = performance.now();

  const { errors } = await TRANSPORTS.HTTP(gateway, { query: bomb });

  expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect(performance.now() - since).toBeLessThan(1_000);
});

test('introspection and the GraphiQL query examples stay within the limits', async () => {
  const everything = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });
  for (const send of Object.values(TRANSPORTS)) {
    expect((await send(gateway, { query: everything })).errors).toEqual([]);
    for (const { query } of GRAPHIQL_EXAMPLES.filter((example) =>
      /^query (Sessions|Stats)/m.test(example.query),
    ))
      expect((await send(gateway, { query })).errors).toEqual([]);
  }
});
