import { expect } from 'vitest';
import { browserTest } from '../harness/browser.ts';
import { openConsole } from '../harness/console.ts';
import { bootGateway } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

/** Number of scenario steps by which each session is advanced, by its verification id (NAME.SCENARIO). */
const SESSIONS: Record<string, number> = {
  'approved-1.happy-path': 13,
  'approved-2.happy-path': 13,
  'rejected.agent-rejects': 9,
  'in-trouble.proxy-detected': 2,
  begun: 0,
};

browserTest(
  'the statistics page shows the figures of a period as charts, and the same numbers as tables',
  async () => {
    const gateway = await bootGateway();
    for (const [id, steps] of Object.entries(SESSIONS)) {
      await gateway.start(id);
      if (steps > 0) await gateway.advance(id, steps);
    }
    await gateway.start('of-last-month');
    await gateway.database.query(
      `update vkyc_session set created_at = created_at - interval '20 days' where verification_id = 'of-last-month'`,
    );
    await webhooksSettled(gateway.database);
    const { data } = await gateway.graphql(
      `{ sessionStats(from: "${new Date(Date.now() - 7 * 86_400_000).toISOString()}") { total funnel { status reached } byStatus { subStatus count } } }`,
    );
    const window = await openConsole(gateway, { as: 'OPERATOR', at: '/insight' });
    const { page } = window;
    const tableOf = async (title: string) => {
      const card = page.getByRole('region', { name: title });
      await card.getByRole('img').waitFor();
      await card.getByRole('button', { name: 'Table' }).click();
      const rows = await card.getByRole('row').all();
      return Promise.all(rows.map(async (each) => (await each.innerText()).split(/[\t\n]+/)));
    };

    const funnel = await tableOf('How far sessions get');
    const reached = (status: string) =>
      String(data.sessionStats.funnel.find((stage: any) => stage.status === status).reached);
    expect(data.sessionStats.total).toBe(5);
    expect(funnel.map(([phase, count]) => [phase, count])).toEqual(
      expect.arrayContaining([
        ['Invited', reached('RECEIVED')],
        ['Before the call', reached('PRE_VIDEO_CALL')],
        ['In the call', reached('VIDEO_CALL')],
        ['Agent reviewed', reached('AGENT_REVIEWED')],
        ['Audited', reached('AUDITOR_REVIEWED')],
        ['Approved', '2'],
      ]),
    );
    const where = await tableOf('Sessions not approved');
    for (const step of ['Agent rejected', 'User proxy detected', 'Link generated'])
      expect(where.find((cells) => cells.includes(step))).toContain('1');
    expect((await tableOf('Time per phase')).length).toBeGreaterThan(4);
    const overTime = await tableOf('Sessions over time');
    const started = overTime.slice(1).map((cells) => Number(cells.at(-3)));
    expect(started.reduce((sum, each) => sum + each, 0)).toBe(5);

    await page.getByLabel('Period').selectOption({ label: 'Last 30 days' });
    await page.getByText('6', { exact: true }).first().waitFor();
    expect(new URL(page.url()).searchParams.get('window')).toBeTruthy();
    expect(window.complaints).toEqual([]);
  },
);
