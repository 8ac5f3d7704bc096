/** Stories of staff who take work from queues, hand it on, and act on several sessions at once. */
import { expect } from 'vitest';
import { faultsOf, WIDTHS } from '../harness/accessibility.ts';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { movableClock } from '../harness/clock.ts';
import {
  type Console,
  killWindow,
  type OpenOptions,
  openConsole,
  PATIENTLY,
  SAYS,
} from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { focusOf, tabTo } from '../harness/keyboard.ts';

const MINUTE = 60_000;
const VIEWPORTS = { wide: { width: 1440, height: 900 }, phone: WIDTHS.phone };
const QUEUE_EMPTY = 'The review queue has no session for you. Try again later.';
const STILL_YOURS = /You have not finished this session/;
const MY_WORK = '/?order=waiting&assigned=me';

/** Opens a window of a member of staff, who has a token of their own. */
const openAs = async (gateway: Gateway, sub: string, roles: string[], options: OpenOptions = {}) =>
  openConsole(gateway, { token: await gateway.token({ sub, roles }), ...options });

/** Starts sessions that wait for an agent, in this order. */
async function queue(gateway: Gateway, ...verificationIds: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const id of verificationIds) ids.push((await sessionAt(gateway, id, 'AGENT_ENDED_CALL')).id);
  return ids;
}

/** Presses the next button, and returns the verification id of the session that opens. */
async function takesNext(window: Console): Promise<string> {
  const before = window.page.url();
  // The gateway refuses a claim that meets another one, and says to try again.
  const press = async () => {
    await window.button('Next').click();
    await window.page.waitForURL(({ href }) => href !== before, { timeout: 5_000 }).catch(() => {});
    return window.page.url();
  };
  await expect.poll(press, PATIENTLY).not.toBe(before);
  await window.live();
  return window.page.getByRole('article').getByRole('heading', { level: 1 }).innerText();
}

async function approvesAs(window: Console, stage: 'AGENT' | 'AUDITOR'): Promise<void> {
  await window.button(stage === 'AGENT' ? SAYS.reviewAsAgent : SAYS.reviewAsAuditor).click();
  await window.choose('Approve');
  await window.press(stage === 'AGENT' ? SAYS.approveAsAgent : SAYS.approveAsAuditor);
  await window.isAt(stage === 'AGENT' ? 'Agent approved' : 'Auditor approved');
}

const workerOf = ({ page }: Console) => page.getByRole('article').getByText(/^Worked on by:/);

const expectRows = (window: Console, ...ids: string[]) =>
  expect.poll(() => window.rows.getByRole('link').allInnerTexts(), PATIENTLY).toEqual(ids);

browserTest(
  'two agents and an auditor work through their queues with the next button: nobody gets a session that another person has, and an empty queue says so',
  async () => {
    const gateway = await bootGateway();
    await queue(gateway, 'queue.1', 'queue.2', 'queue.3', 'queue.4');
    const ravi = await openAs(gateway, 'ravi', ['AGENT']);
    const meera = await openAs(gateway, 'meera', ['AGENT']);
    const uma = await openAs(gateway, 'uma', ['AUDITOR']);

    const reviewed: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const taken = await Promise.all([takesNext(ravi), takesNext(meera)]);
      reviewed.push(...taken);
      await ravi.button('Next').click();
      await ravi.page.getByText(STILL_YOURS).waitFor();
      await approvesAs(ravi, 'AGENT');
      await approvesAs(meera, 'AGENT');
    }
    await ravi.button('Next').click();
    await ravi.page.getByRole('status').filter({ hasText: QUEUE_EMPTY }).waitFor();
    const audited: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      audited.push(await takesNext(uma));
      await approvesAs(uma, 'AUDITOR');
    }

    expect(reviewed.slice(0, 2).toSorted()).toEqual(['queue.1', 'queue.2']);
    expect(reviewed.toSorted()).toEqual(['queue.1', 'queue.2', 'queue.3', 'queue.4']);
    expect(audited.toSorted()).toEqual(reviewed.toSorted());
    await uma.page.getByRole('link', { name: 'Sessions' }).first().click();
    await expect.poll(() => uma.page.getByText(STILL_YOURS).count()).toBe(0);
    expect([...ravi.complaints, ...meera.complaints, ...uma.complaints]).toEqual([]);
  },
);

