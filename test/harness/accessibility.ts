/** Checks the console page on screen against the accessibility rules that the library axe can check. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { Console } from './console.ts';

/** Rule sets of axe that make up WCAG 2.2 at level AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const SCHEMES = ['light', 'dark'] as const;
const axe = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** Window sizes of a desktop and a phone. */
export const WIDTHS = { wide: { width: 1400, height: 900 }, phone: { width: 390, height: 800 } };

/** A violation counts only if it is found this many times in a row. */
const LOOKS = 5;
/** Script that resolves after the page has been painted again. */
const TWO_FRAMES = 'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))';

/**
 * Returns the accessibility violations on screen, in both colour schemes. Leaves out the live-region
 * announcements of the component library, because they outlive the elements that they refer to by some
 * seconds.
 */
export async function faultsOf({ page }: Console, screen: string): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(axe);
    let lasting = await findings(page);
    // Ignores violations that exist only for a moment while the page renders.
    for (let looks = 1; looks < LOOKS && lasting.length > 0; looks++) {
      const again = new Set(await findings(page));
      lasting = lasting.filter((each) => again.has(each));
    }
    faults.push(...lasting.map((each) => `${screen}, ${colorScheme}: ${each}`));
  }
  return faults;
}

/** Returns each violation as text: its rule and the broken element. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(TWO_FRAMES);
  const found: { id: string; nodes: { target: string[] }[] }[] = await page.evaluate(
    `axe.run({ exclude: '[data-live-announcer]' }, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target.join(' ')}`));
}
