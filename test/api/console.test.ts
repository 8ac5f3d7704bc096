import { expect, test } from 'vitest';
import { SCENARIOS } from '../../src/sandbox/scenarios.ts';
import { bootGateway, PRODUCTION } from '../harness/gateway.ts';

const setupOf = (page: string) => JSON.parse(page.match(/id="setup">(.*?)<\/script>/)?.[1] ?? 'null');

test('the console serves one page at all its paths, and its CSP allows only its own scripts and styles', async () => {
  const gateway = await bootGateway();
  const [page, deeper] = await Promise.all(
    ['/console', '/console/sessions/any'].map(async (path) => {
      const response = await fetch(gateway.url + path);
      return { status: response.status, headers: response.headers, text: await response.text() };
    }),
  );
  const assets = [...(page?.text.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g) ?? [])].map(
    ([, path]) => path as string,
  );

  expect([page?.status, deeper?.status]).toEqual([200, 200]);
  const policy = page?.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w-]{22}';/);
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(page?.text).toContain(`nonce="${policy.match(/nonce-([\w-]+)/)?.[1]}"`);
  expect(deeper?.headers.get('content-security-policy')).not.toBe(policy);
  expect(page?.headers.get('cache-control')).toBe('no-store');
  expect(assets.length).toBeGreaterThan(1);
  for (const asset of assets) {
    const response = await fetch(gateway.url + asset, { headers: { 'accept-encoding': 'br' } });
    expect([response.status, response.headers.get('cache-control')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
    ]);
    if (asset.endsWith('.js')) expect(response.headers.get('content-encoding')).toBe('br');
    await response.body?.cancel();
  }
});

test('the console page says how users sign in, and lists sandbox scenarios only if the gateway runs its own sandbox', async () => {
  const development = await bootGateway();
  const production = await bootGateway({
    environment: {
      ...PRODUCTION,
      // A provider at a local address is accepted in production; this test never calls it.
      CASHFREE_BASE_URL: 'http://127.0.0.1:9',
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
    },
  });
  const told = async ({ url }: { url: string }) => setupOf(await (await fetch(`${url}/console`)).text());

  expect(await told(development)).toEqual({
    signIn: 'ISSUED',
    scenarios: Object.fromEntries(
      Object.entries(SCENARIOS).map(([name, { description }]) => [name, description]),
    ),
  });
  expect(await told(production)).toEqual({ signIn: 'PASTED', scenarios: null });
});
