import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { browserTest } from '../harness/browser.ts';
import { type Console, openConsole, PATIENTLY } from '../harness/console.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

const SESSIONS = 10_000;
const ROWS_IN_THE_PAGE = 100;
const MOVING = 100;
const MOVES_PER_SECOND = 100;
const SECONDS = 15;
const LONGEST_TASK_MS = 100;
/** Duration of one frame in milliseconds, at 60 Hz. */
const FRAME_MS = 1000 / 60;
/** Largest size of what a user loads. The texts of each other language, which only its users load, are apart. */
const LARGEST_KB = 285;
const LARGEST_LANGUAGE_KB = 25;
/** Sub-statuses that webhooks report in turn: a customer who fails checks and repeats them. */
const ROUND = ['AADHAAR_VERIFICATION_FAILED', 'AADHAAR_VERIFICATION_SUCCESS', 'USER_PROXY_DETECTED'];

/** Script that is run in the page: records the durations of tasks of over 50 ms (Long Tasks API) in `window.tasks`. */
const WATCH_TASKS = `{
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });
}`;
const tasksOf = ({ page }: Console) => page.evaluate<number[]>('window.tasks');

/** Starts a session, and inserts copies of its row, each with a creation time a second before the previous copy. */
async function withMany(gateway: Gateway, count: number): Promise<void> {
  await gateway.start('many');
  await gateway.database.query(
    `insert into vkyc_session
     select (jsonb_populate_record(s, jsonb_build_object(
       'id', gen_random_uuid(), 'verification_id', 'many-' || n, 'created_at', s.created_at - n * interval '1 second'
     ))).* from vkyc_session s, generate_series(1, $1) n`,
    [count - 1],
  );
}

browserTest(
  'a list of 10,000 sessions can be scrolled to its end, with only the visible rows in the DOM',
  { retry: 2 },
  async () => {
    const gateway = await bootGateway();
    await withMany(gateway, SESSIONS);
    const window = await openConsole(gateway);
    await window.live();
    await window.page.getByText(/10,000 sessions/).waitFor();
    await window.page.evaluate(WATCH_TASKS);

    const { seconds, most, gaps } = await window.page.evaluate<Scrolled>(SCROLL_TO_THE_END);

    const [half = 0, worst = 0] = [0.5, 1].map((share) => gaps[Math.ceil(gaps.length * share) - 1] ?? 0);
    const tasks = await tasksOf(window);
    process.stderr.write(
      `10,000 sessions: at the end after ${seconds.toFixed(1)} s, at most ${most} rows in the page; ${gaps.length} frames, half of them within ${half.toFixed(0)} ms, all within ${worst.toFixed(0)} ms; longest task ${longest(tasks)} ms\n`,
    );
    expect(most).toBeLessThan(ROWS_IN_THE_PAGE);
    // Median time between frames: an idle machine takes the time of one frame, a busy machine up to three. Users
    // would notice more.
    expect(half).toBeLessThan(FRAME_MS * 4);
    await window.page.evaluate(HOLD_UP);
    await expect.poll(async () => longest(await tasksOf(window))).toBeGreaterThan(LONGEST_TASK_MS);
  },
);

interface Scrolled {
  readonly seconds: number;
  /** Largest number of rows that were in the DOM at the same time. */
  readonly most: number;
  /** Milliseconds between successive frames, in ascending order. */
  readonly gaps: readonly number[];
}

/**
 * Expression that is evaluated in the page: scrolls down by one screen per frame, until the row of the last session
 * is rendered.
 */
const SCROLL_TO_THE_END = `new Promise((done) => {
  const table = document.querySelector('table');
  const box = table.parentElement;
  const begun = performance.now();
  const gaps = [];
  let [most, before] = [0, begun];
  const step = (now) => {
    gaps.push(now - before);
    before = now;
    const rows = table.tBodies[0].rows;
    most = Math.max(most, rows.length);
    if (rows[rows.length - 1]?.textContent.startsWith('many-${SESSIONS - 1}'))
      return done({ seconds: (now - begun) / 1000, most, gaps: gaps.sort((one, other) => one - other) });
    box.scrollTop += box.clientHeight;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})`;

