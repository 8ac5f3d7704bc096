import { expect } from 'vitest';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, SAYS } from '../harness/console.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';

const notice = (window: Console) => window.dialog.locator('[role=alert], [role=status]');
/** Adds minutes to a time as a browser's field for date and time has it. */
const addMinutes = (local: string, minutes: number): string =>
  new Date(Date.parse(`${local}Z`) + minutes * 60_000).toISOString().slice(0, 16);
const countOf = async (gateway: Gateway, table: string): Promise<number> =>
  (await gateway.database.query(`select from ${table}`)).rowCount ?? 0;

browserTest(
  'if two users of the console act on a session at the same time, the dialog shows the second user what changed, and offers to continue with the current status',
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('at-once');
    const olga = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    const ravi = await openConsole(gateway, { as: 'AGENT', at: `/sessions/${id}` });
    await olga.button(SAYS.schedule).click();
    await ravi.button(SAYS.schedule).click();

    await ravi.press('Schedule');
    await ravi.isAt('User meeting scheduled');
    await olga.press('Schedule');
    await expect
      .poll(() => notice(olga).textContent())
      .toMatch(/was at .*Link generated.* now at .*User meeting scheduled/);
    expect(await countOf(gateway, 'meeting')).toBe(1);
    await olga.press(SAYS.goOn);
    // Moving the meeting to the time that it has would change nothing.
    const time = olga.dialog.getByLabel('Date and time');
    await time.fill(addMinutes(await time.inputValue(), 15));
    await olga.press('Reschedule');

    await expect.poll(() => olga.dialog.count()).toBe(0);
    const meetings = ravi.page.getByRole('region', { name: 'Meetings' });
    await meetings.getByText('Booked here by olga').waitFor();
    expect(await countOf(gateway, "meeting where status = 'SCHEDULED'")).toBe(1);
    expect(await countOf(gateway, 'meeting')).toBe(2);
  },
);

browserTest(
  "a review submitted after another user's review is refused: the dialog shows the changed status, and the first review stays",
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('decided-twice');
    await gateway.advance('decided-twice', STEPS_TO_THE_END_OF_THE_CALL);
    const ravi = await openConsole(gateway, { as: 'AGENT', at: `/sessions/${id}` });
    const ada = await openConsole(gateway, { as: 'ADMIN', at: `/sessions/${id}` });
    await ravi.button(SAYS.reviewAsAgent).click();
    await ada.button(SAYS.reviewAsAgent).click();
    await ada.choose('Reject', 'Face differs');
    await ada.field(SAYS.remarks).fill('Another face.');
    await ravi.choose('Approve');

    await ravi.press(SAYS.approveAsAgent);
    await ravi.isAt('Agent approved');
    await ada.press(SAYS.rejectAsAgent);
    await expect
      .poll(() => notice(ada).textContent())
      .toMatch(/was at .*Agent ended call.* now at .*Agent approved/);
    await ada.press(SAYS.goOn);
    await ada.choose('Reject');
    expect(await ada.field(SAYS.remarks).inputValue()).toBe('Another face.');
    await ada.press(SAYS.rejectAsAgent);
    await expect.poll(() => notice(ada).textContent()).not.toContain('was at');

    await ada.press('Cancel');
    await ada.isAt('Agent approved');
    await expect.poll(() => ada.button(SAYS.reviewAsAgent).count()).toBe(0);
    expect((await gateway.database.query('select decision from review')).rows).toEqual([
      { decision: 'APPROVED' },
    ]);
  },
);

browserTest(
  'if the answer to a mutation is lost, the dialog says what to do, and pressing the button again books the meeting once',
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('lost-answer');
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    let lost = 0;
    await window.page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('scheduleMeeting') || lost > 0) return route.fallback();
      // Sends the mutation to the gateway, but drops the answer, so that the page sees a lost connection.
      await route.fetch();
      lost += 1;
      await route.abort('connectionreset');
    });
    await window.button(SAYS.schedule).click();

    await window.press('Schedule');
    await expect.poll(() => notice(window).textContent()).toContain(SAYS.unreachable);
    expect([lost, await countOf(gateway, 'meeting')]).toEqual([1, 1]);
    await window.press('Schedule');

    await expect.poll(() => window.dialog.count()).toBe(0);
    await window.isAt('User meeting scheduled');
    expect(await countOf(gateway, 'meeting')).toBe(1);
    await expect.poll(() => window.page.getByText('Booked here by olga').count()).toBe(1);
  },
);

browserTest(
  'if the provider fails during a start, the dialog says what to do, and pressing the button again starts one session',
  async () => {
    const gateway = await bootGateway();
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    await window.live();
    await setFaults(gateway, { 'error-502': { probability: 1 }, 'error-504-after': { probability: 1 } });
    await window.button(SAYS.start).click();
    await window.field(SAYS.id).fill('again');
    await window.field(SAYS.phone).fill('9988776655');

    await window.press('Start');
    await expect.poll(() => notice(window).textContent()).toMatch(/repeating it is safe/);
    await setFaults(gateway, null);
    await window.press('Start');

    await window.dialog.getByRole('heading', { name: 'Session started' }).waitFor();
    await window.press('Close');
    await window.rowOf('again').waitFor();
    expect(await window.rows.count()).toBe(1);
    expect(await countOf(gateway, 'vkyc_session')).toBe(1);
    const verifications = await fetch(new URL('/_sandbox/verifications', gateway.sandboxUrl));
    expect(await verifications.json()).toHaveLength(1);
  },
);

browserTest(
  "a dialog lets the user retry a request that the provider's rate limit refused, and reports an invalid meeting time at its field",
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('rate-limited');
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    await setFaults(gateway, { 'rate-limited': { probability: 1 } });

    await window.button(SAYS.askProvider).click();
    await expect.poll(() => notice(window).textContent()).toMatch(/\S/);
    await setFaults(gateway, null);
    await expect
      .poll(async () => {
        if (await window.button('Try again').isVisible()) await window.press('Try again');
        return window.dialog.getByRole('status').allInnerTexts();
      })
      .toEqual(['Nothing has changed.']);
    await window.page.keyboard.press('Escape');
    await window.button(SAYS.schedule).click();
    await window.dialog.getByLabel('Date and time').fill('2001-01-01T10:00');
    await window.press('Schedule');

    await expect
      .poll(() => window.dialog.getByText(/past|future|earlier|later|minutes/).count())
      .toBeGreaterThan(0);
    expect(await countOf(gateway, 'meeting')).toBe(0);
  },
);
