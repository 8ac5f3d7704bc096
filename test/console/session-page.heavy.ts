import { expect } from 'vitest';
import { browserTest } from '../harness/browser.ts';
import { openConsole, SAYS } from '../harness/console.ts';
import { bootGateway, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';

/** Sends a status webhook with an event time that is `seconds` from now; a negative number is in the past. */
const report = (gateway: Gateway, id: string, status: string, sub_status: string, seconds: number) =>
  gateway.webhook({
    event_type: 'VKYC_STATUS',
    event_time: new Date(Date.now() + seconds * 1000).toISOString(),
    version: 'v1',
    data: { verification_id: id, status, sub_status },
  });

browserTest('the session page shows the source of each transition and marks late updates', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('told');
  await gateway.advance('told', 3);
  const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
  await window.live();
  await report(gateway, 'told', 'PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_FAILED', -3600);

  await expect.poll(() => window.entries.count()).toBe(5);
  const [late, newest] = await window.entries.allInnerTexts();
  expect(late).toMatch(/Aadhaar verification failed[\s\S]*Late update[\s\S]*The status did not change/);
  expect(newest).toContain('reported by the provider');
  expect(newest).not.toContain('Late update');
  expect(await window.entries.last().innerText()).toContain('done here by');
  await window.isAt('User location verification success');
});

browserTest(
  'a session whose decision the provider contradicts is marked as disputed on its page and in the list',
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('contested');
    await gateway.advance('contested', STEPS_TO_THE_END_OF_THE_CALL);
    const window = await openConsole(gateway, { as: 'AGENT', at: `/sessions/${id}` });
    await window.button(SAYS.reviewAsAgent).click();
    await window.choose('Approve');
    await window.press(SAYS.approveAsAgent);
    await window.isAt('Agent approved');
    expect(await window.page.getByText(/^Disputed/).count()).toBe(0);

    await report(gateway, 'contested', 'AGENT_REVIEWED', 'AGENT_REJECTED', 60);

    await window.page
      .getByRole('alert')
      .getByText(/^Disputed: .*Do not onboard/)
      .waitFor();
    await expect.poll(() => window.entries.first().innerText()).toContain('Dispute');
    await window.page.goto(`${gateway.url}/console/?order=newest`);
    await window.rowOf('contested').getByText('Disputed', { exact: true }).waitFor();
  },
);

browserTest("a meeting is shown in the viewer's time zone, with Indian time next to it", async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('timed');
  const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  // 06:30 UTC is 12:00 in India: the page must show this time next to the viewer's own time.
  const startsAt = new Date(`${inTwoDays}T06:30:00Z`);
  const local = new Date(startsAt.getTime() - startsAt.getTimezoneOffset() * 60_000);
  await window.button(SAYS.schedule).click();

  await window.dialog.getByLabel('Date and time').fill(local.toISOString().slice(0, 16));
  await window.dialog.getByText(/That is .* 12:00 IST/).waitFor();
  await window.press('Schedule');

  const meetings = window.page.getByRole('region', { name: 'Meetings' });
  await meetings.getByText(/12:00 IST/).waitFor();
  const { rows } = await gateway.database.query('select starts_at from meeting');
  expect(rows).toEqual([{ starts_at: startsAt }]);
});

browserTest(
  'the session page says that the session is not found if its id is unknown or malformed',
  async () => {
    const gateway = await bootGateway();
    const unknown = Buffer.from('VkycSession:01a20a00-207c-77e4-bbd3-8de9fa006fe3').toString('base64');

    for (const id of [unknown, 'no-id-at-all']) {
      const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
      await window.page.getByRole('heading', { level: 1, name: 'Session not found' }).waitFor();
    }
  },
);

browserTest(
  'on a phone, correcting a field does not move the submit button while it is being pressed',
  async () => {
    const gateway = await bootGateway();
    const window = await openConsole(gateway, { as: 'OPERATOR', viewport: { width: 390, height: 844 } });
    await window.button(SAYS.start).click();
    await window.field(SAYS.id).fill('not/an/id');
    await window.field(SAYS.phone).fill('12');
    await window.press('Start');
    await expect.poll(() => window.field(SAYS.phone).getAttribute('aria-invalid')).toBe('true');

    // Types key by key: `fill` would also blur the field, but for a user only the press of the button does so.
    for (const [field, text] of [
      [SAYS.id, 'put-right'],
      [SAYS.phone, '9988776655'],
    ] as const) {
      await window.field(field).selectText();
      await window.page.keyboard.type(text);
    }
    const {
      x = 0,
      y = 0,
      width = 0,
      height = 0,
    } = (await window.dialog.getByRole('button', { name: 'Start', exact: true }).boundingBox()) ?? {};
    // Presses the lower edge of the button for 100 ms, like a finger. If the button moved within that time, the press
    // would miss the button.
    await window.page.mouse.click(x + width / 2, y + height - 3, { delay: 100 });

    await window.dialog.getByRole('heading', { name: 'Session started' }).waitFor();
  },
);
