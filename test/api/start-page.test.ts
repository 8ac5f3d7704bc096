import { buildSchema, printSchema } from 'graphql';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { bootGateway } from '../harness/gateway.ts';

const AUTH_SECRET = 'a secret of the tests that is long enough';

test('the page at / links only to pages that are served, and may load and run nothing', async () => {
  const gateway = await bootGateway();

  const response = await fetch(gateway.url);
  const page = await response.text();
  const links = [...page.matchAll(/href="([^"]+)"/g)].map(
    ([, href]) => new URL(href as string, gateway.url).href,
  );

  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(page).not.toContain('<script');
  expect(links).toHaveLength(5);
  for (const link of links) {
    const { status, body } = await fetch(link);
    await body?.cancel();
    expect(status, link).toBe(200);
  }
});

test('/schema.graphql is the schema of this gateway, and a development page on another port may read it', async () => {
  const gateway = await bootGateway();
  const origin = 'http://localhost:5173';

  const response = await fetch(`${gateway.url}/schema.graphql`, { headers: { origin } });

  expect(response.headers.get('access-control-allow-origin')).toBe(origin);
  expect(printSchema(buildSchema(await response.text()))).toBe(printSchema(getSchema()));
});

test('with sign-in, /schema.graphql requires a token', async () => {
  const gateway = await bootGateway({ environment: { AUTH_SECRET } });
  const token = await new SignJWT({ roles: ['VIEWER'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('vera')
    .setExpirationTime('1h')
    .sign(Buffer.from(AUTH_SECRET));
  const authorization = `Bearer ${token}`;

  const without = await fetch(`${gateway.url}/schema.graphql`);
  const signedIn = await fetch(`${gateway.url}/schema.graphql`, { headers: { authorization } });

  expect(without.status).toBe(401);
  expect(await without.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  expect(signedIn.status).toBe(200);
});

test('without introspection, neither / nor /schema.graphql is served', async () => {
  const gateway = await bootGateway({ environment: { INTROSPECTION: '0' } });

  for (const path of ['/', '/schema.graphql'])
    expect((await fetch(gateway.url + path)).status, path).toBe(404);
});
