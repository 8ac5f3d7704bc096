import { expect } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY, SAYS } from '../harness/console.ts';
import { bootGateway, DATA_KEYS, freshDatabase, type Gateway } from '../harness/gateway.ts';
import { accessTo, newsOf, sendUntilTaken, startSilentProvider } from '../harness/news.ts';
import { freePort, phoenix } from '../harness/phoenix.ts';
import { startHttpProxy } from '../harness/tcp-proxy.ts';

/**
 * Script that is run in the page: records each text of the connection badge (Live, Catching up, No news since …) in
 * `window.badges`.
 */
const WATCH_BADGE = `{
  const badge = () => [...document.querySelectorAll('[role=status]')].map((each) => each.textContent)
    .find((text) => /^(Live|Catching up|Stale|No news since .*)$/.test(text));
  window.badges = [badge()];
  new MutationObserver(() => badge() !== window.badges.at(-1) && window.badges.push(badge()))
    .observe(document.body, { subtree: true, childList: true, characterData: true });
}`;

/** Text of the badge without a connection: a page that was never live has had no news. */
const STALE = /^(Stale|No news since \d\d:\d\d)$/;
const badgesOf = (window: Console) => window.page.evaluate<string[]>('window.badges');

/**
 * Reads the log of a session by the API. Returns it in the same form as `timeline()` returns the log that the page
 * shows.
 */
async function logOf(gateway: Pick<Gateway, 'graphql'>, id: string): Promise<[number, string][]> {
  const { data } = await gateway.graphql(
    `{ session(id: "${id}") { transitions(first: 100) { nodes { sequence statusInfo { subStatus } } } } }`,
  );
  return data.session.transitions.nodes.map(({ sequence, statusInfo }: any) => [
    sequence,
    spoken(statusInfo.subStatus),
  ]);
}

const spoken = (subStatus: string): string =>
  (subStatus.charAt(0) + subStatus.slice(1).toLowerCase().replaceAll('_', ' ')).replace(
    /\b(ip|aadhaar|india)\b/gi,
    (word) => (word.toLowerCase() === 'ip' ? 'IP' : word.charAt(0).toUpperCase() + word.slice(1)),
  );

browserTest(
  'after a lost connection, the session page goes from stale to live and shows every transition once and in order',
  async () => {
    const gateway = await bootGateway();
    const wire = await startHttpProxy(gateway.url);
    const { id } = await gateway.start('cut-off');
    const window = await openConsole(wire, { as: 'AGENT', at: `/sessions/${id}` });
    await window.live();
    await window.page.evaluate(WATCH_BADGE);
    await gateway.advance('cut-off', 1);
    await expect.poll(() => window.entries.count(), PATIENTLY).toBe(2);

    wire.cut();
    await expect.poll(() => window.badge.textContent(), PATIENTLY).toMatch(STALE);
    await gateway.advance('cut-off', 4);
    await gateway.advance('cut-off', 2);
    await expect.poll(async () => (await logOf(gateway, id)).length).toBe(8);
    expect(await window.entries.count()).toBe(2);
    wire.mend();
    await window.live();
    await gateway.advance('cut-off', 1);

    await expect.poll(() => window.entries.count(), PATIENTLY).toBe(9);
    expect(await window.timeline()).toEqual(await logOf(gateway, id));
    const badges = await badgesOf(window);
    expect([badges[0], badges[1], badges.at(-1)]).toEqual(['Live', expect.stringMatching(STALE), 'Live']);
    expect(badges.filter((badge) => badge === 'Live')).toHaveLength(2);
    await window.isAt(((await window.timeline()).at(-1) as [number, string])[1]);
  },
);

/** Returns the counts that the page shows for phases and parties, by their labels. */
const countsOf = async ({ page }: Console): Promise<Record<string, string>> => {
  const phases = page.getByRole('region', { name: 'Open sessions' }).locator('button');
  const found: [string, string][] = [];
  for (const text of await phases.allInnerTexts()) {
    const [, name, count] = text.replaceAll('\n', ' ').match(/^([A-Za-z ]+?)\s+([\d–]+)/) ?? [];
    if (name && count) found.push([name, count]);
  }
  return Object.fromEntries(found);
};

