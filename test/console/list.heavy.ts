/** Stories of the list of sessions: search, orders, deadlines, saved views, and the names of customers. */
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { movableClock } from '../harness/clock.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { startHttpProxy } from '../harness/tcp-proxy.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
const MINUTE = 60_000;

/** Expects the sessions of the list, in this order. */
const expectListed = (window: Console, ...ids: string[]) =>
  expect.poll(() => window.rows.getByRole('link').allInnerTexts(), PATIENTLY).toEqual(ids);
const searchOf = ({ page }: Console) => new URL(page.url()).search;

browserTest(
  'the search finds a part of a verification id or of a reference id in any case, and sessions that come later',
  async () => {
    const gateway = await bootGateway();
    for (const id of ['Loan-4711', 'loan-0815', 'card-4711']) await gateway.start(id);
    const { olga } = await staffOf(gateway);
    const { referenceId } = await olga.query(
      '{ result: sessionByVerificationId(verificationId: "loan-0815") { referenceId } }',
    );
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest' });
    const field = window.page.getByRole('searchbox');
    await window.live();

    await field.fill('AN-');
    await expectListed(window, 'Loan-4711', 'loan-0815');
    await gateway.start('DAN-1');
    await expectListed(window, 'Loan-4711', 'loan-0815', 'DAN-1');
    await field.fill('-47');
    await expectListed(window, 'Loan-4711', 'card-4711');
    await gateway.start('gold-4799');
    await gateway.start('gold-9947');
    await gateway.start('gold-4700');
    await expectListed(window, 'Loan-4711', 'card-4711', 'gold-4799', 'gold-4700');
    await field.fill('-4');
    await window.page.getByText('Type at least 3 characters.').waitFor();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(7);
    expect(await faultsOf(window, 'short search')).toEqual([]);
    await field.fill(String(referenceId).slice(1));
    await expectListed(window, 'loan-0815');
    await window.page.reload();

    await expectListed(window, 'loan-0815');
    expect(await field.inputValue()).toBe(String(referenceId).slice(1));
    expect(window.complaints).toEqual([]);
  },
);

browserTest(
  'the list can be sorted by the time in step, the meeting and the deadline, and stays sorted as sessions move',
  async () => {
    const gateway = await bootGateway({ environment: { DEADLINES: 'USER_QUEUED=10,AGENT_ENDED_CALL=5' } });
    const { olga } = await staffOf(gateway);
    const first = await sessionAt(gateway, 'first', 'USER_QUEUED');
    const second = await sessionAt(gateway, 'second', 'AGENT_ENDED_CALL');
    const third = await gateway.start('third');
    const closed = await gateway.start('closed');
    await olga.act('closeSession', closed.id, { outcome: 'FAILED', reason: 'OTHER', note: 'Gone.' });
    await olga.act('scheduleMeeting', third.id, { startsAt: inMinutes(90) });
    await olga.act('scheduleMeeting', first.id, { startsAt: inMinutes(120) });
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest' });
    const order = window.page.getByLabel('Order');
    await window.live();

    await order.selectOption('Next meeting first');
    await expectListed(window, 'third', 'first');
    await window.page.getByText(/Only sessions with a booked meeting\./).waitFor();
    await olga.act('scheduleMeeting', first.id, { startsAt: inMinutes(30) });
    await expectListed(window, 'first', 'third');
    await olga.act('cancelMeeting', third.id);
    await expectListed(window, 'first');
    await order.selectOption('Longest in step first');
    await expectListed(window, 'second', 'first', 'third');
    await report(gateway, 'second', 'AGENT_APPROVED');
    await settled(gateway);
    await expectListed(window, 'first', 'third', 'second');
    await order.selectOption('Next deadline first');
    await expectListed(window);
    await report(gateway, 'third', 'USER_QUEUED');
    await settled(gateway);
    await expectListed(window, 'third');
    await report(gateway, 'first', 'AGENT_ENDED_CALL');
    await settled(gateway);

    await expectListed(window, 'first', 'third');
    expect(second.id).not.toBe(first.id);
    expect(window.complaints).toEqual([]);
  },
);

for (const viewport of SIZES)
  browserTest(
    `a session that becomes overdue is marked, and comes into the list of overdue sessions, until it moves on, in a window of ${viewport.width} pixels`,
    async () => {
      const clock = movableClock();
      const gateway = await bootGateway({ clock, environment: { DEADLINES: 'USER_QUEUED=10' } });
      await sessionAt(gateway, 'queued', 'USER_QUEUED');
      await gateway.start('invited');
      const all = await openConsole(gateway, { as: 'AGENT', at: '/?order=newest', viewport });
      const overdue = await openConsole(gateway, { as: 'AGENT', at: '/?order=newest&is=overdue', viewport });
      await all.live();
      await overdue.live();
      expect(await overdue.rows.count()).toBe(0);
      expect(await all.page.getByText(/^Overdue \d/).count()).toBe(0);

      clock.forward(11 * MINUTE);
      await expectListed(overdue, 'queued');
      await all
        .rowOf('queued')
        .getByText(/^Overdue \d/)
        .waitFor();
      expect(await faultsOf(all, 'overdue')).toEqual([]);
      await all.page.reload();
      await all
        .rowOf('queued')
        .getByText(/^Overdue \d/)
        .waitFor();
      await report(gateway, 'queued', 'AGENT_ASSIGNED_TO_USER');
      await settled(gateway);

      await expectListed(overdue);
      await expect.poll(() => all.page.getByText(/^Overdue \d/).count(), PATIENTLY).toBe(0);
      expect([...all.complaints, ...overdue.complaints]).toEqual([]);
    },
  );

