/** Test helper: operates GraphiQL (the query editor) in a browser, as its users do. */
import { expect } from 'vitest';
import { openPage } from './browser.ts';
import type { Gateway } from './gateway.ts';

const PATIENTLY = { timeout: 20_000 };

export async function openGraphiql(gateway: Gateway) {
  const { page, strangers } = await openPage();
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.goto(`${gateway.url}/graphiql`);
  const run = page.locator('.graphiql-execute-button');
  await run.waitFor();
  const editor = page.locator('.graphiql-query-editor .view-lines');
  const holds = (text: string) => expect.poll(() => editor.textContent(), PATIENTLY).toContain(text);
  // Waits for the editor's text, because without a query there is nothing to run.
  await holds('Start');
  const response = page.locator('.graphiql-response');
  return {
    page,
    strangers,
    async choose(name: string) {
      const tab = page.locator('.graphiql-tab', { has: page.locator(`[title="${name}"]`) });
      await tab.click();
      await expect.poll(() => tab.getAttribute('aria-selected'), PATIENTLY).toBe('true');
      await holds(name);
    },
    run: () => run.click(),
    shows: (text: string) =>
      expect
        .poll(async () => {
          const shown = (await response.textContent())?.replaceAll('\u00a0', ' ');
          // Runs again if GraphiQL has sent the operation name of the previous tab, as it may just after a
          // tab change.
          if (shown?.includes('Cannot infer operation')) await run.click();
          return shown;
        }, PATIENTLY)
        .toContain(text),
  };
}
