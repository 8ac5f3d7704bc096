/**
 * Executes random queries of the schema by graphql-jit and by graphql-js, and compares the results (see
 * both-ways.ts). The environment variables QUERY_SEED and QUERIES set the random seed and the number of queries.
 */
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';
import { chanceOf, type Made, madeQuery, split, wantedOf, whole } from '../harness/made-documents.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const SEED = Number(process.env.QUERY_SEED ?? 1);
const QUERIES = Number(process.env.QUERIES ?? 60);

const gateway = await bootGateway({ bothWays: true });
const { id, startCursor } = await gateway.start('made.awaits-review');
await gateway.advance('made.awaits-review');
const given = {
  id,
  sessionId: id,
  ids: [id],
  verificationId: 'made.awaits-review',
  first: 2,
  after: startCursor,
};
const send = ({ query, variables }: Made) => TRANSPORTS.HTTP(gateway, { query, variables });
const isFault = ({ text }: { text: string }) => text.includes('INTERNAL_SERVER_ERROR');

test('random queries have the same result by graphql-jit and by graphql-js, and never an internal error', {
  timeout: 120_000,
}, async () => {
  const chance = chanceOf(SEED);
  const faults: Made[] = [];
  let answered = 0;
  for (let made = 0; made < QUERIES; made += 1) {
    const query = madeQuery(chance, given);
    const outcome = await send(query);
    if (isFault(outcome)) faults.push(query);
    if (outcome.data !== null) answered += 1;
  }

  expect(faults, `QUERY_SEED=${SEED}`).toEqual([]);
  expect(answered).toBeGreaterThan(QUERIES / 20);
});

test('a random operation split into fragments and repeated fields has the same result as the unsplit operation', {
  timeout: 120_000,
}, async () => {
  const chance = chanceOf(SEED + 1);
  let compared = 0;
  for (let made = 0; made < QUERIES / 2; made += 1) {
    // Leaves out statistics, whose values depend on the time of the query.
    const wanted = wantedOf('Query', 3, { chance, given }).filter(
      ({ call }) => !call.startsWith('sessionStats'),
    );
    if (wanted.length === 0) continue;
    const expected = await send({ query: `{ ${whole(wanted)} }`, variables: {} });
    if (expected.errors.length > 0) continue;
    const fragments: string[] = [];
    const selection = split(wanted, 'Query', chance, fragments);
    const query = `{ ${selection} } ${fragments.join(' ')}`;
    const found = await send({ query, variables: {} });
    // Skips an operation that exceeds the limits of a request only because it was split.
    if (found.errors.some(({ extensions }) => extensions.code === 'GRAPHQL_VALIDATION_FAILED')) continue;
    compared += 1;
    expect(found.errors, `QUERY_SEED=${SEED}: ${query}`).toEqual([]);
    expect(found.data, `QUERY_SEED=${SEED}: ${query}`).toEqual(expected.data);
  }

  expect(compared).toBeGreaterThan(QUERIES / 20);
});