browserTest(
  'after a lost connection, the list of sessions has the same rows and counts as the gateway, including sessions that were started in between',
  async () => {
    const gateway = await bootGateway();
    const wire = await startHttpProxy(gateway.url);
    for (const id of ['stays', 'moves', 'ends']) await gateway.start(id);
    const window = await openConsole(wire, { as: 'OPERATOR' });
    const open = await openConsole(wire, { as: 'OPERATOR', at: '/?phase=RECEIVED' });
    for (const each of [window, open]) {
      await each.live();
      await expect.poll(() => each.rows.count()).toBe(3);
    }

    wire.cut();
    for (const each of [window, open])
      await expect.poll(() => each.badge.textContent(), PATIENTLY).toMatch(STALE);
    await gateway.start('begins');
    await gateway.advance('moves', 3);
    await gateway.advance('ends', 11);
    wire.mend();

    for (const each of [window, open]) await each.live();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBe(4);
    await expect.poll(() => open.rows.count(), PATIENTLY).toBe(2);
    expect(await open.rows.getByRole('link').allInnerTexts()).toEqual(['begins', 'stays']);
    expect(await window.rows.getByRole('link').allInnerTexts()).toEqual(['begins', 'ends', 'moves', 'stays']);
    await expect
      .poll(() => countsOf(window), PATIENTLY)
      .toMatchObject({
        Invited: '2',
        'Before the call': '1',
        'In the call': '0',
        'Needs review': '1',
        Customer: '3',
      });
    await window.page.getByText('4 sessions', { exact: true }).waitFor();
  },
);

browserTest(
  'a console page that was opened without a connection loads once the connection is back, and its counts stay up to date',
  async () => {
    const gateway = await bootGateway();
    const wire = await startHttpProxy(gateway.url);
    await gateway.start('before');
    const window = await openConsole(wire, { as: 'OPERATOR' });
    await window.live();

    wire.cut();
    await expect.poll(() => window.badge.textContent(), PATIENTLY).toMatch(STALE);
    await window.page.getByRole('link', { name: 'Waiting on us' }).click();
    await window.page.getByRole('alert').getByText(SAYS.unreachable).waitFor();
    wire.mend();
    await window.live();
    await gateway.start('after.insufficient-balance');
    await gateway.start('after');

    await window.rowOf('after.insufficient-balance').waitFor();
    await expect.poll(() => countsOf(window), PATIENTLY).toMatchObject({ Invited: '2' });
    expect(await window.page.getByRole('alert').count()).toBe(0);
  },
);

browserTest(
  'the session page reconnects by itself after a restart and after a crash of the gateway, and misses no transition',
  async () => {
    const random = createSeededRandom('console', 'restart');
    const provider = await startSilentProvider();
    const life = phoenix({
      DATABASE_URL: await freshDatabase(),
      DATA_KEYS,
      PORT: String(await freePort(random)),
      ...accessTo(provider),
    });
    const first = await life.present();
    const gateway = {
      graphql: async (query: string) => ({ data: await (await life.present()).graphql(query) }) as never,
    };
    const { startSession } = await first.graphql(
      `mutation { startSession(input: { verificationId: "restarted", user: { userId: "customer", phone: "9988776655" } }) { ... on StartSessionSuccess { session { id } } } }`,
    );
    const { id } = startSession.session;
    const news = newsOf('restarted', random, 30);
    const tell = async (count: number) => {
      for (const { verificationId, status, subStatus, eventTime } of news.splice(0, count))
        await sendUntilTaken(
          JSON.stringify({
            event_type: 'VKYC_STATUS',
            event_time: eventTime,
            version: 'v1',
            data: { verification_id: verificationId, user_id: 'customer', status, sub_status: subStatus },
          }),
          async () => (await life.present()).url,
        );
    };
    const window = await openConsole(first, { as: 'AGENT', at: `/sessions/${id}` });
    await window.live();
    await tell(10);
    await expect.poll(() => window.entries.count(), PATIENTLY).toBe(11);
    await window.page.evaluate(WATCH_BADGE);

    expect(await life.restart('SIGTERM')).toBe(0);
    await tell(10);
    await expect.poll(() => window.entries.count(), PATIENTLY).toBe(21);
    await window.live();
    life.kill();
    await tell(10);
    await expect.poll(() => window.entries.count(), PATIENTLY).toBe(31);
    await window.live();

    expect(await window.timeline()).toEqual(await logOf(gateway, id));
    expect((await badgesOf(window)).filter((badge) => STALE.test(badge)).length).toBeGreaterThanOrEqual(2);
  },
);
