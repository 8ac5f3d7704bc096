/** Holds what there is to see against the rules of accessibility, as far as a machine can. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { Console } from './console.ts';

/** WCAG 2.2 at level AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const SCHEMES = ['light', 'dark'] as const;
const axe = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** The windows that people have. */
export const WIDTHS = { wide: { width: 1400, height: 900 }, phone: { width: 390, height: 800 } };

/** How often a fault has to be there. */
const LOOKS = 5;
/** Until the page has been drawn anew. */
const TWO_FRAMES = 'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))';

/**
 * What is wrong with what there is to see now, in both themes. The component library's announcements are left out: they
 * are kept for some seconds after what they were named by is gone.
 */
export async function faultsOf({ page }: Console, screen: string): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(axe);
    let lasting = await findings(page);
    // What is so for a moment alone, while the page is drawn, nobody meets.
    for (let looks = 1; looks < LOOKS && lasting.length > 0; looks++) {
      const again = new Set(await findings(page));
      lasting = lasting.filter((each) => again.has(each));
    }
    faults.push(...lasting.map((each) => `${screen}, ${colorScheme}: ${each}`));
  }
  return faults;
}

/** Each as its rule and where it is broken. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(TWO_FRAMES);
  const found: { id: string; nodes: { target: string[] }[] }[] = await page.evaluate(
    `axe.run({ exclude: '[data-live-announcer]' }, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target.join(' ')}`));
}
