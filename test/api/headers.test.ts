import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

test('every answer tells browsers to do nothing with it but read it, refusals and streams as well', async () => {
  const gateway = await bootGateway();
  const post = (path: string) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { id } }' }),
    });

  for (const response of [
    await post('/graphql'),
    await post('/graphql/stream'),
    await post('/webhooks/cashfree'),
    await fetch(`${gateway.url}/healthz`),
    await fetch(`${gateway.url}/nothing`),
  ]) {
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('x-powered-by')).toBeNull();
    await response.body?.cancel();
  }
});

test('GraphiQL may load nothing from elsewhere, and be framed by nobody', async () => {
  const gateway = await bootGateway();
  const { headers } = await fetch(`${gateway.url}/graphiql`);
  const policy = headers.get('content-security-policy') ?? '';

  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/https?:|\*/);
});
