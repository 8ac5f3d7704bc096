import { SignJWT } from 'jose';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { EXAMPLE_VERIFICATION_IDS } from '../../src/http/graphiql-examples.ts';
import { browserTest } from '../harness/browser.ts';
import { bootGateway } from '../harness/gateway.ts';
import { openGraphiql } from '../harness/graphiql.ts';

const SECRET = 'a secret of the tests that is long enough';

const stopOf = (page: Page) => page.locator('.graphiql-execute-button[aria-label^="Stop"]');

browserTest(
  'without internet access GraphiQL runs its examples, streams subscriptions and acts in the selected role',
  { timeout: 60_000 },
  async () => {
    const gateway = await bootGateway();
    const { page, strangers, choose, run, shows } = await openGraphiql(gateway);

    await run();
    await shows('StartSessionSuccess');
    await choose('Watch');
    await run();
    await stopOf(page).waitFor();
    await gateway.advance(EXAMPLE_VERIFICATION_IDS[0] as string, 1);
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

browserTest(
  'with AUTH_SECRET set, a token pasted into GraphiQL authenticates requests and WebSockets',
  { timeout: 60_000 },
  async () => {
    const gateway = await bootGateway({ environment: { AUTH_SECRET: SECRET } });
    const token = await new SignJWT({ sub: 'vera', roles: ['VIEWER'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRET));
    const { page, choose, run, shows } = await openGraphiql(gateway);

    await choose('Stats');
    await run();
    await shows('UNAUTHENTICATED');
    await page.getByLabel('Token').fill(`Bearer ${token}`);
    await page.getByLabel('Token').press('Enter');
    await run();
    await shows('"total": 0');
    await choose('Watch');
    await run();
    await shows('Heartbeat');
  },
);
