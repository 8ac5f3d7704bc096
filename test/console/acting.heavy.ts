/** Stories of staff who act on a session with the console's dialogs. */
import { expect } from 'vitest';
import { faultsOf, WIDTHS } from '../harness/accessibility.ts';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, SAYS } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';

/** Returns the number of reviews, annotations and transitions that are stored. */
async function countRecords({ database }: Gateway): Promise<number[]> {
  const { rows } = await database.query(
    `select (select count(*)::int from review), (select count(*)::int from annotation),
      (select count(*)::int from status_transition)`,
  );
  return Object.values(rows[0]);
}

/** Returns the confirm button of the open dialog: its last one. */
const confirmButton = ({ dialog }: Console) => dialog.getByRole('button').last();

const closes = async (window: Console) => {
  await window.page.keyboard.press('Escape');
  await window.dialog.waitFor({ state: 'detached' });
};

const openAt = async (window: Console, gateway: Gateway, id: string) => {
  await window.page.goto(`${gateway.url}/console/sessions/${id}`);
  await window.live();
};

/** Boots a gateway with an escalated session per decision that the console offers. */
async function withDecisions() {
  const gateway = await bootGateway();
  const { olga, ravi } = await staffOf(gateway);
  const toReview = await sessionAt(gateway, 'to-review', 'USER_ACCEPTED_MEETING', 'USER_ENDED_CALL');
  const toAudit = await sessionAt(gateway, 'to-audit', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', toAudit.id, { decision: 'APPROVED' });
  const disputed = await sessionAt(gateway, 'disputed', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', disputed.id, { decision: 'APPROVED' });
  await olga.act('escalateSession', disputed.id, { reason: 'OTHER', note: 'The name differs.' });
  await report(gateway, 'disputed', 'AGENT_REJECTED');
  await settled(gateway);
  return { gateway, olga, ravi, toReview, toAudit, disputed };
}

browserTest(
  'no dialog of the console preselects a decision: until the user has chosen one, the confirm button does nothing and says what is missing',
  async () => {
    const { gateway, toReview, toAudit, disputed } = await withDecisions();
    const window = await openConsole(gateway, { as: 'ADMIN' });
    const before = await countRecords(gateway);

    for (const [id, opener, missing] of [
      [toReview.id, SAYS.reviewAsAgent, 'Choose a decision.'],
      [toReview.id, SAYS.close, 'Choose an outcome.'],
      [toReview.id, SAYS.escalate, 'Choose a reason.'],
      [toReview.id, SAYS.note, 'Write the note.'],
      [toAudit.id, SAYS.reviewAsAuditor, 'Choose a decision.'],
      [disputed.id, SAYS.resolveDispute, 'Choose whose decision stands.'],
      [disputed.id, SAYS.resolveEscalation, 'Write what came of the escalation.'],
    ] as const) {
      await openAt(window, gateway, id);
      await window.button(opener).click();
      await window.dialog.waitFor();
      expect(await window.dialog.getByRole('radio', { checked: true }).count(), opener).toBe(0);
      for (const select of await window.dialog.locator('select').all())
        expect(await select.inputValue(), opener).toBe('');
      const confirm = confirmButton(window);
      expect(await confirm.getAttribute('aria-disabled'), opener).toBe('true');
      const description = (await confirm.getAttribute('aria-describedby')) ?? '';
      const said = `document.getElementById(${JSON.stringify(description)}).textContent`;
      expect(await window.page.evaluate(said), opener).toBe(missing);
      await confirm.focus();
      await window.page.keyboard.press('Enter');
      await confirm.click({ force: true });
      expect(await window.dialog.count(), opener).toBe(1);
      await closes(window);
    }

    expect(await countRecords(gateway)).toEqual(before);
  },
);

browserTest(
  'in the console a final decision is confirmed only by a button that says in full what will happen, never by Enter in a field',
  async () => {
    const { gateway, toAudit } = await withDecisions();
    const window = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${toAudit.id}` });
    const before = await countRecords(gateway);
    await window.button(SAYS.reviewAsAuditor).click();

    await window.choose('Approve');
    expect(await confirmButton(window).textContent()).toBe(SAYS.approveAsAuditor);
    await window.page.keyboard.press('Enter');
    await window.choose('Reject');
    expect(await confirmButton(window).textContent()).toBe(SAYS.rejectAsAuditor);
    expect(await confirmButton(window).getAttribute('aria-disabled')).toBe('true');
    await window.choose('Other');
    await window.dialog.getByText('Write remarks').waitFor();
    await window.field('Remarks').fill('Not the person of the document.');
    await window.field('Message to the customer (optional)').fill('Please visit a branch.');
    await window.dialog.getByRole('radio', { name: 'Reject' }).focus();
    await window.page.keyboard.press('Enter');
    expect(await countRecords(gateway)).toEqual(before);
    await window.press(SAYS.rejectAsAuditor);

    await window.isAt('Auditor rejected');
    const reviews = window.page.getByRole('region', { name: 'Reviews' });
    await reviews.getByText('Please visit a branch.').waitFor();
    await reviews.getByText('Not the person of the document.').waitFor();
    const { rows } = await gateway.database.query(
      `select decision, reasons from review where stage = 'AUDITOR'`,
    );
    expect(rows).toEqual([{ decision: 'REJECTED', reasons: ['OTHER'] }]);
  },
);

browserTest(
  'after a call that the customer ended, the agent must say whether it was complete, and can approve only a complete one',
  async () => {
    const { gateway, toReview } = await withDecisions();
    const window = await openConsole(gateway, { as: 'AGENT', at: `/sessions/${toReview.id}` });
    await window.button(SAYS.reviewAsAgent).click();
    await window.choose('Approve');
    await window.dialog.getByText('Say whether the call was complete.').waitFor();
    await window.choose('No');
    await window.dialog.getByText('An incomplete call cannot be approved.').waitFor();
    expect(await confirmButton(window).getAttribute('aria-disabled')).toBe('true');
    await window.choose('Yes', 'Name differs');
    await window.press(SAYS.approveAsAgent);

    await window.isAt('Agent approved');
    const reviews = window.page.getByRole('region', { name: 'Reviews' });
    await reviews.getByText('stated that the call was complete').waitFor();
    await reviews.getByText('Name differs').waitFor();
  },
);

browserTest(
  'a meeting that is booked while a call awaits its review needs a reason, which the page then shows',
  async () => {
    const { gateway, toReview } = await withDecisions();
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${toReview.id}` });
    await window.button(SAYS.schedule).click();
    await window.press('Schedule');
    await expect.poll(() => window.field('Reason').getAttribute('aria-invalid')).toBe('true');
    await window.field('Reason').fill('The line broke before the last question.');
    await window.press('Schedule');

    await window.isAt('User meeting scheduled');
    const meetings = window.page.getByRole('region', { name: 'Meetings' });
    await meetings.getByText('“The line broke before the last question.”').waitFor();
  },
);

