/** Operations that select a field several times or in fragments: GraphQL merges the selections into one result. */
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const gateway = await bootGateway();
const { id } = await gateway.start('merged.awaits-review');

/** Operations whose fields are repeated or split into fragments, each with an equivalent that selects them once. */
const SAME: Record<string, [whole: string, parts: string]> = {
  'a field that is repeated': [
    '{ session(id: $id) { id link } }',
    '{ session(id: $id) { id } session(id: $id) { link } }',
  ],
  'a field of a fragment at the root': [
    '{ session(id: $id) { id link user { phone } } }',
    '{ session(id: $id) { id } ...B } fragment B on Query { session(id: $id) { link user { phone } } }',
  ],
  'entries of a list in two places': [
    '{ sessions(first: 1) { nodes { id verificationId link } } }',
    '{ sessions(first: 1) { nodes { id } } ... on Query { sessions(first: 1) { nodes { verificationId link } } } }',
  ],
  'nodes and edges of one list': [
    '{ sessions(first: 1) { nodes { id } edges { node { link } } } }',
    '{ sessions(first: 1) { nodes { id } } sessions(first: 1) { edges { node { link } } } }',
  ],
  'transitions of a session': [
    '{ session(id: $id) { transitions(first: 1) { nodes { sequence statusInfo { explanation } rawStatus } } } }',
    '{ session(id: $id) { transitions(first: 1) { nodes { sequence } } } ...B } fragment B on Query { session(id: $id) { transitions(first: 1) { nodes { rawStatus } nodes { statusInfo { explanation } } } } }',
  ],
};

const withId = (text: string) => text.replaceAll('$id', JSON.stringify(id));

for (const [transport, send] of Object.entries(TRANSPORTS))
  test.each(Object.entries(SAME))(
    `${transport}: %s has the same result as the operation that selects each field once`,
    async (_name, [whole, dependencies]) => {
      const [expected, first, second] = [
        await send(gateway, { query: withId(whole) }),
        await send(gateway, { query: withId(dependencies) }),
        // graphql-js executes the first use of an operation; graphql-jit compiles and executes the second.
        await send(gateway, { query: withId(dependencies) }),
      ];

      expect(expected.errors).toEqual([]);
      expect(JSON.stringify(expected.data)).not.toContain('null');
      expect([first, second].map(({ data, errors }) => ({ data, errors }))).toEqual([
        { data: expected.data, errors: [] },
        { data: expected.data, errors: [] },
      ]);
    },
  );

/**
 * Marker of graphql-jit, which compiles a constant with this prefix to `new Date(…)`, with the rest as code. A client
 * must not be able to inject code by a text with the marker.
 */
const DATE_MARK = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';

test.each([
  `${DATE_MARK}globalThis.compiledAndRun = true`,
  '__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8',
])(
  'a text that contains a marker of graphql-jit (%s) is treated as plain text, compiled or not',
  async (text) => {
    const query = `query { sessionByVerificationId(verificationId: ${JSON.stringify(text)}) { id } }`;
    const answers = [];
    for (let use = 0; use < 3; use += 1) answers.push(await TRANSPORTS.HTTP(gateway, { query }));

    for (const { data, errors } of answers)
      expect([data, errors]).toEqual([{ sessionByVerificationId: null }, []]);
    expect(globalThis).not.toHaveProperty('compiledAndRun');
  },
);
