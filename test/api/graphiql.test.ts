import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { GRAPHIQL_EXAMPLES } from '../../src/http/graphiql-examples.ts';
import { bootGateway } from '../harness/gateway.ts';

test('every example in GraphiQL is a valid operation, and its variables are JSON', () => {
  for (const { query, variables } of GRAPHIQL_EXAMPLES) {
    expect(validate(getSchema(), parse(query))).toEqual([]);
    if (variables) expect(JSON.parse(variables)).toBeTypeOf('object');
  }
});

test('an unchanged GraphiQL page is answered with 304 if the request has its ETag', async () => {
  const gateway = await bootGateway();
  const first = await fetch(`${gateway.url}/graphiql`);
  await first.body?.cancel();
  const again = await fetch(`${gateway.url}/graphiql`, {
    headers: { 'if-none-match': first.headers.get('etag') ?? '' },
  });

  expect(first.headers.get('cache-control')).toBe('private, no-cache');
  expect(again.status).toBe(304);
});
