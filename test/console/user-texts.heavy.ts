import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { report, sessionAt, settled } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY, SAYS } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];
/** Marks that turn the writing direction around (RLO) and end an isolation (PDI), as they come with pasted texts. */
const MARKS = '\u202e\u2069\u202e';
/** A text without spaces, as long as reasons may be, that contains the marks. */
const text = (name: string, length = 480) => `${name}${MARKS}${'W'.repeat(length - name.length)}`;
/** Subject of a token. It may have no marks. */
const subject = (name: string) => name.padEnd(180, 'W');

/** Boots a gateway with a session on whose page every text of a person is long and has the marks. */
async function withTexts() {
  const gateway = await bootGateway();
  const [olga, ravi, uma] = await Promise.all([
    person(gateway, subject('olga'), 'OPERATOR'),
    person(gateway, subject('ravi'), 'AGENT'),
    person(gateway, subject('uma'), 'AUDITOR'),
  ]);
  const verificationId = 'W'.repeat(50);
  const started = await olga.start({
    verificationId,
    user: {
      phone: '9988776655',
      name: text('name', 90),
      email: `${'w'.repeat(60)}@${'w'.repeat(60)}.example`,
    },
  });
  expect(started.problems).toBeUndefined();
  const { id } = started.session as { id: string };
  await report(gateway, verificationId, 'AGENT_ENDED_CALL');
  await settled(gateway);
  const meets = { startsAt: inMinutes(30), reason: text('meeting') };
  const steps = [
    await olga.act('addNote', id, { note: text('note') }),
    await olga.act('escalateSession', id, { reason: 'OTHER', note: text('escalation') }),
    await uma.act('resolveEscalation', id, { note: text('resolution') }),
    await olga.act('escalateSession', id, { reason: 'OTHER', note: text('open') }),
    await olga.act('scheduleMeeting', id, meets),
    await olga.act('cancelMeeting', id, { reason: text('cancelling') }),
    await ravi.act('recordAgentReview', id, {
      decision: 'REJECTED',
      reasons: ['OTHER'],
      remarks: text('remarks'),
      customerMessage: text('message'),
    }),
  ];
  for (const step of steps) expect(step.code).toBeUndefined();
  await report(gateway, verificationId, 'AGENT_APPROVED');
  await settled(gateway);
  return { gateway, id, olga, uma, verificationId };
}

const WIDER = `[document.documentElement, ...document.querySelectorAll('[role=dialog], [role=dialog] *')]
  .filter(({ scrollWidth, clientWidth }) => clientWidth > 1 && scrollWidth > clientWidth + 1)
  .map(({ tagName, className, scrollWidth, clientWidth }) => [tagName, className, scrollWidth, clientWidth].join(' '))`;
const findWider = ({ page }: Console) => page.evaluate<string[]>(WIDER);

/** Expression for the page that lists each text with a mark, and whether it is alone in an isolated element. */
const MARKED = `(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.includes('\\u202e')) continue;
    const { parentElement } = node;
    const isIsolated = getComputedStyle(parentElement).unicodeBidi === 'isolate' || parentElement.tagName === 'TEXTAREA';
    found.push([node.data.split('\\u202e')[0], isIsolated && parentElement.textContent === node.data]);
  }
  return found;
})()`;
const findMarked = ({ page }: Console) => page.evaluate<[name: string, isAlone: boolean][]>(MARKED);

for (const viewport of SIZES)
  browserTest(
    `no text of a person widens a page or a dialog, and marks in it turn nothing else around, in a window of ${viewport.width} pixels`,
    async () => {
      const { gateway, id, olga, uma } = await withTexts();
      const window = await openConsole(gateway, { as: 'AUDITOR', at: `/sessions/${id}`, viewport });
      await window.live();

      const names = new Set<string>();
      const look = async (screen: string) => {
        expect(await findWider(window), screen).toEqual([]);
        const marked = await findMarked(window);
        expect(
          marked.filter(([, isAlone]) => !isAlone),
          screen,
        ).toEqual([]);
        for (const [name] of marked) names.add(name);
      };
      await look('session');
      expect(await faultsOf(window, 'session')).toEqual([]);
      for (const opener of [SAYS.resolveDispute, SAYS.resolveEscalation, SAYS.note, SAYS.escalate]) {
        if ((await window.button(opener).count()) === 0) continue;
        await window.button(opener).click();
        await window.dialog.waitFor();
        await look(opener);
        await window.page.keyboard.press('Escape');
        await window.dialog.waitFor({ state: 'detached' });
      }
      const note = text('deciding');
      await uma.act('resolveDispute', id, { resolution: 'KEEP_OURS', note });
      const closing = { outcome: 'FAILED', reason: 'OTHER', note: text('closing') };
      expect((await olga.act('closeSession', id, closing)).message).toBeUndefined();
      for (const card of ['Resolved disputes', 'Closed by staff'])
        await window.page.getByRole('region', { name: card }).waitFor();
      await look('resolved and closed');
      await window.page.goto(`${gateway.url}/console/?order=newest`);
      await window.rows.first().waitFor();
      await look('list');

      expect([...names]).toEqual(
        expect.arrayContaining(
          'deciding escalation meeting cancelling closing message name note open remarks resolution'.split(
            ' ',
          ),
        ),
      );
    },
  );

