import { SignJWT } from 'jose';
import { expect } from 'vitest';
import { faultsOf, WIDTHS } from '../harness/accessibility.ts';
import { browserTest } from '../harness/browser.ts';
import { openConsole, SAYS } from '../harness/console.ts';
import { bootGateway, type Gateway, PRODUCTION, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';

const DIALOGS = [
  ...[SAYS.reviewAsAgent, SAYS.schedule, SAYS.askProvider, 'Watch recording', 'Create SDK token'],
  ...[SAYS.escalate, SAYS.replace, SAYS.close, SAYS.note],
];

async function withSessions(): Promise<Gateway> {
  const gateway = await bootGateway();
  await gateway.start('invited', { user: { phone: '9988776655', name: 'Asha Rao' } });
  await gateway.start('called', { user: { phone: '9988776655', name: 'Asha Rao' } });
  await gateway.advance('called', STEPS_TO_THE_END_OF_THE_CALL);
  return gateway;
}

for (const [name, viewport] of Object.entries(WIDTHS))
  browserTest(
    `no page or dialog of the console has an accessibility violation in either theme, on a ${name} screen`,
    async () => {
      const gateway = await withSessions();
      const window = await openConsole(gateway, { viewport });
      const faults: string[] = [];
      const look = async (screen: string) => faults.push(...(await faultsOf(window, screen)));
      await window.live();

      await look('floor');
      await window.button(SAYS.start).click();
      await window.dialog.waitFor();
      await look('starting');
      await window.press('Start');
      await window.dialog.getByText(/Phone/).last().waitFor();
      await look('starting, refused');
      await window.page.keyboard.press('Escape');
      await window.page.getByRole('button', { name: /^Signed in as/ }).click();
      await window.page.getByRole('menu').waitFor();
      await look('roles');
      await window.page.keyboard.press('Escape');
      await window.open('called');
      await window.live();
      await look('session');
      for (const dialog of DIALOGS) {
        await window.button(dialog).click();
        await window.dialog.waitFor();
        await look(dialog);
        await window.page.keyboard.press('Escape');
      }
      await window.button(SAYS.unavailable).click();
      await look('unavailable actions');
      await window.page.keyboard.press('Escape');
      await window.page.getByRole('link', { name: 'Insight' }).click();
      await window.page.getByRole('heading', { level: 1, name: 'Insight' }).waitFor();
      await window.page.getByRole('heading', { name: 'How far sessions get' }).waitFor();
      await look('insight');
      await window.page.goto(`${gateway.url}/console/?id=nothing-like-it`);
      await window.page.getByText(/No sessions match/).waitFor();
      await look('empty floor');
      await window.page.goto(`${gateway.url}/console/nowhere`);
      await window.page.getByRole('heading', { name: 'Page not found' }).waitFor();
      await look('nowhere');

      expect(faults).toEqual([]);
      expect(window.strangers).toEqual([]);
      expect(window.complaints).toEqual([]);
    },
  );

browserTest(
  'the sign-in page asks for a token, says if the token was rejected, and has no accessibility violation',
  async () => {
    const gateway = await bootGateway({ environment: PRODUCTION });
    const token = await new SignJWT({ sub: 'olga', roles: ['OPERATOR'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(PRODUCTION.AUTH_ISSUER)
      .setAudience(PRODUCTION.AUTH_AUDIENCE)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(PRODUCTION.AUTH_SECRET));
    const window = await openConsole(gateway);
    const field = window.page.getByLabel('Access token');
    await field.waitFor();

    expect(await faultsOf(window, 'sign-in')).toEqual([]);
    await field.fill('not.a.token');
    await window.page.keyboard.press('Enter');
    await window.page.getByRole('alert').getByText(/token/).waitFor();
    expect(await faultsOf(window, 'sign-in, refused')).toEqual([]);
    await field.fill(token);
    await window.page.keyboard.press('Enter');

    await window.live();
    await window.page.getByRole('button', { name: /^Signed in as\s+olga\s+Operator/ }).waitFor();
  },
);

browserTest(
  'a user can search, move between rows, open a session and submit a review with the keyboard alone',
  async () => {
    const gateway = await withSessions();
    const window = await openConsole(gateway);
    const { keyboard } = window.page;
    const focused = () => window.page.evaluate<string>('document.activeElement.textContent');
    await window.live();
    await expect.poll(() => window.rows.count()).toBe(2);

    await keyboard.press('/');
    await keyboard.type('call');
    await expect.poll(() => window.rows.count()).toBe(1);
    await keyboard.press('Control+a');
    await keyboard.press('Delete');
    await expect.poll(() => window.rows.count()).toBe(2);
    await window.rows.first().getByRole('link').focus();
    await keyboard.press('ArrowDown');
    await expect.poll(focused).toBe('invited');
    await keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('called');
    await keyboard.press('Enter');
    await window.isAt('Agent ended call');
    await window.button(SAYS.reviewAsAgent).focus();
    await keyboard.press('Enter');
    await window.dialog.waitFor();
    await keyboard.press('Escape');
    await expect.poll(() => window.dialog.count()).toBe(0);
    await expect.poll(focused).toBe(SAYS.reviewAsAgent);
    await keyboard.press('Enter');
    await window.dialog.getByRole('radio', { name: 'Approve' }).focus();
    await keyboard.press('Space');
    await window.field(SAYS.remarks).focus();
    await keyboard.type('Known by face.');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await expect.poll(focused).toBe(SAYS.approveAsAgent);
    await keyboard.press('Enter');

    await window.isAt('Agent approved');
  },
);
