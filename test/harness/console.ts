/** The console in a browser, for tests to use as the people do who sit before it. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Role } from '../../src/domain/access.ts';
import { openPage } from './browser.ts';

/** What the console calls the things that tests press and read. */
export const SAYS = {
  start: 'Start a session',
  schedule: 'Schedule meeting',
  move: 'Reschedule meeting',
  cancel: 'Cancel meeting',
  id: 'Verification ID',
  phone: 'Phone',
  reason: 'Reason (optional)',
  remarks: 'Remarks (optional)',
  reviewAsAgent: 'Record agent review',
  reviewAsAuditor: 'Record auditor review',
  askProvider: 'Refresh from provider',
  goOn: 'Continue with the current status',
  unavailable: 'Show unavailable actions',
  callsToReview: 'Calls to review',
  approvalsToAudit: 'Approvals to audit',
  unreachable: 'Cannot reach the gateway. Check your connection and try again.',
} as const;

/** Things come when they come; on a machine that others use as well that may take a while. */
export const PATIENTLY = { timeout: 45_000 };
const WIDE = { width: 1400, height: 900 };

export interface OpenOptions {
  /** Whom this window acts as; a developer, who needs no token, unless told otherwise. */
  readonly as?: Role;
  /** The address behind /console. */
  readonly at?: string;
  readonly viewport?: { width: number; height: number };
}

export interface Console {
  readonly page: Page;
  /** What the page asked of any other machine. */
  readonly strangers: string[];
  /** What the browser complained of: errors, and whatever the page's own policy forbids. */
  readonly complaints: string[];
  readonly dialog: Locator;
  readonly badge: Locator;
  /** The sessions of the floor that are in the page. */
  readonly rows: Locator;
  /** The entries of a session's timeline. */
  readonly entries: Locator;
  rowOf(verificationId: string): Locator;
  button(name: string | RegExp): Locator;
  /** Of the dialog that is open: what is pressed, and where one types. */
  press(name: string): Promise<void>;
  field(label: string): Locator;
  /** Opens a session from the floor. */
  open(verificationId: string): Promise<void>;
  /** Waits until a session's page says that it is at this step. */
  isAt(step: string): Promise<void>;
  /** Waits until the window is live. */
  live(): Promise<void>;
  /** The numbers and steps of the timeline, oldest first. */
  timeline(): Promise<[sequence: number, step: string][]>;
}

/** Opens a window of its own: what it keeps no other window has. */
export async function openConsole(
  gateway: { readonly url: string },
  { as, at = '/', viewport = WIDE }: OpenOptions = {},
): Promise<Console> {
  const { page, strangers } = await openPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(PATIENTLY.timeout);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  showFailureOf(page, as ?? 'DEVELOPER');
  await page.setViewportSize(viewport);
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => console.error('refused by the policy:', event.violatedDirective, event.blockedURI));`,
  );
  if (as)
    await page.addInitScript(
      `sessionStorage['vkyc.sign-in'] ??= '${JSON.stringify({ kind: 'ROLE', role: as })}'`,
    );
  await page.goto(`${gateway.url}/console${at}`);

  const badge = page.getByRole('status').filter({ hasText: /^(Live|Catching up|Stale)$/ });
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
    // The last one: some dialogs end with a button of the name that their cross has.
    press: (name) => dialog.getByRole('button', { name, exact: true }).last().click(),
    field: (label) => dialog.getByRole('textbox', { name: label, exact: true }),
    async open(verificationId) {
      await rowOf(verificationId).getByRole('link').click();
      await page.getByRole('heading', { level: 1, name: verificationId }).waitFor();
    },
    // Before the step there is its mark.
    isAt: (step) => head.getByText(new RegExp(`^\\W ?${step}$`)).waitFor(),
    live: () => expect.poll(() => badge.textContent(), PATIENTLY).toBe('Live'),
    timeline: async () =>
      (await entries.evaluateAll(READ_ENTRIES as never)) as [sequence: number, step: string][],
  };
}

/** In the page: each entry's number, and its step without the mark before it; oldest first. */
const READ_ENTRIES = new Function(
  'entries',
  `return entries.map((entry) => {
    const [step, ...rest] = entry.querySelectorAll(':scope > div > span');
    return [Number(rest.at(-1).textContent), step.lastChild.textContent];
  }).reverse();`,
);

const windows = new Map<Page, string>();

/** Pictures of what there was to see in all windows when a test failed, taken before the first of them closes. */
function showFailureOf(page: Page, who: string): void {
  windows.set(page, who);
  onTestFinished(async ({ task }) => {
    const open = [...windows];
    windows.clear();
    if (task.result?.state !== 'fail') return;
    for (const [index, [each, whose]] of open.entries()) {
      const path = join(tmpdir(), `console-${task.id}-${index}-${whose.toLowerCase()}.png`);
      await each.screenshot({ path });
      process.stderr.write(`What ${whose} saw: ${path}\n`);
    }
  });
}