browserTest(
  'a session that becomes overdue while the connection is lost is in the list of overdue sessions after it',
  async () => {
    const clock = movableClock();
    const gateway = await bootGateway({ clock, environment: { DEADLINES: 'USER_QUEUED=10' } });
    const wire = await startHttpProxy(gateway.url);
    await sessionAt(gateway, 'queued', 'USER_QUEUED');
    const at = '/?order=newest&is=overdue';
    const cut = await openConsole(wire, { as: 'AGENT', at });
    const connected = await openConsole(gateway, { as: 'AGENT', at });
    await cut.live();
    await connected.live();

    wire.cut();
    await expect.poll(() => cut.badge.textContent(), PATIENTLY).toMatch(/^(Stale|No news)/);
    clock.forward(11 * MINUTE);
    // From here on, nobody is told of the deadline any more.
    await expectListed(connected, 'queued');
    wire.mend();
    await cut.live();

    await expectListed(cut, 'queued');
  },
);

browserTest(
  'the list can be filtered by meetings of today and by links that expire within a day, and is live',
  async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const [soon, later, expiring] = await Promise.all(
      ['soon', 'later', 'expiring'].map((id) => gateway.start(id)),
    );
    if (!soon || !later || !expiring) throw new Error('no session');
    const expire = (id: string, hours: number) =>
      gateway.database.query(
        `update vkyc_session set link_expires_at = now() + $2 * interval '1 hour' where verification_id = $1`,
        [id, hours],
      );
    for (const id of ['soon', 'later']) await expire(id, 48);
    await expire('expiring', 3);
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=oldest' });
    await window.live();

    await window.button('Link expires within a day').click();
    await expectListed(window, 'expiring');
    await olga.act('closeSession', expiring.id, { outcome: 'FAILED', reason: 'OTHER', note: 'Gone.' });
    await expectListed(window);
    await window.button('Remove filter: Link expires within a day').click();
    await window.button('Meeting today').click();
    await expectListed(window);
    await olga.act('scheduleMeeting', later.id, { startsAt: inMinutes(60 * 26) });
    await olga.act('scheduleMeeting', soon.id, { startsAt: inMinutes(1) });
    await expectListed(window, 'soon');
    await olga.act('cancelMeeting', soon.id);

    await expectListed(window);
    expect(window.complaints).toEqual([]);
  },
);

browserTest(
  'a customer can neither filter by deadlines nor sort by them, also by an address of staff',
  async () => {
    const gateway = await bootGateway();
    await gateway.start('own');
    const token = await gateway.token({ sub: 'asha', roles: ['CUSTOMER'], verification_ids: ['own'] });
    const window = await openConsole(gateway, { at: '/nowhere' });
    await window.page.evaluate(
      `sessionStorage['vkyc.sign-in'] = ${JSON.stringify(JSON.stringify({ kind: 'TOKEN', token }))}`,
    );

    await window.page.goto(`${gateway.url}/console/?order=due&is=overdue`);
    await expectListed(window, 'own');

    expect(await window.button('Overdue').count()).toBe(0);
    expect(await window.page.getByLabel('Order').locator('option').allInnerTexts()).not.toContain(
      'Next deadline first',
    );
  },
);

browserTest(
  'the link in the header keeps the filters of the list, and filters saved under a name come back as a view',
  async () => {
    const gateway = await bootGateway();
    await gateway.start('plain');
    const { id } = await sessionAt(gateway, 'queued', 'USER_QUEUED');
    const { olga } = await staffOf(gateway);
    await olga.act('escalateSession', id, { reason: 'TECHNICAL' });
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    const { page } = window;
    const views = page.getByRole('navigation', { name: 'Views' });
    const sessions = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sessions' });
    await window.live();
    expect(await window.button('Save view').count()).toBe(0);

    await window.button('Escalated').click();
    await page.getByRole('searchbox').fill('que');
    await expectListed(window, 'queued');
    await expect.poll(() => searchOf(window)).toBe('?order=newest&is=escalated&id=que');
    for (const other of ['Calendar', 'Insight']) {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: other }).click();
      await sessions.click();
      await expectListed(window, 'queued');
      expect(searchOf(window)).toBe('?order=newest&is=escalated&id=que');
    }
    await sessions.click();
    expect(searchOf(window)).toBe('?order=newest&is=escalated&id=que');

    await window.button('Save view').click();
    await window.field('Name').fill('  My queue\u202e ');
    expect(await faultsOf(window, 'saving')).toEqual([]);
    await window.press('Save');
    await window.dialog.waitFor({ state: 'detached' });
    const mine = views.getByRole('link', { name: /My queue/ });
    expect(await mine.getAttribute('aria-current')).toBe('page');
    expect(await faultsOf(window, 'saved')).toEqual([]);
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expectListed(window, 'queued', 'plain');
    await page.reload();
    await mine.click();
    await expectListed(window, 'queued');
    expect(searchOf(window)).toBe('?order=newest&is=escalated&id=que');
    await views.getByRole('button', { name: /Delete view My queue/ }).click();
    await expect.poll(() => mine.count()).toBe(0);
    await page.reload();
    await expectListed(window, 'queued');
    expect(await mine.count()).toBe(0);

    // What the browser kept and makes no sense is ignored.
    for (const kept of ['{', '{}', '[null, 1, {"name": "x"}]']) {
      await page.evaluate(`localStorage['vkyc.views'] = ${JSON.stringify(kept)}`);
      await page.reload();
      await expectListed(window, 'queued');
      expect(await views.getByRole('button').count()).toBe(0);
    }
    expect(window.complaints).toEqual([]);
  },
);

