import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { bootGateway, PRODUCTION } from '../harness/gateway.ts';
import { TRANSPORTS } from '../harness/transports.ts';

const TOKEN = await new SignJWT({ sub: 'ravi', roles: ['ADMIN'] })
  .setProtectedHeader({ alg: 'HS256' })
  .setIssuer(PRODUCTION.AUTH_ISSUER)
  .setAudience(PRODUCTION.AUTH_AUDIENCE)
  .setExpirationTime('1h')
  .sign(new TextEncoder().encode(PRODUCTION.AUTH_SECRET));
const EXPLORING = ['{ __schema { queryType { name } } }', '{ __type(name: "Query") { name } }'];
const MISSPELT = [
  '{ sesions(first: 1) { nodes { id } } }',
  '{ sessions(frist: 1) { nodes { id } } }',
  '{ sessions(first: 1, filter: { status: [FAILD] }) { nodes { id } } }',
  '{ viewer { ... on Viewr { id } } }',
];

for (const [transport, send] of Object.entries(TRANSPORTS)) {
  test(`${transport}: in production introspection, suggestions and GraphiQL are off unless INTROSPECTION is set`, async () => {
    const closed = await bootGateway({ environment: PRODUCTION });
    const open = await bootGateway({ environment: { ...PRODUCTION, INTROSPECTION: '1' } });
    const ask = (gateway: typeof closed, query: string) => send(gateway, { query }, `Bearer ${TOKEN}`);

    for (const query of EXPLORING) {
      expect((await ask(closed, query)).errors).toMatchObject([
        {
          message: expect.stringContaining('Introspection is disabled'),
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        },
      ]);
      expect((await ask(open, query)).errors).toEqual([]);
    }
    for (const query of MISSPELT) {
      const { errors, text } = await ask(closed, query);
      expect(errors).toHaveLength(1);
      expect(text).not.toContain('Did you mean');
      expect((await ask(open, query)).text).toContain('Did you mean');
    }
    expect((await ask(closed, '{ __typename viewer { __typename id } }')).data.viewer.id).toBe('ravi');
    expect((await fetch(`${closed.url}/graphiql`)).status).toBe(404);
    expect((await fetch(`${open.url}/graphiql`)).status).toBe(200);
  });
}

test('in production the error for an invalid enum value in a variable suggests no other value', async () => {
  const closed = await bootGateway({ environment: PRODUCTION });
  const query =
    'query ($status: [Status!]) { sessions(first: 1, filter: { status: $status }) { nodes { id } } }';

  for (const send of Object.values(TRANSPORTS)) {
    const { errors, text } = await send(
      closed,
      { query, variables: { status: ['FAILD'] } },
      `Bearer ${TOKEN}`,
    );
    expect(errors).toHaveLength(1);
    expect(text).not.toContain('Did you mean');
  }
});
