/** Test helper: operates the console by the keyboard alone. */
import { expect } from 'vitest';
import type { Console } from './console.ts';

/** Number of presses of Tab after which an element counts as not reachable. */
const MAX_PRESSES = 80;

/** Returns the name of the element that has the keyboard focus. */
export const focusOf = ({ page }: Console): Promise<string> =>
  page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.textContent');

/** Presses Tab (or `key`) until an element with this name has the focus. */
export async function tabTo(window: Console, name: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < MAX_PRESSES; presses += 1) {
    if ((await focusOf(window)) === name) return;
    await window.page.keyboard.press(key);
  }
  expect.fail(`Tab does not reach "${name}"`);
}

/** Presses Tab until an element that this selector matches has the focus. */
export async function tabToFirst(window: Console, selector: string): Promise<void> {
  for (let presses = 0; presses < MAX_PRESSES; presses += 1) {
    const isThere = `document.activeElement.matches(${JSON.stringify(selector)})`;
    if (await window.page.evaluate<boolean>(isThere)) return;
    await window.page.keyboard.press('Tab');
  }
  expect.fail(`Tab does not reach ${selector}`);
}
