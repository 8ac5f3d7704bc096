/** Test helper: operates the console (web page for staff) in a browser, as its users do. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Role } from '../../src/domain/access.ts';
import { openPage } from './browser.ts';

/** Labels of the console's controls. */
export const SAYS = {
  start: 'Start a session',
  schedule: 'Schedule meeting',
  move: 'Reschedule meeting',
  cancel: 'Cancel meeting',
  id: 'Verification ID',
  phone: 'Phone',
  reason: 'Reason (optional)',
  remarks: 'Remarks (optional)',
  submitReview: 'Submit review',
  approveAsAgent: 'Approve, and ask an auditor',
  rejectAsAgent: 'Reject the customer',
  approveAsAuditor: 'Approve the customer for good',
  rejectAsAuditor: 'Reject the customer for good',
  close: 'Close session',
  rejectByClosing: 'Reject the customer for good',
  replace: 'Replace session',
  note: 'Add note',
  escalate: 'Escalate',
  resolveEscalation: 'Resolve escalation',
  resolveDispute: 'Resolve dispute',
  reviewAsAgent: 'Record agent review',
  reviewAsAuditor: 'Record auditor review',
  askProvider: 'Refresh from provider',
  goOn: 'Continue with the current status',
  unavailable: 'Show unavailable actions',
  callsToReview: 'Calls to review',
  approvalsToAudit: 'Approvals to audit',
  unreachable: 'Cannot reach the gateway. Check your connection and try again.',
} as const;

/** Generous timeout, because the machine may be busy. */
export const PATIENTLY = { timeout: 45_000 };
const WIDE = { width: 1400, height: 900 };

export interface OpenOptions {
  /** Role of the user of this window. By default the user is a developer, who needs no token. */
  readonly as?: Role;
  /** Token of the user, for users other than those whom `as` stands for. */
  readonly token?: string;
  /** Path below /console. */
  readonly at?: string;
  readonly viewport?: { width: number; height: number };
}

export interface Console {
  readonly page: Page;
  /** Requests that the page made to other machines. */
  readonly strangers: string[];
  /** Console errors and violations of the page's content security policy. */
  readonly complaints: string[];
  readonly dialog: Locator;
  readonly badge: Locator;
  /** Rows of the session list (the floor). */
  readonly rows: Locator;
  /** The entries of a session's timeline. */
  readonly entries: Locator;
  rowOf(verificationId: string): Locator;
  button(name: string | RegExp): Locator;
  /** Presses a button of the open dialog. */
  press(name: string): Promise<void>;
  field(label: string): Locator;
  /** Chooses options of the open dialog (radio buttons or checkboxes) by the start of their labels. */
  choose(...options: string[]): Promise<void>;
  /** Opens a session from the session list (the floor). */
  open(verificationId: string): Promise<void>;
  /** Waits until a session's page shows this step (sub-status). */
  isAt(step: string): Promise<void>;
  /** Waits until the window's subscription is live. */
  live(): Promise<void>;
  /** Returns the sequence and step (sub-status) of each timeline entry, oldest first. */
  timeline(): Promise<[sequence: number, step: string][]>;
}

/** Opens a browser window with its own storage and cookies. */
export async function openConsole(
  gateway: { readonly url: string },
  { as, token, at = '/', viewport = WIDE }: OpenOptions = {},
): Promise<Console> {
  const { page, strangers } = await openPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(PATIENTLY.timeout);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  showFailureOf(page, as ?? (token ? 'TOKEN' : 'DEVELOPER'));
  await page.setViewportSize(viewport);
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => console.error('blocked by the content security policy:', event.violatedDirective, event.blockedURI));`,
  );
  if (as || token) {
    const signIn = token ? { kind: 'TOKEN', token } : { kind: 'ROLE', role: as };
    await page.addInitScript(`sessionStorage['vkyc.sign-in'] ??= '${JSON.stringify(signIn)}'`);
  }
  await page.goto(`${gateway.url}/console${at}`);

  const badge = page.getByRole('status').filter({ hasText: /^(Live|Catching up|Stale|No news .*)$/ });
  const dialog = page.getByRole('dialog');
  const rows = page.getByRole('table', { name: 'Sessions' }).locator('tbody').getByRole('row');
  const head = page.getByRole('article').locator('header');
  const entries = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
  const rowOf = (verificationId: string) =>
    rows.filter({ has: page.getByRole('link', { name: verificationId, exact: true }) });
  return {
    page,
    strangers,
    complaints,
    dialog,
    badge,
    rows,
    entries,
    rowOf,
    button: (name) => page.getByRole('button', { name, exact: true }),
    // Takes the last match: in some dialogs the confirm button has the same name as the close button.
    press: (name) => dialog.getByRole('button', { name, exact: true }).last().click(),
    async choose(...options) {
      for (const option of options)
        await dialog
          .locator('label')
          .filter({ hasText: new RegExp(`^${option}`) })
          .click();
    },
    field: (label) => dialog.getByRole('textbox', { name: label, exact: true }),
    async open(verificationId) {
      await rowOf(verificationId).getByRole('link').click();
      await page.getByRole('heading', { level: 1, name: verificationId }).waitFor();
    },
    // Allows for the status icon before the step.
    isAt: (step) => head.getByText(new RegExp(`^\\W ?${step}$`)).waitFor(),
    live: () => expect.poll(() => badge.textContent(), PATIENTLY).toBe('Live'),
    timeline: async () =>
      (await entries.evaluateAll(READ_ENTRIES as never)) as [sequence: number, step: string][],
  };
}

/** Kills the process that renders the window's page. The page can say nothing any more. */
export async function killWindow({ page }: Console): Promise<void> {
  const crashed = page.waitForEvent('crash');
  const devtools = await page.context().newCDPSession(page);
  devtools.send('Page.crash').catch(() => {});
  await crashed;
}

/**
 * Function that runs in the page. Returns each timeline entry's number and its step without the icon, oldest
 * first.
 */
const READ_ENTRIES = new Function(
  'entries',
  `return entries.map((entry) => {
    const [step, ...rest] = entry.querySelectorAll(':scope > div > span');
    return [Number(rest.at(-1).textContent), step.lastChild.textContent];
  }).reverse();`,
);

const windows = new Map<Page, string>();

/** Takes screenshots of all windows when a test fails, before the first of them closes. */
function showFailureOf(page: Page, who: string): void {
  windows.set(page, who);
  page.on('crash', () => windows.delete(page));
  onTestFinished(async ({ task }) => {
    const open = [...windows];
    windows.clear();
    if (task.result?.state !== 'fail') return;
    for (const [index, [each, whose]] of open.entries()) {
      const path = join(tmpdir(), `console-${task.id}-${index}-${whose.toLowerCase()}.png`);
      await each.screenshot({ path });
      process.stderr.write(`Screenshot of ${whose}: ${path}\n`);
    }
  });
}