browserTest(
  'the session of an agent whose browser is killed shows until when it is theirs, and comes back to the queue after the lease',
  async () => {
    const clock = movableClock();
    const gateway = await bootGateway({ clock, environment: { CLAIM_LEASE_MINUTES: '10' } });
    const [id] = await queue(gateway, 'queue.1');
    const list = await openConsole(gateway, { as: 'OPERATOR' });
    const ravi = await openAs(gateway, 'ravi', ['AGENT']);
    const meera = await openAs(gateway, 'meera', ['AGENT'], { at: `/sessions/${id}` });
    await meera.live();
    expect(await workerOf(meera).count()).toBe(0);

    expect(await takesNext(ravi)).toBe('queue.1');
    await expect.poll(() => workerOf(ravi).innerText()).toMatch(/^Worked on by: You until .*\d\d:\d\d$/);
    await expect
      .poll(() => workerOf(meera).innerText(), PATIENTLY)
      .toMatch(/^Worked on by: ravi until .*\d\d:\d\d$/);
    await expect.poll(() => meera.button(SAYS.reviewAsAgent).count()).toBe(0);
    await list
      .rowOf('queue.1')
      .getByText(/^ravi until/)
      .waitFor();
    await killWindow(ravi);
    clock.forward(9 * MINUTE);
    await meera.button('Next').click();
    await meera.page.getByText(QUEUE_EMPTY).waitFor();
    clock.forward(2 * MINUTE);

    await expect.poll(() => workerOf(meera).count(), PATIENTLY).toBe(0);
    await meera.button(SAYS.reviewAsAgent).waitFor();
    await expect.poll(() => list.rowOf('queue.1').getByText(/until/).count(), PATIENTLY).toBe(0);
    await meera.button('Next').click();
    await expect.poll(() => workerOf(meera).innerText(), PATIENTLY).toMatch(/^Worked on by: You until/);
    const history = meera.page.getByRole('region', { name: 'Who worked on it' }).getByRole('listitem');
    await expect.poll(() => history.count()).toBe(2);
    expect(await history.first().innerText()).toMatch(/^meera\s+From the queue, .*\s+Taken over from: ravi$/);
    await approvesAs(meera, 'AGENT');
    await expect.poll(() => workerOf(meera).count()).toBe(0);
    expect([...meera.complaints, ...list.complaints]).toEqual([]);
  },
);

browserTest(
  'my work is live: sessions come when they are assigned to the viewer, and go when the assignment or its lease ends, but not while it is renewed',
  async () => {
    const clock = movableClock();
    const gateway = await bootGateway({ clock, environment: { CLAIM_LEASE_MINUTES: '10' } });
    const { olga, ravi } = await staffOf(gateway);
    const [first, second] = (await queue(gateway, 'queue.1', 'queue.2', 'queue.3')) as [string, string];
    const window = await openAs(gateway, 'ravi', ['AGENT']);
    await window.page.getByRole('link', { name: 'My work' }).click();
    await window.live();
    await window.page.getByText('No sessions match these filters.').waitFor();

    await olga.act('assignAgent', second, { agent: 'ravi' });
    await expectRows(window, 'queue.2');
    await olga.act('assignAgent', second, { agent: 'meera' });
    await expectRows(window);
    await ravi.claim('AGENT');
    await expectRows(window, 'queue.1');
    const mark = window.rowOf('queue.1').getByText(/^You until .*\d\d:\d\d$/);
    const end = await mark.innerText();
    clock.forward(8 * MINUTE);
    // No frame tells of the renewal by a repeated claim: the page asks when the lease that it knows ends.
    await ravi.claim('AGENT');
    expect(await mark.innerText()).toBe(end);
    clock.forward(4 * MINUTE);
    await expect.poll(() => mark.innerText(), PATIENTLY).not.toBe(end);
    clock.forward(9 * MINUTE);
    await expectRows(window);
    await ravi.act('assignAgent', first, { agent: 'ravi' });
    await expectRows(window, 'queue.1');
    await ravi.act('recordAgentReview', first, { decision: 'APPROVED' });

    await expectRows(window);
    expect(window.page.url()).not.toContain('ravi');
    expect(window.complaints).toEqual([]);
  },
);

