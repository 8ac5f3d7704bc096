import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

test('health is about the process, readiness about what it needs', async () => {
  const gateway = await bootGateway();
  const status = async (path: string) => (await fetch(`${gateway.url}${path}`)).status;

  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
});

test('GraphiQL is served whole, from the package alone, and opens on something useful', async () => {
  const gateway = await bootGateway();
  const page = await (await fetch(`${gateway.url}/graphiql`)).text();

  expect(page).toContain('startSession');
  expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
});