browserTest(
  "staff add notes to a session, escalate it, resolve the escalation and close it in the console, and each step appears in another user's window without a reload",
  async () => {
    const gateway = await bootGateway();
    const { id } = await sessionAt(gateway, 'acted-on', 'USER_REJECTED_MEETING');
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    const other = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${id}` });
    await other.live();
    const card = (name: string) => other.page.getByRole('region', { name });

    for (const text of ['She asks for another day.', 'Called her: no answer.']) {
      await window.button(SAYS.note).click();
      await window.field('Note').fill(text);
      await window.press('Add note');
      // The button of the open dialog has the same name as the button of the page.
      await window.dialog.waitFor({ state: 'detached' });
      await card('Notes').getByText(text).waitFor();
    }
    const notes = await card('Notes').getByRole('listitem').allInnerTexts();
    expect(notes[0]).toMatch(/^olga[\s\S]*no answer/);
    await window.button(SAYS.escalate).click();
    await window.dialog.getByLabel('Reason').selectOption('COMPLAINT');
    await window.press('Escalate the session');
    await other.page.getByText('Escalated: Customer complained.').waitFor();
    await other.button(SAYS.resolveEscalation).click();
    await other.field('Result of the investigation').fill('We apologised.');
    await other.press('Resolve the escalation');
    await card('Earlier escalations').getByText('We apologised.').waitFor();
    expect(await other.page.getByText(/^Escalated:/).count()).toBe(0);
    await window.button(SAYS.close).click();
    await window.choose('Mark the session as failed');
    await window.dialog.getByLabel('Reason').selectOption('MEETING_REJECTED');
    await window.press('Mark the session as failed for good');

    await other.isAt('Failed by merchant');
    await card('Closed by staff').getByText('Given up: Customer declined the call').waitFor();
    const [closed, resolved, escalated, note] = await other.entries.allInnerTexts();
    expect(closed).toMatch(/Failed by merchant[\s\S]*done here by olga/);
    expect(resolved).toMatch(/Escalation[\s\S]*staff resolved the escalation[\s\S]*done here by uma/);
    expect(escalated).toMatch(/Escalation[\s\S]*staff escalated the session/);
    expect(note).toMatch(/Note[\s\S]*a note of staff; the status did not change/);
    expect([...window.complaints, ...other.complaints]).toEqual([]);
  },
);

browserTest(
  'a user of the console replaces a session by a new one for the same person, and the page of the old session links to the new one',
  async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const { id } = await sessionAt(gateway, 'replaced', 'USER_LOCATION_OUTSIDE_INDIA');
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    await window.button(SAYS.replace).click();
    await window.dialog.getByText('Asha Rao, 9988776655').waitFor();
    await window.field(SAYS.id).fill('not/an/id');
    await window.press('End this session and start a new one');
    await expect.poll(() => window.field(SAYS.id).getAttribute('aria-invalid')).toBe('true');
    await window.field(SAYS.id).fill('replacement');
    await window.press('End this session and start a new one');
    await window.dialog.getByText('Share this link with the customer.').waitFor();
    await closes(window);

    await window.isAt('Replaced');
    await window.page.getByText(/Another session replaces this one:/).waitFor();
    await window.page.getByRole('link', { name: 'replacement' }).first().click();
    await window.page.getByRole('heading', { level: 1, name: 'replacement' }).waitFor();
    await window.page.getByRole('link', { name: 'replaced', exact: true }).waitFor();
    const { rows } = await gateway.database.query('select distinct user_id from vkyc_session');
    expect(rows).toHaveLength(1);
  },
);

browserTest(
  "the console shows both decisions of a dispute, and a user who made neither can replace our decision by the provider's",
  async () => {
    const { gateway, disputed } = await withDecisions();
    const window = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${disputed.id}` });
    await window.page.getByText('We have to act,').waitFor();
    await window.button(SAYS.resolveDispute).click();
    const decisions = await window.dialog.locator('dd').allInnerTexts();
    expect(decisions.map((text) => text.replace(/^\W+/, ''))).toEqual(['Agent approved', 'Agent rejected']);
    await window.choose('Accept the provider');
    await window.field('Why').fill('The video shows another person.');
    await window.press("Replace our decision by the provider's: Agent rejected");

    await window.isAt('Agent rejected');
    await expect.poll(() => window.page.getByText(/^Disputed:/).count()).toBe(0);
    const card = window.page.getByRole('region', { name: 'Resolved disputes' });
    await card.getByText('The video shows another person.').waitFor();
    await card.getByText(/^uma, /).waitFor();
  },
);

