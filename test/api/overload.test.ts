import { expect, test } from 'vitest';
import { atTheEnd, bootGateway } from '../harness/gateway.ts';
import { isClean, TRANSPORTS } from '../harness/transports.ts';

const PAGE = '{ sessions(first: 9) { nodes { id } } }';
const COST_OF_PAGE = 10;

test('an operation that exceeds the time limit gets TIMEOUT on every transport, and other requests are answered', async () => {
  const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '2' } });
  await gateway.start('late.happy-path');
  const feed = gateway.subscribe('subscription { statusTransitions { sequence } }');
  const next = feed.next();
  const blocker = await gateway.database.connect();
  await blocker.query('begin; lock table vkyc_session in access exclusive mode');
  atTheEnd(async () => blocker.release());

  const answers = await Promise.all(Object.values(TRANSPORTS).map((send) => send(gateway, { query: PAGE })));
  const meanwhile = await gateway.graphql('{ viewer { id } }');
  await blocker.query('rollback');
  await gateway.advance('late.happy-path');

  for (const { errors, text, data } of answers) {
    expect(errors).toMatchObject([
      { message: expect.stringContaining('longer than 2 s'), extensions: { code: 'TIMEOUT' } },
    ]);
    expect(data).toBeNull();
    expect(isClean(text)).toBe(true);
  }
  expect(answers.map(({ status }) => status)).toEqual([503, 200, null]);
  expect(meanwhile.data.viewer.id).toBe('developer');
  // The subscription is still open: the time limit of operations does not apply to subscriptions.
  expect(await next).toEqual({ sequence: 2 });
});

test('a gateway starts with the longest time limit that the settings allow', async () => {
  const gateway = await bootGateway({ environment: { REQUEST_SECONDS: '600' } });

  expect(await gateway.graphql('{ viewer { id } }')).toMatchObject({ data: { viewer: { id: 'developer' } } });
});

test('a caller that has used up its cost budget is rate-limited on all transports, and other callers are not', async () => {
  const gateway = await bootGateway({
    environment: { RATE_LIMIT_COST_PER_MINUTE: String(3 * COST_OF_PAGE) },
  });
  const as = async (sub: string) => `Bearer ${await gateway.token({ sub, roles: ['VIEWER'] })}`;
  const [asha, ravi] = [await as('asha'), await as('ravi')];

  for (const send of Object.values(TRANSPORTS))
    expect((await send(gateway, { query: PAGE }, asha)).errors).toEqual([]);
  for (const send of Object.values(TRANSPORTS)) {
    const [error] = (await send(gateway, { query: PAGE }, asha)).errors;
    expect(error).toMatchObject({
      message: expect.stringContaining('try again in'),
      extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) },
    });
    expect(error?.extensions).not.toHaveProperty('http');
    expect((await send(gateway, { query: '{ viewer { id } }' }, ravi)).data.viewer.id).toBe('ravi');
  }

  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: asha },
    body: JSON.stringify({ query: PAGE }),
  });
  expect(response.status).toBe(429);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('with a cost budget of 0, callers are not rate-limited', async () => {
  const gateway = await bootGateway({ environment: { RATE_LIMIT_COST_PER_MINUTE: '0' } });
  const query = '{ sessions(first: 100) { nodes { transitions(first: 100) { nodes { sequence } } } } }';

  for (let round = 0; round < 12; round += 1)
    expect((await TRANSPORTS.HTTP(gateway, { query })).errors).toEqual([]);
});
