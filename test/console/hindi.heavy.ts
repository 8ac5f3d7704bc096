/** Stories of staff who use the console in Hindi. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, type OpenOptions, openConsole } from '../harness/console.ts';
import { bootGateway, type Gateway, PRODUCTION } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { importConsole } from './in-node.ts';

const { hindi } = await importConsole('language/hindi/index.ts');
const { actions } = hindi.labels;

const WIDTHS = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 800 } };

/** Words in Latin letters that Hindi has too. */
const LATIN_IN_HINDI = [
  ...['VKYC', 'KYC', 'SDK', 'IP', 'ID', 'API', 'OTP', 'VPN', 'CSV'],
  // Names of settings are the same in every language.
  ...['SMTP_URL', 'WEBHOOK_ENDPOINTS'],
];
/** Names and words of the people in these stories, and names of keys. */
const OF_PEOPLE = [
  'Asha',
  'Rao',
  'olga',
  'ravi',
  'uma',
  'ada',
  'vera',
  'developer',
  'Enter',
  'Pune',
  'branch',
  'gold',
];
const WRITTEN = 'She called.';

/**
 * Expression for the page. Lists the English that is on it: words in Latin letters in texts and in names for screen
 * readers, except in elements that are marked as English. Ids (`kyc-1a2b`, `no-agent`) and addresses are no words.
 */
const ENGLISH = `(() => {
  const allowed = new Set(${JSON.stringify([...LATIN_IN_HINDI, ...OF_PEOPLE, ...WRITTEN.split(/\W+/)])});
  const found = [];
  const look = (text, where) => {
    const words = text.replace(/https?:\\S+/g, '').match(/[A-Za-z][\\w.-]*/g) ?? [];
    for (const word of words)
      if (!allowed.has(word) && !/[.-]|^[a-z]$/.test(word)) found.push(word + ' in ' + where + ': ' + text.trim());
  };
  const isSkipped = (element) => element.closest('[lang=en], script, style, [data-live-announcer]') || !element.checkVisibility();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    if (!isSkipped(texts.currentNode.parentElement)) look(texts.currentNode.data, 'the text');
  for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
    for (const element of document.querySelectorAll('[' + name + ']:not(time)'))
      if (!isSkipped(element)) look(element.getAttribute(name), name);
  look(document.title, 'the title');
  return found;
})()`;

/** Expression for the page. Lists what is cut off, or makes the page wider than the window. */
const CUT_OFF = `(() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push('the page is ' + root.scrollWidth + ' px wide');
  for (const element of document.body.querySelectorAll('*:not(.hidden, svg *)')) {
    if (!element.checkVisibility() || element.closest('.hidden, [data-live-announcer]')) continue;
    const { overflowX, position } = getComputedStyle(element);
    const isClipping = overflowX === 'hidden' || overflowX === 'clip';
    // Elements of one pixel are for screen readers only.
    if (element.clientWidth <= 1 || position === 'fixed') continue;
    if (isClipping && element.scrollWidth > element.clientWidth + 1)
      found.push(element.tagName + ' cuts off: ' + element.textContent.slice(0, 80));
  }
  return found;
})()`;

/** Opens a window of the console that is in Hindi from the start. */
async function openInHindi(gateway: Gateway, options: OpenOptions): Promise<Console> {
  const window = await openConsole(gateway, options);
  await window.page.addInitScript(`localStorage['vkyc.language'] = 'hi'`);
  await window.page.goto(`${gateway.url}/console${options.at ?? '/'}`);
  return window;
}

const isLive = ({ page }: Console) =>
  page.getByRole('status').getByText(hindi.time.feed.live, { exact: true }).waitFor();

/** Returns what is wrong with the screen: English, texts that are cut off, violations that axe finds in either theme. */
async function wrongWith(window: Console, screen: string): Promise<string[]> {
  const accessibility = await faultsOf(window, screen);
  const english = await window.page.evaluate<string[]>(ENGLISH);
  const cut = await window.page.evaluate<string[]>(CUT_OFF);
  return [...accessibility, ...[...english, ...cut].map((each) => `${screen}: ${each}`)];
}

