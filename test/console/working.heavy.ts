/** Stories of a day at the console: keys, titles, counts, and what the page says without news. */
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { sessionAt } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway } from '../harness/gateway.ts';

const focused = ({ page }: Console) => page.evaluate<string>('document.activeElement.textContent');

browserTest('calls that are over are counted as calls to review, and not as calls that go on', async () => {
  const gateway = await bootGateway();
  await sessionAt(gateway, 'calling', 'USER_ACCEPTED_MEETING');
  await sessionAt(gateway, 'over-1', 'USER_ACCEPTED_MEETING', 'AGENT_ENDED_CALL');
  await sessionAt(gateway, 'over-2', 'USER_ACCEPTED_MEETING', 'USER_ENDED_CALL');
  const window = await openConsole(gateway, { as: 'OPERATOR' });
  await window.live();
  const tile = (name: RegExp) =>
    window.page.getByRole('region', { name: 'Open sessions' }).getByRole('button', { name });

  await tile(/^In the call\s*1/).click();
  await expect.poll(() => window.rows.getByRole('link').allInnerTexts(), PATIENTLY).toEqual(['calling']);
  await tile(/^In the call/).click();
  await tile(/^Needs review\s*2/).click();
  await expect
    .poll(() => window.rows.getByRole('link').allInnerTexts(), PATIENTLY)
    .toEqual(['over-2', 'over-1']);
  expect(new URL(window.page.url()).searchParams.getAll('call')).toEqual(['over']);
  await window.button('Remove filter: Needs review').click();

  await expect.poll(() => window.rows.count(), PATIENTLY).toBe(3);
});

browserTest(
  'keys move in the list, open and step through its sessions, and the way back keeps the filters; titles name the session',
  async () => {
    const gateway = await bootGateway();
    for (const id of ['loan-1', 'loan-2', 'loan-3', 'other']) await gateway.start(id);
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest&id=loan' });
    const { page } = window;
    const { keyboard } = page;
    await window.live();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(3);
    expect(await page.title()).toBe('Sessions · VKYC console');

    await keyboard.press('j');
    await expect.poll(() => focused(window)).toBe('loan-1');
    await keyboard.press('j');
    await expect.poll(() => focused(window)).toBe('loan-2');
    await keyboard.press('k');
    await expect.poll(() => focused(window)).toBe('loan-1');
    await keyboard.press('Enter');
    await expect.poll(() => page.title(), PATIENTLY).toBe('loan-1 · Link generated · VKYC console');
    await keyboard.press('n');
    await expect.poll(() => page.title(), PATIENTLY).toBe('loan-2 · Link generated · VKYC console');
    await page.getByRole('article').getByRole('link', { name: 'Sessions' }).click();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(3);
    expect(new URL(page.url()).search).toBe('?order=oldest&id=loan');
    await keyboard.press('?');
    await window.dialog.getByRole('heading', { name: 'Keys' }).waitFor();
    expect(await faultsOf(window, 'keys')).toEqual([]);
    await keyboard.press('j');
    await window.press('Turn keys off');
    await keyboard.press('Escape');
    await keyboard.press('/');
    expect(await focused(window)).not.toBe('');
    await page.getByRole('button', { name: /^Signed in as/ }).click();
    await page.getByRole('menuitemradio', { name: 'Keys' }).click();
    await window.press('Turn keys on');
    await keyboard.press('Escape');
    await keyboard.press('/');
    await keyboard.type('-2');

    expect(await page.getByRole('searchbox').inputValue()).toBe('loan-2');
    expect(window.complaints).toEqual([]);
  },
);

browserTest('as soon as the browser is offline, the page says since when it has had no news', async () => {
  const gateway = await bootGateway();
  const window = await openConsole(gateway);
  await window.live();

  await window.page.context().setOffline(true);
  // Sooner than the subscription notices it, which takes seconds.
  await expect
    .poll(() => window.badge.textContent(), { timeout: 2_000 })
    .toMatch(/^No news since \d\d:\d\d$/);
  expect(await faultsOf(window, 'offline')).toEqual([]);
  await window.page.context().setOffline(false);

  await window.live();
});