browserTest(
  'viewers get neither a next button nor a tab for their work, and an administrator chooses the queue',
  async () => {
    const gateway = await bootGateway();
    const [id] = (await queue(gateway, 'queue.1')) as [string];
    const { ravi } = await staffOf(gateway);
    await ravi.act('recordAgentReview', id, { decision: 'APPROVED' });
    const vera = await openConsole(gateway, { as: 'VIEWER' });
    await vera.live();
    expect(await vera.button('Next').count()).toBe(0);
    expect(await vera.page.getByRole('link', { name: 'My work' }).count()).toBe(0);

    const ada = await openConsole(gateway, { as: 'ADMIN' });
    await ada.button('Next').click();
    await ada.page.getByText(QUEUE_EMPTY).waitFor();
    await ada.page.getByRole('combobox', { name: 'Queue' }).selectOption('Audits');
    expect(await takesNext(ada)).toBe('queue.1');
    await ada.page.reload();
    await expect.poll(() => ada.page.getByRole('combobox', { name: 'Queue' }).inputValue()).toBe('AUDITOR');
  },
);

browserTest(
  'an agent hands a session on with a note: the colleague sees it in their work, and gives it back to the queue',
  async () => {
    const gateway = await bootGateway();
    await queue(gateway, 'queue.1');
    const ravi = await openAs(gateway, 'ravi', ['AGENT']);
    const meera = await openAs(gateway, 'meera', ['AGENT'], { at: MY_WORK });
    await meera.live();
    await takesNext(ravi);

    await ravi.button('Assign').click();
    await ravi.dialog.getByText(/^Worked on by: You until/).waitFor();
    await ravi.field('User ID of the agent or auditor').fill(' meera ');
    await ravi.field('Note for the person who goes on (optional)').fill('He speaks Marathi only.');
    await ravi.press('Assign the session');
    await expect.poll(() => workerOf(ravi).innerText(), PATIENTLY).toBe('Worked on by: meera');
    await expect.poll(() => ravi.button(SAYS.reviewAsAgent).count()).toBe(0);
    await meera.open('queue.1');
    await meera.page.getByRole('region', { name: 'Notes' }).getByText('He speaks Marathi only.').waitFor();
    await meera.button('End assignment').click();
    await meera.press('End the assignment');

    await expect.poll(() => workerOf(ravi).count(), PATIENTLY).toBe(0);
    await ravi.button(SAYS.reviewAsAgent).waitFor();
    const history = ravi.page.getByRole('region', { name: 'Who worked on it' }).getByRole('listitem');
    await expect
      .poll(() => history.first().innerText())
      .toMatch(/^meera\s+Assigned by: ravi, .*\s+Ended by: meera, /);
    expect(await ravi.entries.first().innerText()).toMatch(/^Assignment[\s\S]*done here by meera$/);
    expect([...ravi.complaints, ...meera.complaints]).toEqual([]);
  },
);

/** Starts sessions whose customers have not begun. */
async function invite(gateway: Gateway, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) await gateway.start(`bulk-${number}`);
}

/** Holds all calls of a mutation until `release`, and counts how many were sent before one was answered. */
async function hold({ page }: Console, mutation: string) {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const counted = { inFlight: 0, most: 0, sent: 0 };
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes(`${mutation}(`)) return route.fallback();
    counted.sent += 1;
    counted.inFlight += 1;
    counted.most = Math.max(counted.most, counted.inFlight);
    await released;
    const response = await route.fetch();
    counted.inFlight -= 1;
    await route.fulfill({ response });
  });
  return { counted, release };
}