const closes = async ({ page, dialog }: Console) => {
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
};

browserTest(
  'a user switches the console to Hindi, which stays after a reload; users of the English console do not load the Hindi texts',
  async () => {
    const gateway = await bootGateway();
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    const { page } = window;
    const lang = () => page.locator('html').getAttribute('lang');
    /** Returns whether any script that the page has loaded contains Hindi texts. */
    const hasHindi = () =>
      page.evaluate<boolean>(`Promise.all(performance.getEntriesByType('resource')
        .filter(({ name }) => name.endsWith('.js'))
        .map(({ name }) => fetch(name).then((answer) => answer.text())))
        .then((scripts) => scripts.some((script) => script.includes(${JSON.stringify(hindi.floor.noSessions)})))`);
    await window.live();
    expect(await lang()).toBe('en');
    expect(await hasHindi()).toBe(false);

    await window.button('हिन्दी').click();
    await page.getByText(hindi.floor.noSessions).waitFor();
    expect(await lang()).toBe('hi');
    expect(await hasHindi()).toBe(true);
    await page.reload();
    await page.getByText(hindi.floor.noSessions).waitFor();
    expect(await lang()).toBe('hi');

    await window.button('English').click();
    await page.getByText('No sessions yet.').waitFor();
    expect(await lang()).toBe('en');
    expect(window.complaints).toEqual([]);
  },
);
for (const [name, viewport] of Object.entries(WIDTHS)) {
  browserTest(
    `no page of the console in Hindi has English, cuts a text off or has an accessibility violation, on a ${name} screen`,
    async () => {
      const gateway = await bootGateway();
      await gateway.start('begun-1', { tags: ['gold'], metadata: [{ key: 'branch', value: 'Pune' }] });
      const states = { 'proxied.proxy-detected': 2, 'approved.happy-path': 13, 'rejected.agent-rejects': 9 };
      for (const [id, steps] of Object.entries(states)) {
        await gateway.start(id);
        await gateway.advance(id, steps);
      }
      const window = await openInHindi(gateway, { as: 'ADMIN', viewport });
      const { page } = window;
      const wrong: string[] = [];
      const look = async (screen: string) => wrong.push(...(await wrongWith(window, screen)));
      await isLive(window);

      await look('floor');
      await page.getByRole('button', { name: new RegExp(`^${hindi.frame.signedInAs}`) }).click();
      await page.getByRole('menu').waitFor();
      await look('menu');
      await page.getByRole('menu').getByText(hindi.frame.keys).click();
      await window.dialog.waitFor();
      await look('keys');
      await closes(window);
      await window.button(hindi.floor.start).click();
      await window.dialog.waitFor();
      await look('starting');
      await window.field(hindi.acting.start.phone).fill('12');
      await window.press(hindi.acting.start.confirm);
      await window.dialog.getByText('10 अंक').waitFor();
      await look('starting, refused');
      await window.field(hindi.acting.start.phone).fill('9988776655');
      await window.press(hindi.acting.start.confirm);
      await window.dialog.getByText(hindi.acting.start.shareLink).waitFor();
      await look('started');
      await closes(window);
      await page.goto(
        `${gateway.url}/console/?order=newest&phase=PRE_VIDEO_CALL&waiting=CUSTOMER&is=disputed`,
      );
      await page.getByText(hindi.floor.noMatches).waitFor();
      await look('empty list');
      await page.goto(`${gateway.url}/console/insight`);
      const cards = page.getByRole('region').filter({ has: page.getByRole('img') });
      await page.getByRole('heading', { name: hindi.insight.funnel.title }).waitFor();
      await expect.poll(() => cards.count()).toBe(4);
      await look('insight, charts');
      for (const button of await page.getByRole('button', { name: hindi.insight.table, exact: true }).all())
        await button.click();
      await look('insight, tables');
      await page.goto(`${gateway.url}/console/nowhere`);
      await page.getByText(hindi.frame.pageNotFound).waitFor();
      await look('nowhere');
      await page.goto(`${gateway.url}/console/sessions/nothing`);
      await page.getByRole('heading', { name: hindi.session.notFound }).waitFor();
      await look('no session');

      expect(wrong).toEqual([]);
      expect(window.complaints).toEqual([]);
    },
  );

  browserTest(
    `no dialog and no session page in Hindi has English, cuts a text off or has an accessibility violation, on a ${name} screen`,
    async () => {
      const gateway = await bootGateway();
      const { olga, ravi } = await staffOf(gateway);
      const toReview = await sessionAt(gateway, 'to-review', 'USER_ACCEPTED_MEETING', 'USER_ENDED_CALL');
      const toAudit = await sessionAt(gateway, 'to-audit', 'AGENT_ENDED_CALL');
      await ravi.act('recordAgentReview', toAudit.id, { decision: 'APPROVED', remarks: WRITTEN });
      const disputed = await sessionAt(gateway, 'disputed-1', 'AGENT_ENDED_CALL');
      await ravi.act('recordAgentReview', disputed.id, { decision: 'APPROVED' });
      await olga.act('escalateSession', disputed.id, { reason: 'OTHER', note: WRITTEN });
      await report(gateway, 'disputed-1', 'AGENT_REJECTED');
      const booked = await sessionAt(gateway, 'booked-1', 'USER_QUEUED');
      await olga.act('scheduleMeeting', booked.id, { startsAt: inMinutes(30) });
      await settled(gateway);
      const window = await openInHindi(gateway, { as: 'ADMIN', viewport });
      const wrong: string[] = [];
      const look = async (screen: string) => wrong.push(...(await wrongWith(window, screen)));
      const review = hindi.acting.review;

      for (const [id, opener, ...choices] of [
        [toReview.id, actions.RECORD_AGENT_REVIEW, review.agentDecisions.REJECTED.label, review.no],
        [toReview.id, actions.SCHEDULE_MEETING],
        [toReview.id, actions.CLOSE, hindi.labels.closureOutcomes.REJECTED],
        [toReview.id, actions.ESCALATE],
        [toReview.id, actions.ADD_NOTE],
        [toReview.id, actions.LABEL],
        [toReview.id, actions.REPLACE],
        [toReview.id, actions.REFRESH],
        [toReview.id, actions.REQUEST_RECORDING],
        [toReview.id, actions.CREATE_SDK_TOKEN],
        [toReview.id, hindi.acting.showUnavailable],
        [toAudit.id, actions.RECORD_AUDITOR_REVIEW, review.auditorDecisions.APPROVED.label],
        [disputed.id, actions.RESOLVE_DISPUTE, hindi.labels.disputeChoices.KEEP_OURS],
        [disputed.id, actions.RESOLVE_ESCALATION],
        [booked.id, actions.CANCEL_MEETING],
        [booked.id, hindi.acting.schedule.move],
        [booked.id, hindi.acting.showUnavailable],
      ]) {
        await window.page.goto(`${gateway.url}/console/sessions/${id}`);
        await isLive(window);
        await window.button(opener).click();
        await window.dialog.waitFor();
        await window.choose(...choices);
        await look(opener);
        await closes(window);
      }
      await look('booked');
      for (const each of [toReview, toAudit, disputed]) {
        await window.page.goto(`${gateway.url}/console/sessions/${each.id}`);
        await isLive(window);
        await look(each.id);
      }
      await window.button(hindi.session.journey.showAll).click();
      await look('every step');
      await olga.act('resolveEscalation', disputed.id, { note: WRITTEN });
      await olga.act('closeSession', toReview.id, {
        outcome: 'REJECTED',
        reason: 'SUSPECTED_FRAUD',
        note: WRITTEN,
      });
      await window.page.goto(`${gateway.url}/console/sessions/${toReview.id}`);
      await window.page.getByRole('region', { name: hindi.session.closed }).waitFor();
      await look('closed');

      expect(wrong).toEqual([]);
      expect(window.complaints).toEqual([]);
    },
  );
}

