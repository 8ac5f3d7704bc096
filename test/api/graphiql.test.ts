import { parse, validate } from 'graphql';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { getSchema } from '../../src/graphql/schema.ts';
import { EXAMPLE_IDS, EXAMPLES } from '../../src/http/graphiql-examples.ts';
import { browserTest } from '../harness/browser.ts';
import { bootGateway } from '../harness/gateway.ts';
import { openGraphiql } from '../harness/graphiql.ts';

const stopOf = (page: Page) => page.locator('.graphiql-execute-button[aria-label^="Stop"]');

test('every example of GraphiQL is a valid operation, and its variables are JSON', () => {
  for (const { query, variables } of EXAMPLES) {
    expect(validate(getSchema(), parse(query))).toEqual([]);
    if (variables) expect(JSON.parse(variables)).toBeTypeOf('object');
  }
});

test('GraphiQL is loaded once, and only asked about while it stays the same', async () => {
  const gateway = await bootGateway();
  const first = await fetch(`${gateway.url}/graphiql`);
  await first.body?.cancel();
  const again = await fetch(`${gateway.url}/graphiql`, {
    headers: { 'if-none-match': first.headers.get('etag') ?? '' },
  });

  expect(first.headers.get('cache-control')).toBe('private, no-cache');
  expect(again.status).toBe(304);
});

browserTest(
  'with the network off GraphiQL opens on examples that work, its subscriptions are live, and one acts by a role',
  { timeout: 60_000 },
  async () => {
    const gateway = await bootGateway();
    const { page, strangers, choose, run, shows } = await openGraphiql(gateway);

    await run();
    await shows('StartSessionSuccess');
    await choose('Watch');
    await run();
    await stopOf(page).waitFor();
    await gateway.advance(EXAMPLE_IDS[0] as string, 1);
    await shows('AADHAAR_VERIFICATION_SUCCESS');
    await stopOf(page).click();

    await choose('Session');
    await run();
    await shows('Asha Rao');
    const answered = page.waitForResponse((response) => response.url().endsWith('/dev/token'));
    await page.getByLabel('Act as').selectOption('VIEWER');
    await answered;
    await run();
    await shows('"name": null');
    await choose('Start');
    await run();
    await shows('startSession needs one of the roles');
    await choose('Watch');
    await run();
    await shows('Heartbeat');
    expect(strangers).toEqual([]);
  },
);