browserTest(
  "if the provider's decision changes while the dispute dialog is open, accepting it is refused, and the dialog shows the current decisions",
  async () => {
    const { gateway, disputed } = await withDecisions();
    const window = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${disputed.id}` });
    await window.page.getByText('We have to act,').waitFor();
    await window.button(SAYS.resolveDispute).click();
    await window.choose('Accept the provider');
    await window.field('Why').fill('The video shows another person.');
    await report(gateway, 'disputed', 'AGENT_UNABLE_TO_VALIDATE');
    await settled(gateway);
    await window.press("Replace our decision by the provider's: Agent rejected");

    await window.dialog.getByText('The provider has decided otherwise').waitFor();
    await window.isAt('Agent approved');
    await window.press('Show the current decisions');
    await window.dialog.locator('dd').getByText('Agent unable to validate').waitFor();
    await window.choose('Accept the provider');
    await window.press("Replace our decision by the provider's: Agent unable to validate");
    await window.isAt('Agent unable to validate');
  },
);

browserTest(
  'the dialog of a dispute that a late webhook raised shows the decision of that webhook, and accepts no other one',
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('late');
    const since = Date.now();
    const reported = async (status: string, subStatus: string, seconds: number) => {
      await gateway.webhook({
        event_type: 'X',
        event_time: new Date(since + seconds * 1_000).toISOString(),
        data: { verification_id: 'late', status, sub_status: subStatus },
      });
      await settled(gateway);
    };
    await reported('AUDITOR_REVIEWED', 'AUDITOR_APPROVED', 20);
    await reported('AUDITOR_REVIEWED', 'AUDITOR_REJECTED', 10);
    const window = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${id}` });
    await window.button(SAYS.resolveDispute).click();
    const decisions = await window.dialog.locator('dd').allInnerTexts();
    expect(decisions.map((text) => text.replace(/^\W+/, ''))).toEqual([
      'Auditor approved',
      'Auditor rejected',
    ]);
    await window.choose('Accept the provider');
    await window.field('Why').fill('Checked with the bank.');
    await reported('AGENT_REVIEWED', 'AGENT_UNABLE_TO_VALIDATE', 30);
    await window.press("Replace our decision by the provider's: Auditor rejected");

    await window.dialog.getByText('The provider has decided otherwise').waitFor();
    await window.isAt('Auditor approved');
    await window.press('Show the current decisions');
    await window.choose('Keep our decision');
    await window.press('Keep our decision: Auditor approved');
    await expect.poll(() => window.page.getByText(/^Disputed:/).count()).toBe(0);
    await window.isAt('Auditor approved');
  },
);