/** Number of scenario steps by which each session is advanced, by its verification id (NAME.SCENARIO). */
const STATES: Readonly<Record<string, number>> = {
  'queued.no-agent': 5,
  'in-the-call.user-drops-off': 8,
  'unheard-of.unknown-status': 5,
  'expired.link-expires': 1,
  'approved.happy-path': 13,
};

browserTest(
  'the page of a session in Hindi says its status, what to do and its history in Hindi, in each state of a session',
  async () => {
    const gateway = await bootGateway();
    const ids: string[] = [];
    for (const [name, steps] of Object.entries(STATES)) {
      const { id } = await gateway.start(name);
      await gateway.advance(name, steps);
      ids.push(id);
    }
    await settled(gateway);
    const window = await openInHindi(gateway, { as: 'VIEWER' });

    const english: string[] = [];
    for (const id of ids) {
      await window.page.goto(`${gateway.url}/console/sessions/${id}`);
      await isLive(window);
      const timeline = window.page.getByRole('region', { name: hindi.session.timeline });
      await timeline.getByRole('listitem').first().waitFor();
      english.push(...(await window.page.evaluate<string[]>(ENGLISH)));
      expect(await window.page.locator('header [lang=en], ol [lang=en]').allInnerTexts()).toEqual([
        'English',
      ]);
    }

    expect(english).toEqual([]);
  },
);

