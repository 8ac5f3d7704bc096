/** Stories of a phone: one scroll, filters behind a button, and nothing too small or too wide. */
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { sessionAt, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';

const PHONE = { width: 390, height: 844 };
const LEAST_HEIGHT = 44;

/** Expression for the page that lists what is wider than the window, and boxes that scroll down within the page. */
const MISFITS = `(() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > width) found.push('page is ' + document.documentElement.scrollWidth + ' wide');
  for (const element of document.querySelectorAll('body *')) {
    const { overflowY } = getComputedStyle(element);
    if (['auto', 'scroll'].includes(overflowY) && element.scrollHeight > element.clientHeight + 1)
      found.push('scrolls within the page: ' + element.tagName + ' ' + element.className);
  }
  return found;
})()`;

/**
 * Expression for the page that lists the buttons, fields and links that a finger cannot hit within 44 pixels of height.
 * Links within a sentence are left out, as in WCAG 2.5.8.
 */
const SMALL = `(() => {
  const found = [];
  for (const element of document.querySelectorAll('button, select, textarea, input, a[href]')) {
    if (!element.checkVisibility() || element.closest('p, dd') || element.getBoundingClientRect().width <= 1) continue;
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { left, width, top, height } = element.getBoundingClientRect();
    const middle = top + height / 2;
    const reach = ${LEAST_HEIGHT} / 2 - 1;
    const hits = [-reach, 0, reach].every((away) => {
      const hit = document.elementFromPoint(left + Math.min(width / 2, 20), middle + away);
      return hit && (element.contains(hit) || hit.contains(element) && hit.matches('label'));
    });
    if (!hits) found.push(element.tagName + ' ' + (element.getAttribute('aria-label') ?? element.textContent) + ' ' + height);
  }
  scrollTo(0, 0);
  return found;
})()`;

/** Checks that the page on screen fits a phone. */
async function expectFits({ page }: Console, screen: string): Promise<void> {
  expect(await page.evaluate<string[]>(MISFITS), screen).toEqual([]);
  expect(await page.evaluate<string[]>(SMALL), screen).toEqual([]);
}

/** Boots a gateway with working hours, and a session with a long id, every mark, a meeting and a long name. */
async function withSessions(): Promise<{ gateway: Gateway; id: string }> {
  const gateway = await bootGateway({
    environment: {
      MEETING_HOURS: 'Mon-Sun 00:00-24:00',
      MEETING_CAPACITY: '3',
      DEADLINES: 'AGENT_ENDED_CALL=1',
    },
  });
  const { olga } = await staffOf(gateway);
  const { id } = await sessionAt(gateway, `long-${'W'.repeat(45)}`, 'AGENT_ENDED_CALL');
  await olga.act('escalateSession', id, { reason: 'TECHNICAL' });
  await gateway.start('short');
  return { gateway, id };
}

for (const language of ['en', 'hi'])
  browserTest(
    `list, session, calendar and insight fit a phone: one scroll, nothing too wide, nothing too small to press (${language})`,
    async () => {
      const { gateway, id } = await withSessions();
      const window = await openConsole(gateway, { as: 'ADMIN', at: '/?order=newest', viewport: PHONE });
      const { page } = window;
      await page.evaluate(`localStorage['vkyc.language'] = '${language}'`);
      await page.reload();
      await page.getByRole('link', { name: 'short', exact: true }).waitFor();

      await expectFits(window, 'list');
      expect(await faultsOf(window, 'list')).toEqual([]);
      await page.locator('[aria-expanded=false][aria-controls]').first().click();
      await expectFits(window, 'list with filters');
      expect(await faultsOf(window, 'list with filters')).toEqual([]);
      await page.goto(`${gateway.url}/console/sessions/${id}`);
      await page.getByRole('article').waitFor();
      await expectFits(window, 'session');
      expect(await faultsOf(window, 'session')).toEqual([]);
      await page.goto(`${gateway.url}/console/calendar`);
      await page.getByText('00:00').first().waitFor();
      await expectFits(window, 'calendar');
      expect(await faultsOf(window, 'calendar')).toEqual([]);
      await page.goto(`${gateway.url}/console/insight`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expectFits(window, 'insight');
    },
  );

browserTest(
  'on a phone the filters stand behind one button that counts them, and the page scrolls to the last session',
  async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const { id } = await gateway.start('last');
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(90) });
    await gateway.database.query(
      `insert into vkyc_session
       select (jsonb_populate_record(s, jsonb_build_object(
         'id', gen_random_uuid(), 'verification_id', 'many-' || n, 'created_at', s.created_at + n * interval '1 second'
       ))).* from vkyc_session s, generate_series(1, 249) n`,
    );
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=newest', viewport: PHONE });
    const { page } = window;
    await window.live();
    const strip = page.getByRole('region', { name: 'Open sessions' });

    expect(await strip.isVisible()).toBe(false);
    await window.button('Filters').click();
    await strip.getByRole('button', { name: /^Before the call/ }).click();
    await strip.getByRole('button', { name: /^Customer/ }).click();
    await window.button('Filters (2 active)').click();
    expect(await strip.isVisible()).toBe(false);
    await window.button('Filters (2 active)').click();
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await window.button('Filters').click();
    expect(await strip.isVisible()).toBe(false);

    await expect
      .poll(async () => {
        await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
        return window.rowOf('last').isVisible();
      }, PATIENTLY)
      .toBe(true);
    expect(await window.rows.count()).toBeLessThan(100);
    // The whole row opens its session.
    const row = await window.rowOf('last').boundingBox();
    if (!row) throw new Error('no row');
    await page.mouse.click(row.x + row.width - 30, row.y + row.height - 20);
    await page.getByRole('heading', { level: 1, name: 'last' }).waitFor();
    expect(window.complaints).toEqual([]);
  },
);