const countClosures = async ({ database }: Gateway): Promise<number> =>
  (await database.query(`select from annotation where kind = 'CLOSURE'`)).rowCount ?? 0;

browserTest(
  'an operator closes 30 sessions at once: the dialog shows the progress, names the two that changed since they were selected, and repeats only what may be repeated',
  async () => {
    const gateway = await bootGateway();
    await invite(gateway, 30);
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    await window.live();
    await expect.poll(() => window.page.getByText('30 sessions', { exact: true }).count(), PATIENTLY).toBe(1);

    await window.page.getByLabel('Select all loaded (30)').check();
    await window.page.getByText('30 selected').waitFor();
    await window.button('Close…').click();
    await report(gateway, 'bulk-3', 'AADHAAR_VERIFICATION_SUCCESS');
    await report(gateway, 'bulk-7', 'AUDITOR_APPROVED');
    await settled(gateway);
    await window.choose('Mark the session as failed');
    await window.dialog.getByLabel('Reason').selectOption('CUSTOMER_UNREACHABLE');
    const { counted, release } = await hold(window, 'closeSession');
    await window.press('Mark 30 sessions as failed for good');
    await window.dialog.getByText('0 of 30').waitFor();
    await expect.poll(() => counted.sent).toBe(4);
    release();

    await window.dialog.getByText('Done: 28 of 30.').waitFor();
    expect(counted).toEqual({ inFlight: 0, most: 4, sent: 30 });
    const refused = window.dialog.getByRole('listitem');
    expect((await refused.allInnerTexts()).toSorted()).toEqual([
      expect.stringMatching(
        /^bulk-3 Has changed since you selected it. Now:\s+\W\s*Aadhaar verification success$/,
      ),
      expect.stringMatching(/^bulk-7 Has changed since you selected it. Now:\s+\W\s*Auditor approved$/),
    ]);
    await window.press('Try 2 again');
    await window.dialog.getByText('Done: 29 of 30.').waitFor();
    expect(await refused.allInnerTexts()).toEqual(['bulk-7 The session is over.']);
    expect(await window.dialog.getByRole('button', { name: /again/ }).count()).toBe(0);
    await window.press('Close');
    await window.page.getByText('1 selected').waitFor();
    expect(await countClosures(gateway)).toBe(29);
    expect(window.complaints).toEqual([]);
  },
);

browserTest(
  'a run that the user stops sends nothing more, and says how many sessions were not tried',
  async () => {
    const gateway = await bootGateway();
    await invite(gateway, 12);
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    await window.live();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(12);
    await window.page.getByLabel('Select all loaded (12)').check();
    await window.button('Assign…').click();
    await window.field('User ID of the agent or auditor').fill('meera');
    const { counted, release } = await hold(window, 'assignAgent');
    await window.press('Assign 12 sessions');
    await expect.poll(() => counted.sent).toBe(4);

    await window.page.keyboard.press('Escape');
    release();
    await window.dialog.getByText('Done: 4 of 12. Stopped: 8 not tried.').waitFor();
    await window.page.keyboard.press('Escape');

    await expect.poll(() => window.dialog.count()).toBe(0);
    await window.page.getByText('8 selected').waitFor();
    await expect.poll(() => window.rows.getByText('meera', { exact: true }).count(), PATIENTLY).toBe(4);
    const { rowCount } = await gateway.database.query(
      `select from vkyc_session where assigned_agent = 'meera'`,
    );
    expect(rowCount).toBe(4);
  },
);