for (const [name, viewport] of Object.entries(WIDTHS))
  browserTest(
    `no dialog for an action, empty or with a decision chosen, and no page after the action has an accessibility violation, on a ${name} screen`,
    async () => {
      const { gateway, olga, toReview, toAudit, disputed } = await withDecisions();
      const window = await openConsole(gateway, { as: 'ADMIN', viewport });
      const faults: string[] = [];
      const look = async (screen: string) => faults.push(...(await faultsOf(window, screen)));
      await olga.act('addNote', toReview.id, { note: 'She called.' });

      for (const [id, opener, ...choices] of [
        [toReview.id, SAYS.reviewAsAgent, 'Reject', 'No', 'Other'],
        [toReview.id, SAYS.close, 'Reject'],
        [toReview.id, SAYS.escalate],
        [toReview.id, SAYS.note],
        [toReview.id, SAYS.replace],
        [toAudit.id, SAYS.reviewAsAuditor, 'Approve'],
        [disputed.id, SAYS.resolveDispute, 'Keep our decision'],
        [disputed.id, SAYS.resolveEscalation],
      ] as const) {
        await openAt(window, gateway, id);
        await window.button(opener).click();
        await window.dialog.waitFor();
        await look(opener);
        if (choices.length > 0) {
          await window.choose(...choices);
          await look(`${opener}, chosen`);
        }
        await closes(window);
      }
      await look('disputed and escalated session');
      await olga.act('resolveEscalation', disputed.id, { note: 'It was checked.' });
      await olga.act('closeSession', toReview.id, { outcome: 'REJECTED', reason: 'SUSPECTED_FRAUD' });
      await openAt(window, gateway, toReview.id);
      await look('closed session');

      expect(faults).toEqual([]);
      expect(window.complaints).toEqual([]);
    },
  );
