import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const SECRET = 'a secret of the tests that is long enough';
const sign = (claims: object, secret = SECRET, expires = '1h') =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('in development a request without a token acts as ADMIN, and /dev/token issues tokens for other roles', async () => {
  const gateway = await bootGateway();

  expect((await gateway.graphql('{ viewer { id roles expiresAt } }')).data.viewer).toEqual({
    id: 'developer',
    roles: ['ADMIN'],
    expiresAt: null,
  });
  const token = await gateway.token({ sub: 'ravi', roles: ['AGENT'] });
  expect((await gateway.graphql('{ viewer { id roles } }', {}, bearer(token))).data.viewer).toEqual({
    id: 'ravi',
    roles: ['AGENT'],
  });
});

test('a development token is accepted after a restart, and expires after the requested time', async () => {
  const requestToken = async ({ url }: { url: string }, more: object) => {
    const response = await fetch(`${url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'ravi', roles: ['AGENT'], ...more }),
    });
    return { status: response.status, body: (await response.json()) as { token: string } };
  };
  const before = await bootGateway();
  const { token } = (await requestToken(before, { expiresIn: 600 })).body;
  for (const expiresIn of [0, -1, 1.5, '600', 31 * 86_400])
    expect((await requestToken(before, { expiresIn })).status, String(expiresIn)).toBe(400);
  await before.stop();
  const after = await bootGateway({ database: before.databaseUrl });

  const { data } = await after.graphql('{ viewer { id expiresAt } }', {}, bearer(token));

  expect(data.viewer.id).toBe('ravi');
  const secondsLeft = (Date.parse(data.viewer.expiresAt) - Date.now()) / 1000;
  expect(secondsLeft).toBeGreaterThan(500);
  expect(secondsLeft).toBeLessThanOrEqual(600);
});

test('with AUTH_SECRET set, only valid tokens of that secret and issuer are accepted', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET, AUTH_ISSUER: 'bank' } });
  const answer = async (token?: string) =>
    gateway.graphql('{ viewer { id } }', {}, token ? bearer(token) : {});

  expect(await answer(await sign({ sub: 'ravi', roles: ['VIEWER'], iss: 'bank' }))).toMatchObject({
    status: 200,
    data: { viewer: { id: 'ravi' } },
  });
  for (const token of [
    undefined,
    'nonsense',
    await sign({ sub: 'ravi', iss: 'bank' }, 'another secret that is long enough'),
    await sign({ sub: 'ravi', iss: 'other' }),
    await sign({ sub: 'ravi', iss: 'bank' }, SECRET, '-5m'),
  ]) {
    expect(await answer(token)).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  }
  expect((await fetch(`${gateway.url}/dev/token`, { method: 'POST' })).status).toBe(404);
});

test('a VIEWER may not start sessions and sees no personal data but a masked phone', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('roles.1');
  const viewer = bearer(await gateway.token({ sub: 'vera', roles: ['VIEWER'] }));

  const refused = await gateway.graphql(
    'mutation { startSession(input: { verificationId: "x", user: {} }) { __typename } }',
    {},
    viewer,
  );
  const seen = await gateway.graphql(
    'query ($id: ID!) { session(id: $id) { link user { phone name } } }',
    { id },
    viewer,
  );

  expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  expect(seen.data.session).toEqual({ link: null, user: { phone: '••••••6655', name: null } });
});

test('a customer sees their own sessions and no other sessions, in queries and subscriptions', async () => {
  const gateway = await bootGateway();
  const mine = await gateway.start('mine.1');
  const theirs = await gateway.start('theirs.1', { user: { phone: '9988776644' } });
  const token = await gateway.token({ sub: 'asha', roles: ['CUSTOMER'], verification_ids: ['mine.1'] });
  const { data } = await gateway.graphql(
    'query ($mine: ID!, $theirs: ID!) { mine: session(id: $mine) { id } theirs: session(id: $theirs) { id } sessions(first: 9) { totalCount } }',
    { mine: mine.id, theirs: theirs.id },
    bearer(token),
  );
  expect(data).toEqual({ mine: { id: mine.id }, theirs: null, sessions: { totalCount: 1 } });

  const feed = gateway.subscribe(
    'subscription ($after: String) { statusTransitions(after: $after) { session { id } } }',
    { after: mine.startCursor },
    bearer(token),
  );
  await gateway.advance('theirs.1', 1);
  await gateway.advance('mine.1', 1);
  expect((await feed.take(2)).map((each) => each.session.id)).toEqual([mine.id, mine.id]);
  const refused = gateway.subscribe(
    'subscription ($id: ID) { statusTransitions(sessionId: $id) { sequence } }',
    { id: theirs.id },
    bearer(token),
  );
  await expect(refused.next()).rejects.toThrow('or you may not see it');
});

test('a CUSTOMER who is also a VIEWER sees of foreign sessions only what a VIEWER sees', async () => {
  const gateway = await bootGateway();
  const mine = await gateway.start('mine.2');
  const theirs = await gateway.start('theirs.2', { user: { phone: '9988776644', name: 'Somebody Else' } });
  const claims = { sub: 'asha', roles: ['CUSTOMER', 'VIEWER'], verification_ids: ['mine.2'] };
  const both = bearer(await gateway.token(claims));
  const look = async (id: string) => {
    const query = 'query ($id: ID!) { session(id: $id) { link availableActions user { phone name } } }';
    return (await gateway.graphql(query, { id }, both)).data.session;
  };

  expect(await look(theirs.id)).toEqual({
    link: null,
    availableActions: [],
    user: { phone: '••••••6644', name: null },
  });
  expect(await look(mine.id)).toMatchObject({ link: expect.stringContaining('https://') });
  expect((await look(mine.id)).availableActions).toContain('SCHEDULE_MEETING');
});

test('personal data cannot be selected in subscriptions, even by an ADMIN', async () => {
  const gateway = await bootGateway();
  const { id, startCursor } = await gateway.start('frames.1');
  const watch = (field: string) =>
    gateway.subscribe(
      `subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { session { ${field} } } }`,
      { id, after: startCursor },
    );

  for (const field of ['link', 'user { phone }', 'user { name }', 'user { email }']) {
    await expect(watch(field).next()).rejects.toThrow('Personal data cannot be selected in subscriptions');
  }
});