/** Function for the page that returns the tag of an element, and how its writing direction is isolated. */
const ISOLATION = new Function('element', 'return [element.tagName, getComputedStyle(element).unicodeBidi];');

/** Counts the recorded reads of personal data. */
const countReads = async ({ database }: Gateway): Promise<number> =>
  (await database.query('select count(*)::int as count from personal_data_read')).rows[0].count;

for (const viewport of SIZES)
  browserTest(
    `who may see names sees them in the list and on the page of a session, and who may not never asks for them, in a window of ${viewport.width} pixels`,
    async () => {
      const gateway = await bootGateway();
      const name = 'Asha\u202eRao\u202e';
      const { id } = await gateway.start('named', { user: { phone: '9988776655', name } });
      const window = await openConsole(gateway, { as: 'AGENT', at: '/?order=newest', viewport });
      const stranger = await openConsole(gateway, { as: 'VIEWER', at: '/?order=newest', viewport });
      const asked: string[] = [];
      stranger.page.on('request', (request) => asked.push(request.postData() ?? ''));
      await stranger.page.reload();

      await window.rowOf('named').getByText(/^Asha/).waitFor();
      // Marks in the name turn nothing around that stands next to it.
      const isolated = await window
        .rowOf('named')
        .getByText(/^Asha/)
        .evaluate(ISOLATION as never);
      expect(isolated).toEqual(['BDI', 'isolate']);
      expect(await faultsOf(window, 'list with names')).toEqual([]);
      // Each name that is read is recorded.
      expect(await countReads(gateway)).toBeGreaterThan(0);
      await window.open('named');
      await window.page.getByRole('article').locator('header').first().getByText(/^Asha/).waitFor();
      expect(await window.page.title()).not.toContain('Asha');

      await stranger.rowOf('named').waitFor();
      await stranger.live();
      const before = await countReads(gateway);
      await gateway.start('later', { user: { phone: '9988776656', name: 'Ravi Das' } });
      await stranger.rowOf('later').waitFor();
      expect(await stranger.page.getByText(/Asha|Ravi/).count()).toBe(0);
      expect(await stranger.page.getByRole('columnheader', { name: 'Customer' }).count()).toBe(0);
      await stranger.page.goto(`${gateway.url}/console/sessions/${id}`);
      await stranger.isAt('Link generated');
      expect(await stranger.page.getByText(/Asha/).count()).toBe(0);
      expect(await countReads(gateway)).toBe(before);
      expect(asked.join()).toContain('VkycFloor');
      expect(asked.join()).not.toContain('VkycCustomerNames');
      expect([...window.complaints, ...stranger.complaints]).toEqual([]);
    },
  );

browserTest('names are read for the rows on screen, and not for all sessions of the list', async () => {
  const gateway = await bootGateway();
  await gateway.start('many');
  await gateway.database.query(
    `insert into vkyc_session
     select (jsonb_populate_record(s, jsonb_build_object(
       'id', gen_random_uuid(), 'verification_id', 'many-' || n, 'created_at', s.created_at - n * interval '1 second'
     ))).* from vkyc_session s, generate_series(1, 299) n`,
  );
  const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=newest' });
  const asked = new Set<string>();
  window.page.on('request', (request) => {
    if (!request.url().endsWith('/graphql') || request.method() !== 'POST') return;
    const { operationName, variables } = request.postDataJSON();
    if (operationName === 'VkycCustomerNames') for (const id of variables.ids) asked.add(id);
  });

  await window.page.reload();
  await window.rowOf('many').getByText('Asha Rao').waitFor();
  await window.page.getByText(/300 sessions/).waitFor();
  const first = asked.size;
  expect(first).toBeLessThan(30);
  await window.page.mouse.move(700, 700);
  await expect
    .poll(async () => {
      await window.page.mouse.wheel(0, 100_000);
      return window.rowOf('many-299').isVisible();
    }, PATIENTLY)
    .toBe(true);
  await expect.poll(() => asked.size, PATIENTLY).toBeGreaterThan(first);

  expect(asked.size).toBeLessThan(150);
});
