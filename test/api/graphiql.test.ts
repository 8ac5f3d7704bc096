import { expect } from 'vitest';
import { browserTest, openPage } from '../harness/browser.ts';
import { bootGateway } from '../harness/gateway.ts';

browserTest(
  'GraphiQL works with the network off, and its subscriptions are live',
  { timeout: 60_000 },
  async () => {
    const gateway = await bootGateway();
    const { page, strangers } = await openPage();
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.goto(`${gateway.url}/graphiql`);
    const run = page.locator('.graphiql-execute-button');
    const choose = async (operation: string) => {
      await run.click();
      await page.getByRole('menuitem', { name: operation }).click();
    };
    const response = page.locator('.graphiql-response');

    await run.waitFor();
    await choose('Watch');
    await page.locator('.graphiql-execute-button[aria-label^="Stop"]').waitFor();
    await gateway.start('graphiql.happy-path.0', { user: { phone: '9988776644' } });

    await expect.poll(() => response.textContent(), { timeout: 20_000 }).toContain('LINK_GENERATED');
    await gateway.advance('graphiql.happy-path.0', 1);
    await expect
      .poll(() => response.textContent(), { timeout: 20_000 })
      .toContain('AADHAAR_VERIFICATION_SUCCESS');
    expect(strangers).toEqual([]);
  },
);
