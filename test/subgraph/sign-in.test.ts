/** Sign-in as GraphQL routers pass it on, and what they may cache. */
import { describe, expect, test } from 'vitest';
import { arrive } from '../harness/arrivals.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

const issue = async (gateway: Gateway, sub: string) =>
  `Bearer ${await gateway.token({ sub, roles: ['VIEWER'] })}`;

describe('the WebSocket of a router', () => {
  test.each([
    [
      'Apollo Router (the client’s Authorization header as connectionParams.token)',
      (authorization: string) => ({ params: { connectionParams: { token: authorization } } }),
    ],
    [
      'Apollo Router with connection parameters of its own',
      (authorization: string) => ({ params: { connectionParams: { authorization } } }),
    ],
    ['Hive Gateway (payload)', (authorization: string) => ({ params: { Authorization: authorization } })],
    [
      'Cosmo Router and Hive Router (header of the upgrade request, no payload)',
      (authorization: string) => ({ headers: { authorization } }),
    ],
  ])('%s signs in the user whom the token names', async (_router, toWay) => {
    const gateway = await bootGateway({ bothWays: false });

    const { answers } = await arrive(gateway, toWay(await issue(gateway, 'ravi')));

    expect(answers.WebSocket).toBe('ravi');
  });

  test('the payload takes precedence over the header of the upgrade request', async () => {
    const gateway = await bootGateway({ bothWays: false });
    const { answers } = await arrive(gateway, {
      headers: { authorization: await issue(gateway, 'router') },
      params: { authorization: await issue(gateway, 'ravi') },
    });

    expect(answers.WebSocket).toBe('ravi');
  });

  test('a bad token is refused in each of these places, also in development', async () => {
    const gateway = await bootGateway({ bothWays: false });
    for (const way of [
      { params: { connectionParams: { token: 'Bearer nonsense' } } },
      { params: { connectionParams: { authorization: 7 } } },
      { headers: { authorization: 'Bearer nonsense' } },
      { headers: { authorization: [await issue(gateway, 'ravi'), await issue(gateway, 'asha')] } },
    ])
      expect((await arrive(gateway, way)).answers.WebSocket).toBe('4403');
  });
});

test('no shared cache may store answers: HTTP and event streams have Cache-Control: private, no-store', async () => {
  const gateway = await bootGateway({ environment: { SUBGRAPH: '1' }, bothWays: false });
  for (const path of ['/graphql', '/graphql/stream']) {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _entities(representations: []) { __typename } }' }),
    });
    await response.text();
    expect([path, response.headers.get('cache-control')]).toEqual([
      path,
      expect.stringMatching(/^private, no-store\b/),
    ]);
  }
});
