import { expect } from 'vitest';
import { faultsOf, WIDTHS } from '../harness/accessibility.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY, SAYS } from '../harness/console.ts';
import { bootGateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';

/** Number of scenario steps by which each session is advanced, by its verification id (NAME.SCENARIO). */
const STATES: Record<string, number> = {
  'begun.awaits-review': 0,
  'in-trouble.proxy-detected': 2,
  'queued.no-agent': 5,
  'in-the-call.user-drops-off': 8,
  'unheard-of.unknown-status': 5,
  'rejected.agent-rejects': 9,
  'approved.happy-path': 13,
  'expired.link-expires': 1,
};

for (const [name, viewport] of Object.entries(WIDTHS)) {
  browserTest(
    `the session page has no accessibility violation in any state of a session, on a ${name} screen`,
    async () => {
      const gateway = await bootGateway();
      for (const [id, steps] of Object.entries(STATES)) {
        await gateway.start(id);
        if (steps > 0) await gateway.advance(id, steps);
      }
      const window = await openConsole(gateway, { viewport });

      const faults: string[] = [];
      for (const id of Object.keys(STATES)) {
        await window.open(id);
        await window.live();
        faults.push(...(await faultsOf(window, id)));
        await window.page.goBack();
      }
      await window.page.goto(`${gateway.url}/console/?order=waiting&phase=PRE_VIDEO_CALL&waiting=CUSTOMER`);
      await window.rowOf('in-trouble.proxy-detected').waitFor();
      faults.push(...(await faultsOf(window, 'filtered floor')));

      expect(faults).toEqual([]);
    },
  );

  browserTest(
    `the dialogs of the session page have no accessibility violation in any state of a session, on a ${name} screen`,
    async () => {
      const gateway = await bootGateway();
      const { id } = await gateway.start('acted-on');
      const olga = await person(gateway, 'olga', 'OPERATOR');
      await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
      const window = await openConsole(gateway, { as: 'ADMIN', at: `/sessions/${id}`, viewport });
      const { page } = window;
      const faults: string[] = [];
      const look = async (screen: string) => faults.push(...(await faultsOf(window, screen)));
      const closes = async () => {
        await page.keyboard.press('Escape');
        await window.dialog.waitFor({ state: 'detached' });
      };
      await window.live();

      for (const each of [SAYS.cancel, SAYS.move, SAYS.unavailable]) {
        await window.button(each).click();
        await window.dialog.waitFor();
        await look(String(each));
        await closes();
      }
      await window.button(SAYS.move).click();
      await olga.act('cancelMeeting', id, { reason: 'not that day' });
      await window.press('Reschedule');
      await window.dialog.getByRole('button', { name: SAYS.goOn }).waitFor();
      await look('conflict');
      await closes();
      await gateway.advance('acted-on', STEPS_TO_THE_END_OF_THE_CALL);
      await window.button(SAYS.reviewAsAgent).waitFor();
      const ravi = await person(gateway, 'ravi', 'AGENT');
      await ravi.act('recordAgentReview', id, { decision: 'APPROVED', remarks: 'The same face.' });
      await window.button(SAYS.reviewAsAuditor).click();
      await window.dialog.waitFor();
      await look('audit');

      expect(faults).toEqual([]);
    },
  );
}

/**
 * Expression that is evaluated in the page. Returns the accessible name of the focused element, or an empty string if
 * no element has focus.
 */
const FOCUSED = `document.activeElement === document.body ? '' :
  document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`;
const focused = ({ page }: Console) => page.evaluate<string>(FOCUSED);

/** Presses Tab until the element with this name has focus. @throws after 60 presses */
async function tabTo(window: Console, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(window)).match(name)) return;
    await window.page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${name}`);
}

browserTest(
  'the Tab key reaches every control of the console, and a closed dialog returns the focus to the button that opened it',
  async () => {
    const gateway = await bootGateway();
    for (const id of ['other-1', 'wanted-1', 'wanted-2', 'wanted-3']) await gateway.start(id);
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    const { keyboard } = window.page;
    const opens = async () => {
      await keyboard.press('Enter');
      await window.dialog.waitFor();
    };
    const closes = async () => {
      await keyboard.press('Escape');
      await window.dialog.waitFor({ state: 'detached' });
    };
    await window.live();

    await tabTo(window, SAYS.start);
    await opens();
    // Types without choosing a field: the first field of an opened dialog must have focus.
    await keyboard.type('9988776655');
    expect(await window.field(SAYS.phone).inputValue()).toBe('9988776655');
    await closes();
    await expect.poll(() => focused(window)).toBe(SAYS.start);
    await keyboard.press('/');
    await keyboard.type('wanted');
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(3);
    await tabTo(window, /^wanted-3$/);
    await keyboard.press('ArrowDown');
    await expect.poll(() => focused(window)).toBe('wanted-2');
    await keyboard.press('Enter');
    await window.page.getByRole('heading', { level: 1, name: 'wanted-2' }).waitFor();
    await window.live();
    await tabTo(window, SAYS.schedule);
    await opens();
    await closes();
    await expect.poll(() => focused(window)).toBe(SAYS.schedule);
    await opens();
    await expect.poll(() => window.page.evaluate('document.activeElement.type')).toBe('datetime-local');
    await keyboard.press('Enter');
    await window.isAt('User meeting scheduled');
    await window.dialog.waitFor({ state: 'detached' });
    await expect.poll(() => focused(window)).toBe(SAYS.move);
    await tabTo(window, SAYS.unavailable);
    await opens();
    await closes();

    await expect.poll(() => focused(window)).toMatch(SAYS.unavailable);
  },
);

browserTest('a form field of the console shows its error until the user corrects the field', async () => {
  const gateway = await bootGateway();
  const window = await openConsole(gateway, { as: 'OPERATOR' });
  const { keyboard } = window.page;
  const id = window.field(SAYS.id);
  const phone = window.field(SAYS.phone);
  await window.button(SAYS.start).click();
  await id.fill('not/an/id');
  await phone.fill('12');

  await phone.press('Enter');
  for (const field of [id, phone]) await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
  await id.fill('put-right');
  await keyboard.press('Tab');
  await expect.poll(() => id.getAttribute('aria-invalid')).not.toBe('true');
  await phone.fill('998877665');
  expect(await id.getAttribute('aria-invalid')).not.toBe('true');
  await phone.press('5');
  await phone.press('Enter');

  await window.dialog.getByRole('heading', { name: 'Session started' }).waitFor();
});
