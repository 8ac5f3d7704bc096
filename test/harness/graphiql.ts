/** GraphiQL in a browser, operated as its users do. */
import { expect } from 'vitest';
import { openPage } from './browser.ts';
import type { Gateway } from './gateway.ts';

const PATIENTLY = { timeout: 20_000 };

/** Opens GraphiQL. */
export async function openGraphiql(gateway: Gateway) {
  const { page, strangers } = await openPage();
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.goto(`${gateway.url}/graphiql`);
  const run = page.locator('.graphiql-execute-button');
  await run.waitFor();
  const editor = page.locator('.graphiql-query-editor .view-lines');
  const holds = (text: string) => expect.poll(() => editor.textContent(), PATIENTLY).toContain(text);
  // Waits for the editor's text: without it there is nothing to run.
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
          // After a tab change GraphiQL may briefly run the operation name of the previous tab; retry.
          if (shown?.includes('Cannot infer operation')) await run.click();
          return shown;
        }, PATIENTLY)
        .toContain(text),
  };
}
