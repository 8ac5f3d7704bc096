/** A morning of two agents and an auditor, who work by the keyboard alone. */
import { expect } from 'vitest';
import { expectSound, sessionAt } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { movableClock } from '../harness/clock.ts';
import { type Console, killWindow, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { tabTo, tabToFirst } from '../harness/keyboard.ts';
import { importConsole } from './in-node.ts';

const { english } = await importConsole('language/english/index.ts');
const { hindi } = await importConsole('language/hindi/index.ts');

const SESSIONS = 200;
const LEASE_MINUTES = 10;
const MINUTE = 60_000;
const DESKS = [
  { name: 'English, light, 1440 pixels', texts: english, colorScheme: 'light', width: 1440 },
  { name: 'Hindi, dark, 390 pixels', texts: hindi, colorScheme: 'dark', width: 390 },
] as const;
type Desk = (typeof DESKS)[number];

/** Opens the console of a member of staff, in the language, theme and width of the desk. */
async function sitDown(gateway: Gateway, sub: string, role: string, desk: Desk): Promise<Console> {
  const token = await gateway.token({ sub, roles: [role] });
  const window = await openConsole(gateway, { token, viewport: { width: desk.width, height: 900 } });
  await window.page.emulateMedia({ colorScheme: desk.colorScheme });
  await window.page.addInitScript(`localStorage['vkyc.language'] = '${desk.texts.language}'`);
  await window.page.reload();
  await isLive(window, desk);
  return window;
}

const isLive = ({ page }: Console, { texts }: Desk) =>
  page.getByRole('status').getByText(texts.time.feed.live, { exact: true }).waitFor();

/** Presses `c`, the key of the next button. Returns the verification id of the session that opens. */
async function takesNext(window: Console, desk: Desk): Promise<string> {
  const before = window.page.url();
  await window.page.keyboard.press('c');
  await window.page.waitForURL(({ href }) => href !== before);
  await isLive(window, desk);
  return window.page.getByRole('article').getByRole('heading', { level: 1 }).innerText();
}

async function opensDialog(window: Console, button: string): Promise<void> {
  await window.button(button).waitFor();
  await tabTo(window, button);
  await window.page.keyboard.press('Enter');
  await window.dialog.waitFor();
}

async function confirms(window: Console, button: string): Promise<void> {
  await tabTo(window, button);
  await window.page.keyboard.press('Enter');
  await window.dialog.waitFor({ state: 'detached' });
}

async function approves(window: Console, { texts }: Desk, stage: 'AGENT' | 'AUDITOR'): Promise<void> {
  const decisions = texts.acting.review[stage === 'AGENT' ? 'agentDecisions' : 'auditorDecisions'];
  await opensDialog(window, texts.labels.actions[`RECORD_${stage}_REVIEW`]);
  await tabToFirst(window, '[role=dialog] input[type=radio]');
  // The first option is to approve.
  await window.page.keyboard.press('Space');
  await confirms(window, decisions.APPROVED.confirm);
  await window.isAt(texts.labels.steps[`${stage}_APPROVED`]);
}

async function handsOver(window: Console, { texts }: Desk, to: string): Promise<void> {
  await opensDialog(window, texts.labels.actions.ASSIGN);
  await tabToFirst(window, '[role=dialog] input');
  await window.page.keyboard.type(to);
  await confirms(window, texts.work.assign);
}

for (const desk of DESKS)
  browserTest(
    `with the keyboard alone, two agents and an auditor take, review and hand over some of ${SESSIONS} sessions, and what an agent's killed browser had comes back (${desk.name})`,
    async () => {
      const clock = movableClock();
      const environment = { CLAIM_LEASE_MINUTES: String(LEASE_MINUTES) };
      const gateway = await bootGateway({ clock, environment });
      for (let at = 0; at < SESSIONS; at += 20)
        await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            sessionAt(gateway, `morning-${at + index}`, 'AGENT_ENDED_CALL'),
          ),
        );
      const [ravi, meera, uma] = await Promise.all([
        sitDown(gateway, 'ravi', 'AGENT', desk),
        sitDown(gateway, 'meera', 'AGENT', desk),
        sitDown(gateway, 'uma', 'AUDITOR', desk),
      ]);

      const reviewed: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        reviewed.push(...(await Promise.all([takesNext(ravi, desk), takesNext(meera, desk)])));
        await approves(ravi, desk, 'AGENT');
        await approves(meera, desk, 'AGENT');
      }
      const handedOver = await takesNext(ravi, desk);
      await handsOver(ravi, desk, 'meera');
      expect(await takesNext(meera, desk)).toBe(handedOver);
      await approves(meera, desk, 'AGENT');
      const left = await takesNext(meera, desk);
      await killWindow(meera);
      expect(await takesNext(ravi, desk)).not.toBe(left);
      await approves(ravi, desk, 'AGENT');
      clock.forward((LEASE_MINUTES + 1) * MINUTE);
      expect(await takesNext(ravi, desk)).toBe(left);
      await approves(ravi, desk, 'AGENT');
      const audited: string[] = [];
      for (const _ of [...reviewed, handedOver]) {
        audited.push(await takesNext(uma, desk));
        await approves(uma, desk, 'AUDITOR');
      }

      expect(new Set(reviewed).size).toBe(4);
      expect(new Set(audited).size).toBe(5);
      expect(audited).toEqual(expect.arrayContaining([handedOver]));
      const { rows } = await gateway.database.query(
        `select sub_status, count(*)::int as count from vkyc_session group by 1 order by 1`,
      );
      expect(rows).toEqual([
        { sub_status: 'AGENT_APPROVED', count: 2 },
        { sub_status: 'AGENT_ENDED_CALL', count: SESSIONS - 7 },
        { sub_status: 'AUDITOR_APPROVED', count: 5 },
      ]);
      await expectSound(gateway);
      await expect.poll(() => [...ravi.complaints, ...uma.complaints], PATIENTLY).toEqual([]);
    },
  );