browserTest(
  'a refused action says in Hindi what its code means, and below it the message of the gateway, marked as English',
  async () => {
    const gateway = await bootGateway();
    const { olga } = await staffOf(gateway);
    const { id } = await gateway.start('moved-1');
    const window = await openInHindi(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    await window.button(actions.SCHEDULE_MEETING).click();
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(45) });
    await window.press(hindi.acting.schedule.confirm);

    await window.dialog.getByText(hindi.gateway.explain('VERSION_CONFLICT')).waitFor();
    await window.dialog.locator('[lang=en]', { hasText: 'since you read it' }).waitFor();
    await window.button(hindi.acting.goOn).waitFor();
    expect(await window.page.evaluate<string[]>(ENGLISH)).toEqual([]);
  },
);

browserTest(
  'the sign-in page in Hindi asks for a token, and says in Hindi that a token was not accepted',
  async () => {
    const gateway = await bootGateway({ environment: PRODUCTION });
    const window = await openInHindi(gateway, {});
    await window.page.getByLabel(hindi.frame.accessToken).fill('not.a.token');
    expect(await wrongWith(window, 'sign-in')).toEqual([]);
    await window.page.keyboard.press('Enter');

    const alert = window.page.getByRole('alert');
    await alert.getByText(hindi.gateway.explain('UNAUTHENTICATED')).waitFor();
    await alert.locator('[lang=en]').waitFor();
    expect(await wrongWith(window, 'sign-in, refused')).toEqual([]);
  },
);

test('Hindi has the texts of each package of the component library that the console contains', async () => {
  const folder = new URL('../../.build/console/assets/', import.meta.url);
  const scripts = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  const sources = await Promise.all(scripts.map((name) => readFile(new URL(name, folder), 'utf8')));
  const packages = sources
    .filter((source) => !source.includes(hindi.floor.noSessions))
    .flatMap((source) => source.match(/@react-(aria|stately)\/[a-z]+/g) ?? []);

  expect(packages).not.toEqual([]);
  expect([...new Set(packages)].toSorted()).toEqual(Object.keys(hindi.library).toSorted());
});