browserTest('a quotation mark after a text with marks stays behind the text', async () => {
  const { gateway, id } = await withShortTexts();
  const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
  await window.live();

  // Positions of the opening mark, of the text, and of the closing mark, from left to right.
  const places = (await window.page
    .getByRole('region', { name: 'Meetings' })
    .getByRole('listitem')
    .first()
    .evaluate(PLACES as never)) as number[];

  expect(places).toEqual(places.toSorted((one, other) => one - other));
});

/** Function for the page that returns where the quotation mark before, the text, and the mark after it begin. */
const PLACES = new Function(
  'item',
  `const bdi = [...item.querySelectorAll('bdi')].at(-1);
  const placeOf = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getBoundingClientRect().left;
  };
  const before = bdi.previousSibling;
  return [placeOf(before, before.data.length - 1), bdi.getBoundingClientRect().left, placeOf(bdi.nextSibling, 0)];`,
);

async function withShortTexts(): Promise<{ gateway: Gateway; id: string }> {
  const gateway = await bootGateway();
  const { id } = await sessionAt(gateway, 'short', 'AGENT_ENDED_CALL');
  const olga = await person(gateway, 'olga', 'OPERATOR');
  const meeting = { startsAt: inMinutes(30), reason: `Monday${MARKS} or Tuesday` };
  expect((await olga.act('scheduleMeeting', id, meeting)).code).toBeUndefined();
  return { gateway, id };
}

browserTest(
  'of 100 meetings and notes the page says how many it shows, and shows the rest on request',
  async () => {
    const gateway = await bootGateway();
    const { id } = (await gateway.start('many')) as { id: string };
    await gateway.database.query(
      `insert into meeting select (jsonb_populate_record(null::meeting, jsonb_build_object(
       'id', gen_random_uuid(), 'session_id', s.id, 'starts_at', s.created_at + n * interval '1 day',
       'status', 'CANCELLED', 'source', 'WEBHOOK', 'created_at', s.created_at - n * interval '1 minute'
     ))).* from vkyc_session s, generate_series(1, 130) n`,
    );
    const olga = await person(gateway, 'olga', 'OPERATOR');
    for (let note = 1; note <= 21; note++) await olga.act('addNote', id, { note: `Note ${note}` });
    const window = await openConsole(gateway, { as: 'OPERATOR', at: `/sessions/${id}` });
    await window.live();
    const card = (name: string) => window.page.getByRole('region', { name, exact: true });
    const count = (name: string) => card(name).getByRole('listitem').count();

    await card('Meetings').getByText('20 of 130 meetings are shown.').waitFor();
    expect(await count('Meetings')).toBe(20);
    await window.button('Show more meetings').click();
    await card('Meetings').getByText('120 of 130 meetings are shown.').waitFor();
    // What was loaded stays when the newest entries are queried again.
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
    await card('Meetings').getByText('121 of 131 meetings are shown.').waitFor();
    await window.button('Show more meetings').click();
    await expect.poll(() => count('Meetings'), PATIENTLY).toBe(131);
    expect(
      await card('Meetings')
        .getByText(/are shown/)
        .count(),
    ).toBe(0);
    await card('Notes').getByText('20 of 21 notes are shown.').waitFor();
    await window.button('Show more notes').click();
    await card('Notes').getByText('Note 1', { exact: true }).waitFor();

    expect(await faultsOf(window, 'many')).toEqual([]);
  },
);