/**
 * Expression that is evaluated in the page: blocks the main thread, to prove that `WATCH_TASKS` records long tasks.
 */
const HOLD_UP = `new Promise((done) => setTimeout(() => {
  const until = performance.now() + ${LONGEST_TASK_MS + 50};
  while (performance.now() < until);
  done();
}))`;

const longest = (tasks: readonly number[]): number => Math.round(Math.max(0, ...tasks));

browserTest(
  'while 100 transitions a second change a list of 10,000 sessions, no task of the page takes over 100 ms, and the list finally shows every change',
  { retry: 2 },
  async () => {
    const gateway = await bootGateway();
    await withMany(gateway, SESSIONS);
    const ids = Array.from({ length: MOVING }, (_, n) => `moving-${n}`);
    for (const id of ids) await gateway.start(id);
    const window = await openConsole(gateway, { at: '/?order=newest' });
    await window.live();
    await expect.poll(() => window.rows.count(), PATIENTLY).toBeGreaterThan(10);
    await window.page.evaluate(WATCH_TASKS);

    const begun = Date.now();
    const total = MOVES_PER_SECOND * SECONDS;
    const sending: Promise<number>[] = [];
    for (let sent = 0; sent < total; sent++) {
      const subStatus = ROUND[Math.floor(sent / MOVING) % ROUND.length];
      sending.push(
        gateway.webhook({
          event_type: 'VKYC_STATUS',
          event_time: new Date(begun + sent * 10).toISOString(),
          version: 'v1',
          data: { verification_id: ids[sent % MOVING], status: 'PRE_VIDEO_CALL', sub_status: subStatus },
        }),
      );
      await pause(Math.max(0, begun + ((sent + 1) * 1000) / MOVES_PER_SECOND - Date.now()));
    }
    expect(new Set(await Promise.all(sending))).toEqual(new Set([200]));
    const took = (Date.now() - begun) / 1000;
    await expect
      .poll(
        async () =>
          (await gateway.database.query('select from status_transition where sequence > 1')).rowCount ?? 0,
        PATIENTLY,
      )
      .toBe(total);

    const tasks = await tasksOf(window);
    process.stderr.write(
      `${total} transitions in ${took.toFixed(1)} s: ${tasks.length} tasks of more than 50 ms, the longest ${longest(tasks)} ms\n`,
    );
    await expect.poll(() => window.rows.first().textContent(), PATIENTLY).toContain('User proxy detected');
    expect(longest(tasks)).toBeLessThan(LONGEST_TASK_MS);
    expect(window.complaints).toEqual([]);
  },
);

test('all files of the console in one language are together smaller than 285 kB gzipped, and the texts of another language smaller than 25 kB', async () => {
  const folder = new URL('../../.build/console/assets/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => !/\.(gz|br)$/.test(name));
  const weigh = async (names: readonly string[]) => {
    const sizes = await Promise.all(
      names.map(async (name) => gzipSync(await readFile(new URL(name, folder)), { level: 9 }).length),
    );
    return sizes.reduce((sum, size) => sum + size, 0) / 1000;
  };
  const isHindi = (name: string) => name.startsWith('hindi-');
  const kilobytes = await weigh(files.filter((name) => !isHindi(name)));
  const hindi = await weigh(files.filter(isHindi));
  process.stderr.write(
    `the console: ${kilobytes.toFixed(1)} kB gzipped, in ${files.length} files; ${hindi.toFixed(1)} kB more in Hindi\n`,
  );

  expect(files.length).toBeGreaterThan(3);
  expect(kilobytes).toBeLessThan(LARGEST_KB);
  expect(hindi).toBeGreaterThan(5);
  expect(hindi).toBeLessThan(LARGEST_LANGUAGE_KB);
});