browserTest(
  'if the answer about a session is lost, it may be tried again, and is assigned once',
  async () => {
    const gateway = await bootGateway();
    await invite(gateway, 3);
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    await window.live();
    let lost = false;
    await window.page.route('**/graphql', async (route) => {
      if (lost || !route.request().postData()?.includes('assignAgent(')) return route.fallback();
      lost = true;
      // Sends the mutation to the gateway, but drops the answer.
      await route.fetch();
      await route.abort('connectionreset');
    });
    await window.page.getByLabel('Select all loaded (3)').check();
    await window.button('Assign…').click();
    await window.field('User ID of the agent or auditor').fill('meera');
    await window.press('Assign 3 sessions');

    await window.dialog.getByText('Done: 2 of 3.').waitFor();
    await window.dialog.getByText(SAYS.unreachable).waitFor();
    await window.press('Try 1 again');
    await window.dialog.getByText('Done: 3 of 3.').waitFor();
    const { rowCount } = await gateway.database.query(`select from annotation where kind = 'ASSIGNMENT'`);
    expect(rowCount).toBe(3);
  },
);

browserTest(
  'rows are selected one by one, and by a range with the shift key; a row that leaves the list is no longer selected',
  async () => {
    const gateway = await bootGateway();
    await invite(gateway, 6);
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest&phase=RECEIVED' });
    await window.live();
    const checkbox = (number: number) => window.page.getByLabel(`Select bulk-${number}`, { exact: true });
    await checkbox(2).check();
    await checkbox(5).click({ modifiers: ['Shift'] });
    await window.page.getByText('4 selected').waitFor();
    await checkbox(3).uncheck();
    await window.page.getByText('3 selected').waitFor();
    await report(gateway, 'bulk-4', 'AUDITOR_APPROVED');

    await window.page.getByText('2 selected').waitFor();
    expect(await Promise.all([1, 2, 3, 5, 6].map((number) => checkbox(number).isChecked()))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    await window.button('Clear selection').click();
    await expect.poll(() => checkbox(2).isChecked()).toBe(false);
    const vera = await openConsole(gateway, { as: 'VIEWER' });
    await vera.rowOf('bulk-1').waitFor();
    expect(await vera.page.getByRole('checkbox').count()).toBe(0);
  },
);

browserTest(
  'with the keyboard alone an agent selects sessions, assigns them to themselves, and takes the next one',
  async () => {
    const gateway = await bootGateway();
    await queue(gateway, 'key-1', 'key-2', 'key-3');
    const window = await openAs(gateway, 'ravi', ['AGENT'], { at: '/?order=oldest' });
    const { keyboard } = window.page;
    await window.live();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(3);

    for (const row of ['key-1', 'key-2']) {
      await keyboard.press('j');
      await expect.poll(() => focusOf(window)).toBe(row);
    }
    await keyboard.press('x');
    await window.page.getByText('1 selected').waitFor();
    await keyboard.press('j');
    await expect.poll(() => focusOf(window)).toBe('key-3');
    await tabTo(window, 'Select key-3', 'Shift+Tab');
    await keyboard.press('Space');
    await window.page.getByText('2 selected').waitFor();
    await keyboard.press('x');
    await window.page.getByText('1 selected').waitFor();
    await keyboard.press('x');
    await tabTo(window, 'Assign…');
    await keyboard.press('Enter');
    await window.dialog.waitFor();
    await tabTo(window, 'Assign to me');
    await keyboard.press('Enter');
    await tabTo(window, 'Assign 2 sessions');
    await keyboard.press('Enter');
    await window.dialog.getByText('Done: 2 of 2.').waitFor();
    await expect.poll(() => focusOf(window)).toBe('Close');
    await keyboard.press('Enter');
    await expect.poll(() => window.dialog.count()).toBe(0);
    await keyboard.press('c');

    await window.page.getByRole('heading', { level: 1, name: 'key-2' }).waitFor();
    await window.page.getByText(STILL_YOURS).waitFor();
    await keyboard.press('?');
    await window.dialog.getByText('Take the next session of your queue').waitFor();
    expect(window.complaints).toEqual([]);
  },
);

/** Returns the name of the focused element. */
for (const [name, viewport] of Object.entries(VIEWPORTS))
  browserTest(
    `queues, assignments and actions on several sessions have no accessibility violation and fit the screen, on a ${name} screen`,
    async () => {
      const gateway = await bootGateway();
      const { olga } = await staffOf(gateway);
      const [first] = (await queue(gateway, 'queue.1', 'queue.2')) as [string];
      const window = await openConsole(gateway, { as: 'ADMIN', at: '/?order=oldest', viewport });
      const faults: string[] = [];
      const look = async (screen: string) => {
        faults.push(...(await faultsOf(window, screen)));
        if (await window.page.evaluate('document.documentElement.scrollWidth > innerWidth'))
          faults.push(`${screen}: wider than the screen`);
      };
      await window.live();
      await olga.act('assignAgent', first, { agent: 'meera' });
      await window.rowOf('queue.1').getByText('meera').waitFor();
      await window.page.getByRole('combobox', { name: 'Queue' }).selectOption('Audits');
      await window.button('Next').click();
      await window.page.getByText('The audit queue has no session for you.').waitFor();
      await window.page.getByLabel('Select all loaded (2)').check();
      await look('selected, and the queue is empty');
      await window.button('Assign…').click();
      await look('assigning several');
      await window.page.keyboard.press('Escape');
      await window.button('Close…').click();
      await report(gateway, 'queue.2', 'AGENT_APPROVED');
      await settled(gateway);
      await window.choose('Mark the session as failed');
      await window.dialog.getByLabel('Reason').selectOption('TECHNICAL');
      await look('closing several');
      await window.press('Mark 2 sessions as failed for good');
      await window.dialog.getByText('Done: 1 of 2.').waitFor();
      await look('refused');
      await window.press('Close');
      await olga.act('assignAgent', await idOf(gateway, 'queue.2'), { agent: 'uma' });
      await window.open('queue.2');
      await workerOf(window).waitFor();
      await look('assigned session');
      for (const opener of ['Assign', 'End assignment']) {
        await window.button(opener).click();
        await look(opener);
        await window.page.keyboard.press('Escape');
      }

      expect(faults).toEqual([]);
      expect(window.complaints).toEqual([]);
    },
  );

async function idOf(gateway: Gateway, verificationId: string): Promise<string> {
  const query =
    'query ($verificationId: String!) { sessionByVerificationId(verificationId: $verificationId) { id } }';
  return (await gateway.graphql(query, { verificationId })).data.sessionByVerificationId.id;
}

browserTest(
  'in Hindi, the next button, my work, the selection and the assignments are in Hindi',
  async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const [id] = (await queue(gateway, 'queue.1')) as [string];
    const window = await openAs(gateway, 'ravi', ['AGENT']);
    await window.button('हिन्दी').click();
    await window.page.getByRole('link', { name: 'मेरा काम' }).click();
    await window.button('अगला').waitFor();
    await olga.act('assignAgent', id, { agent: 'ravi' });

    await window.page.getByLabel('queue.1 चुनें').check();
    await window.page.getByRole('region', { name: 'चुने हुए सत्र' }).getByText('1 चुने हुए').waitFor();
    await window.button('असाइन करें…').click();
    await window.dialog.getByRole('heading', { name: '1 सत्र असाइन करें' }).waitFor();
    await window.field('एजेंट या ऑडिटर की यूज़र ID').fill('meera');
    await window.press('1 सत्र असाइन करें');
    await window.dialog.getByText('1 में से 1 पूरे हुए।').waitFor();
    expect(await window.dialog.innerText()).not.toMatch(/[A-Za-z]/);
    await window.press('बंद करें');
    await window.button('अगला').click();
    await window.page.getByText('समीक्षा की कतार में आपके लिए कोई सत्र नहीं है। बाद में फिर कोशिश करें।').waitFor();
    await window.page.goto(`${gateway.url}/console/sessions/${id}`);
    await window.page.getByText('इस पर काम कर रहे हैं: meera').waitFor();
    const card = window.page.getByRole('region', { name: 'इस पर किसने काम किया' });
    expect(await card.getByRole('listitem').first().innerText()).toMatch(/^meera\s+असाइन करने वाले: ravi, /);
    expect(window.complaints).toEqual([]);
  },
);
