/** Stories of the calendar: a day's meetings and places, and booking a free time. */
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY, SAYS } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
/** Working hours in the time zone of the browser, which is that of this process. */
const HOURS = {
  MEETING_HOURS: 'Mon-Sun 09:00-12:00',
  MEETING_TIME_ZONE: Intl.DateTimeFormat().resolvedOptions().timeZone,
};

/** Returns a time of day, some days after today, in the time zone of the browser. */
function at(time: string, days = 1): string {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const date = new Date();
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hours, minutes).toISOString();
}
/** Returns a day as addresses of the calendar name it. */
function dayOf(days: number): string {
  const date = new Date(at('12:00', days));
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

const meetingsOf = ({ page }: Console) => page.getByRole('region', { name: 'Meetings', exact: true });
/** Returns the slot that begins at this time, with its meetings. */
const slotOf = (window: Console, time: string) =>
  meetingsOf(window)
    .getByRole('listitem')
    .filter({ hasText: new RegExp(`^${time}–`) });
const shownDay = ({ page }: Console) => new URL(page.url()).searchParams.get('day');

for (const viewport of SIZES)
  browserTest(
    `the calendar shows the meetings of a day and the places that are left, changes while it is open, and opens a session, in a window of ${viewport.width} pixels`,
    async () => {
      const gateway = await bootGateway({ environment: { ...HOURS, MEETING_CAPACITY: '2' } });
      const { olga } = await staffOf(gateway);
      const [first, second] = await Promise.all(['first', 'second'].map((id) => gateway.start(id)));
      if (!first || !second) throw new Error('no session');
      await olga.act('scheduleMeeting', first.id, { startsAt: at('10:00') });
      const window = await openConsole(gateway, { as: 'OPERATOR', viewport });
      const { page } = window;
      await window.live();

      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Calendar' }).click();
      await meetingsOf(window).getByText('No meetings on this day.').waitFor();
      expect(await faultsOf(window, 'calendar without meetings')).toEqual([]);
      await window.button('Next day').click();
      await slotOf(window, '10:00').getByText('1 of 2 booked, 1 free').waitFor();
      expect(shownDay(window)).toBe(dayOf(1));
      await page.getByText(/^Times in .+/).waitFor();
      await window.live();
      expect(await slotOf(window, '10:00').getByText('Scheduled', { exact: true }).count()).toBe(1);
      expect(await slotOf(window, '10:30').innerText()).toMatch(/10:30–11:00\s*0 of 2 booked, 2 free/);

      // Each of these changes reaches the open page.
      await olga.act('scheduleMeeting', second.id, { startsAt: at('10:00') });
      await slotOf(window, '10:00').getByRole('link', { name: 'second', exact: true }).waitFor();
      await slotOf(window, '10:00').getByText('2 of 2 booked, 0 free').waitFor();
      await meetingsOf(window).getByText('2 meetings', { exact: true }).waitFor();
      await olga.act('cancelMeeting', second.id);
      await slotOf(window, '10:00').getByText('Cancelled', { exact: true }).waitFor();
      await olga.act('scheduleMeeting', first.id, { startsAt: at('11:00') });
      await slotOf(window, '11:00').getByRole('link', { name: 'first', exact: true }).waitFor();
      await slotOf(window, '10:00').getByText('0 of 2 booked, 2 free').waitFor();
      await gateway.advance('first', 1);
      await slotOf(window, '11:00').getByText('Aadhaar verification success').waitFor();
      expect(await faultsOf(window, 'calendar')).toEqual([]);

      await page.getByLabel('Day', { exact: true }).fill(dayOf(3));
      await meetingsOf(window).getByText('No meetings on this day.').waitFor();
      await page.goBack();
      await slotOf(window, '11:00').getByRole('link', { name: 'first', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'first' }).waitFor();
      await page.goBack();
      await window.button('Today').click();
      await expect.poll(() => shownDay(window)).toBe(null);
      for (const nonsense of ['2026-02-31', 'toString', '']) {
        await page.goto(`${gateway.url}/console/calendar?day=${nonsense}`);
        await meetingsOf(window).getByText('No meetings on this day.').waitFor();
      }
      expect(window.complaints).toEqual([]);
    },
  );

/** Inserts this many meetings of one session, one every five minutes from nine o'clock. */
async function insertMeetings({ database }: Gateway, count: number): Promise<void> {
  await database.query(
    `insert into meeting select (jsonb_populate_record(null::meeting, jsonb_build_object(
       'id', gen_random_uuid(), 'session_id', s.id, 'starts_at', $2::timestamptz + n * interval '5 minutes',
       'status', 'COMPLETED', 'source', 'WEBHOOK', 'created_at', s.created_at
     ))).* from vkyc_session s, generate_series(0, $1 - 1) n`,
    [count, at('09:00')],
  );
}

browserTest(
  'a day with 130 meetings is loaded page by page, and says how many are loaded until all are',
  async () => {
    const gateway = await bootGateway();
    await gateway.start('busy');
    await insertMeetings(gateway, 130);
    const window = await openConsole(gateway, { as: 'VIEWER' });
    const { page } = window;
    await window.live();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/graphql', async (route) => {
      const body = route.request().postDataJSON();
      if (body?.operationName === 'VkycMeetings' && body.variables.after) await released;
      await route.continue();
    });

    await page.goto(`${gateway.url}/console/calendar?day=${dayOf(1)}`);
    await meetingsOf(window).getByText('50 of 130 meetings are loaded.').waitFor();
    expect(await meetingsOf(window).getByRole('link').count()).toBe(50);
    release();

    await meetingsOf(window).getByText('130 meetings', { exact: true }).waitFor();
    expect(await meetingsOf(window).getByRole('link').count()).toBe(130);
    // Without working hours there are no slots to speak of.
    expect(
      await meetingsOf(window)
        .getByText(/free|slots/)
        .count(),
    ).toBe(0);
  },
);

