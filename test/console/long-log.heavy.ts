import { expect } from 'vitest';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

const ENTRIES = 2_000;
const FEW_ENTRIES = 40;
/** More entries than these must not be in the DOM. */
const MAX_IN_THE_PAGE = 100;
const FRAMES = 15;
/** Duration of one picture in milliseconds, at 60 Hz: a frame must not take longer. */
const PICTURE_MS = 16;

/** Expression that resolves after the page was drawn twice. */
const TWO_PICTURES = 'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))';

/** Adds transitions to the log of a session, as if a customer had failed and repeated a check many times. */
async function lengthenLog({ database }: Gateway, verificationId: string, entries: number): Promise<void> {
  await database.query(
    `with session as (select id from vkyc_session where verification_id = $1)
     insert into status_transition (session_id, sequence, from_status, from_sub_status, status, sub_status, raw_status,
       raw_sub_status, verdict, source, recorded_at)
     select session.id, n, 'PRE_VIDEO_CALL', 'USER_PROXY_DETECTED', 'PRE_VIDEO_CALL', step, 'PRE_VIDEO_CALL', step,
       'MOVED', 'WEBHOOK', now() - ($2 - n) * interval '1 minute'
     from session, generate_series(2, $2) n,
       lateral (select (array['AADHAAR_VERIFICATION_FAILED', 'AADHAAR_VERIFICATION_SUCCESS', 'USER_PROXY_DETECTED'])
         [n % 3 + 1] as step)`,
    [verificationId, entries],
  );
  await database.query(
    `update vkyc_session set version = $2, last_sequence = $2, status = t.status, sub_status = t.sub_status,
       provider_status = t.status, provider_sub_status = t.sub_status
     from status_transition t where verification_id = $1 and t.session_id = vkyc_session.id and t.sequence = $2`,
    [verificationId, entries],
  );
}

/** Returns an expression for the page that resolves when the newest entry of the timeline has this number. */
const waitForEntry = (sequence: number): string => `new Promise((seen) => {
  const list = document.querySelector('section[aria-label=Timeline] ol');
  new MutationObserver((_changes, observer) => {
    if (!list.firstElementChild.textContent.includes('${sequence}')) return;
    observer.disconnect();
    seen();
  }).observe(list, { childList: true });
})`;

/** Opens the page of a session with a log of this length, and loads the whole log. */
async function openLog(gateway: Gateway, verificationId: string, entries: number): Promise<Console> {
  const { id } = await gateway.start(verificationId);
  await lengthenLog(gateway, verificationId, entries);
  const window = await openConsole(gateway, { as: 'VIEWER', at: `/sessions/${id}` });
  // Without the animations, which use the main thread by themselves.
  await window.page.emulateMedia({ reducedMotion: 'reduce' });
  await window.live();
  const loaded = async () => Number(await window.entries.first().getAttribute('aria-setsize'));
  while ((await loaded()) < entries) {
    const before = await loaded();
    // By the keyboard: entries that are measured while the page scrolls to the button move it from under a mouse.
    await window.button('Show earlier entries').press('Enter');
    await expect.poll(loaded, PATIENTLY).toBeGreaterThan(before);
  }
  await window.page.evaluate('scrollTo(0, 0)');
  return window;
}

/** Returns the milliseconds of the main thread that the page of a session takes for a new entry: the median of several. */
async function timeNewEntry(gateway: Gateway, verificationId: string, entries: number): Promise<number> {
  const window = await openLog(gateway, verificationId, entries);
  const { page } = window;
  const browser = await page.context().newCDPSession(page);
  // Time of the thread itself: while other processes have the processor, it stands still.
  await browser.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busyMs = async () => {
    await page.evaluate(TWO_PICTURES);
    const { metrics } = await browser.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1_000;
  };

  const took: number[] = [];
  for (let frame = 1; frame <= FRAMES; frame++) {
    const appears = page.evaluate(waitForEntry(entries + frame));
    const before = await busyMs();
    await gateway.webhook({
      event_type: 'VKYC_STATUS',
      event_time: new Date(Date.now() + frame * 1_000).toISOString(),
      data: {
        verification_id: verificationId,
        status: 'PRE_VIDEO_CALL',
        sub_status: frame % 2 === 0 ? 'USER_QUEUED' : 'NO_AGENT_FOUND',
      },
    });
    await appears;
    took.push((await busyMs()) - before);
  }
  expect(window.complaints).toEqual([]);
  expect(await window.entries.count()).toBeLessThan(MAX_IN_THE_PAGE);
  return took.toSorted((one, other) => one - other)[Math.floor(FRAMES / 2)] ?? Number.NaN;
}

browserTest(
  'with 2,000 entries in its log, the page of a session takes no more of the main thread for a new one than with few',
  { retry: 2 },
  async () => {
    const gateway = await bootGateway();

    const short = await timeNewEntry(gateway, 'short', FEW_ENTRIES);
    const long = await timeNewEntry(gateway, 'long', ENTRIES);

    process.stderr.write(
      `A new entry takes ${long.toFixed(1)} ms of the main thread with ${ENTRIES} entries, ${short.toFixed(1)} ms with ${FEW_ENTRIES}\n`,
    );
    expect(short).toBeGreaterThan(0);
    // A processor that is shared is slower; then the page with few entries says how much.
    expect(long).toBeLessThan(Math.max(PICTURE_MS, short * 1.35));
  },
);
