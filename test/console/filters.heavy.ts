import { expect } from 'vitest';
import { faultsOf, WIDTHS } from '../harness/accessibility.ts';
import { report, sessionAt, settled, staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

/** Boots a gateway with a session of each mark, one without, and one with two. */
async function withMarks() {
  const gateway = await bootGateway();
  const { olga, ravi, uma } = await staffOf(gateway);
  await gateway.start('plain');
  const disputed = await sessionAt(gateway, 'disputed', 'AGENT_ENDED_CALL');
  await ravi.act('recordAgentReview', disputed.id, { decision: 'APPROVED' });
  await report(gateway, 'disputed', 'AGENT_REJECTED');
  await settled(gateway);
  await olga.act('escalateSession', disputed.id, { reason: 'TECHNICAL' });
  const escalated = await gateway.start('escalated');
  await olga.act('escalateSession', escalated.id, { reason: 'TECHNICAL' });
  const closed = await gateway.start('closed');
  await olga.act('closeSession', closed.id, { outcome: 'FAILED', reason: 'CUSTOMER_WITHDREW' });
  const replaced = await sessionAt(gateway, 'replaced', 'USER_LOCATION_OUTSIDE_INDIA');
  await olga.start({
    verificationId: 'replacement',
    user: { phone: '9988776655' },
    replacesSessionId: replaced.id,
  });
  return { gateway, olga, uma, escalated, disputed };
}

const expectListed = async (window: Console, ...ids: string[]) => {
  await expect
    .poll(async () => (await window.rows.getByRole('link').allInnerTexts()).toSorted(), PATIENTLY)
    .toEqual(ids.toSorted());
};

const searchOf = ({ page }: Console) => new URL(page.url()).searchParams.getAll('is');

for (const [name, viewport] of Object.entries(WIDTHS))
  browserTest(
    `the list can be filtered by disputed, escalated, closed and replaced sessions, and the address keeps the filters, on a ${name} screen`,
    async () => {
      const { gateway } = await withMarks();
      const window = await openConsole(gateway, { as: 'OPERATOR', at: '/?order=newest', viewport });
      const marks = window.page.getByRole('list', { name: 'Only sessions that are' });
      const toggle = (mark: string) => marks.getByRole('button', { name: mark, exact: true }).click();
      await window.live();
      if (name === 'phone') await window.button('Filters').click();

      for (const [mark, ...listed] of [
        ['Disputed', 'disputed'],
        ['Escalated', 'disputed', 'escalated'],
        ['Closed by staff', 'closed'],
        ['Replaced', 'replaced'],
      ] as const) {
        await toggle(mark);
        await expectListed(window, ...listed);
        await toggle(mark);
      }
      await toggle('Disputed');
      await toggle('Escalated');
      await expectListed(window, 'disputed');
      expect(searchOf(window)).toEqual(['disputed', 'escalated']);
      expect(await faultsOf(window, 'filtered by marks')).toEqual([]);
      await window.page.reload();
      await expectListed(window, 'disputed');
      if (name === 'phone') await window.button('Filters (2 active)').click();
      await window.button('Remove filter: Disputed').click();
      await expectListed(window, 'disputed', 'escalated');
      expect(window.complaints).toEqual([]);
    },
  );

browserTest('a list that is filtered by a mark is live: sessions come and go with the mark', async () => {
  const { gateway, olga, uma, escalated, disputed } = await withMarks();
  const { id } = (await gateway.start('later')) as { id: string };
  const lists = await Promise.all(
    ['escalated', 'disputed', 'closed', 'replaced'].map((mark) => openAt(gateway, mark)),
  );
  const [byEscalated, byDisputed, byClosed, byReplaced] = lists as [Console, Console, Console, Console];

  await olga.act('escalateSession', id, { reason: 'PROVIDER' });
  await expectListed(byEscalated, 'disputed', 'escalated', 'later');
  await uma.act('resolveEscalation', escalated.id, { note: 'Mended.' });
  await expectListed(byEscalated, 'disputed', 'later');
  await olga.act('closeSession', id, { outcome: 'REJECTED', reason: 'SUSPECTED_FRAUD' });
  await expectListed(byClosed, 'closed', 'later');
  await uma.act('resolveDispute', disputed.id, { resolution: 'KEEP_OURS', note: 'Checked.' });
  await expectListed(byDisputed);
  await report(gateway, 'later', 'AUDITOR_APPROVED');
  await expectListed(byDisputed, 'later');
  await olga.start({
    verificationId: 'newer',
    user: { phone: '9988776655' },
    replacesSessionId: escalated.id,
  });
  await expectListed(byReplaced, 'replaced', 'escalated');
});

async function openAt(gateway: Gateway, mark: string): Promise<Console> {
  const window = await openConsole(gateway, { as: 'OPERATOR', at: `/?order=newest&is=${mark}` });
  await window.live();
  return window;
}