for (const viewport of SIZES)
  browserTest(
    `the dialog for a meeting offers the free times of a day, and other times if the chosen one is taken meanwhile, in a window of ${viewport.width} pixels`,
    async () => {
      const gateway = await bootGateway({ environment: { ...HOURS, MEETING_CAPACITY: '1' } });
      const { ravi } = await staffOf(gateway);
      const [wanting, early, late] = await Promise.all(
        ['wanting', 'early', 'late'].map((id) => gateway.start(id)),
      );
      if (!wanting || !early || !late) throw new Error('no session');
      await ravi.act('scheduleMeeting', early.id, { startsAt: at('09:00') });
      const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${wanting.id}`, viewport });
      await window.live();

      await window.button(SAYS.schedule).click();
      await window.dialog.getByLabel('Day', { exact: true }).fill(dayOf(1));
      const free = window.dialog.getByRole('radiogroup', { name: 'Free times' }).getByRole('radio');
      await expect.poll(() => free.count(), PATIENTLY).toBe(5);
      expect(await faultsOf(window, 'free times')).toEqual([]);
      await window.choose('10:00');
      await ravi.act('scheduleMeeting', late.id, { startsAt: at('10:00') });
      await window.press('Schedule');
      await window.dialog.getByText('All places at this time are taken: choose another time.').waitFor();
      // The time that was taken is not offered any more.
      await expect.poll(() => free.count(), PATIENTLY).toBe(4);
      const next = window.dialog.getByRole('region', { name: 'Next free times' }).getByRole('button');
      expect(await next.count()).toBe(5);
      expect(await faultsOf(window, 'next free times')).toEqual([]);
      await next.filter({ hasText: '10:30' }).first().click();

      await window.dialog.waitFor({ state: 'detached' });
      await window.isAt('User meeting scheduled');
      expect(await ravi.look(wanting.id)).toMatchObject({ meeting: { startsAt: at('10:30') } });
      expect(window.complaints).toEqual([]);
    },
  );
