import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { browserTest } from '../harness/browser.ts';
import { openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway } from '../harness/gateway.ts';

const FAULT = 'This page cannot be shown';

/** Names that every object of JavaScript inherits: a look-up by one of them finds a function instead of nothing. */
const INHERITED = ['toString', 'constructor', '__proto__', 'hasOwnProperty'];
const PARAMETERS = ['phase', 'step', 'waiting', 'order', 'is'];

browserTest(
  'an address with a name that every object inherits shows the live list, as if the name were not there',
  async () => {
    const gateway = await bootGateway();
    await gateway.start('listed');
    const window = await openConsole(gateway);
    await window.live();

    for (const name of INHERITED)
      for (const parameter of PARAMETERS) {
        await window.page.goto(`${gateway.url}/console/?${parameter}=${name}`);
        await window.rowOf('listed').waitFor();
        await window.live();
        expect(await window.button(/^Remove filter/).count(), `${parameter}=${name}`).toBe(0);
      }
    await gateway.start('added');
    await window.rowOf('added').waitFor();
    await window.page.goto(`${gateway.url}/console/insight?window=constructor`);
    await window.page.getByRole('heading', { name: 'How far sessions get' }).waitFor();

    expect(window.complaints).toEqual([]);
  },
);

browserTest('a malformed id in the address of a session shows that the session is not found', async () => {
  const gateway = await bootGateway();
  const window = await openConsole(gateway);
  await window.live();

  for (const id of ['%25', '%2525', 'a%2Fb', '%00', '__proto__']) {
    await window.page.goto(`${gateway.url}/console/sessions/${id}`);
    await window.page.getByRole('heading', { level: 1, name: 'Session not found' }).waitFor();
    await window.page.getByRole('navigation', { name: 'Main' }).waitFor();
  }
});

browserTest(
  'a fault of a page shows what happened and what to do, keeps the navigation, and says nothing personal',
  async () => {
    const gateway = await bootGateway();
    const { id } = await gateway.start('faulty', { user: { phone: '9988776655', name: 'Asha Rao' } });
    const window = await openConsole(gateway);
    const { page } = window;
    await window.live();
    const fault = page.getByRole('alert').filter({ has: page.getByRole('heading', { name: FAULT }) });
    const nav = page.getByRole('navigation', { name: 'Main' });

    // An upgrade of the gateway removes the files of the last release.
    await page.route('**/assets/insight-page*', (route) => route.abort());
    await nav.getByRole('link', { name: 'Insight' }).click();
    await fault
      .getByText(/Reload the page/)
      .first()
      .waitFor();
    expect(await faultsOf(window, 'fault')).toEqual([]);
    await nav.getByRole('link', { name: 'Sessions' }).click();
    await window.rowOf('faulty').waitFor();
    await page.unroute('**/assets/insight-page*');
    // An answer that this page cannot show, and whose error message would quote a person.
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace('"linkExpiresAt":"', '"linkExpiresAt":"Asha Rao ');
      await route.fulfill({ response, body });
    });
    window.complaints.length = 0;
    await page.goto(`${gateway.url}/console/sessions/${id}`);
    await fault.waitFor();
    expect(await fault.innerText()).not.toContain('Asha');
    await expect.poll(() => window.complaints.join(), PATIENTLY).toContain('A fault stopped a page');
    expect(window.complaints.join()).not.toContain('Asha');
    await page.unroute('**/graphql');
    await window.button('Reload the page').click();

    await page.getByRole('heading', { level: 1, name: 'faulty' }).waitFor();
  },
);

browserTest('a sign-in that the browser kept and that makes no sense is forgotten', async () => {
  const gateway = await bootGateway();
  const window = await openConsole(gateway);
  await window.live();

  for (const kept of ['{', '[]', '"ROLE"', '{"kind":"ROLE","role":"constructor"}', '{"kind":"TOKEN"}']) {
    await window.page.evaluate(`sessionStorage['vkyc.sign-in'] = ${JSON.stringify(kept)}`);
    await window.page.reload();
    await window.live();
  }

  expect(window.complaints).toEqual([]);
});
