/** Attacks with values nested so deeply that a recursive function overflows the stack. */
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const DEPTHS = [100, 500, 990, 1_500, 5_000, 30_000, 60_000];
const NESTINGS = {
  lists: (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`,
  objects: (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
};

test.each(Object.entries(NESTINGS))(
  'a document or a request body with deeply nested %s gets a client error at every depth, never an internal error',
  async (_name, nest) => {
    const gateway = await bootGateway({ bothWays: false });
    const post = (body: string) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    for (const depth of DEPTHS) {
      const value = nest(depth);
      const literal = value.replaceAll('"', '');
      const bodies = [
        JSON.stringify({ query: `{ nodes(ids: ${literal}) { id } }` }),
        JSON.stringify({
          query: `query ($a: ${'['.repeat(depth)}ID${']'.repeat(depth)}) { nodes(ids: $a) { id } }`,
        }),
        `{"query":"query ($ids: [ID!]!) { nodes(ids: $ids) { id } }","variables":{"ids":${value}}}`,
        `{"query":"{ viewer { id } }","extensions":{"ids":${value}}}`,
        `{"query":"{ viewer { id } }","variables":${value}}`,
        value,
      ];
      for (const [index, body] of bodies.entries()) {
        const answer = await (await post(body)).text();
        expect(answer, `${index}, depth ${depth}`).not.toContain('INTERNAL_SERVER_ERROR');
      }
    }
    expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
  },
);
