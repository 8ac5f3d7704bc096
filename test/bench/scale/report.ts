import { type Column, show, tableOf } from '../harness/table.ts';
import { judge, lineOf } from '../harness/verdict.ts';
import { drawLines, type Series } from './plot.ts';
import type { QueryName, Size } from './scale.ts';

const MOST_TIMES_DEEP = 1.2;
const TITLES: Record<QueryName, string> = {
  session: '(a) one session',
  page: '(b) a page of 50',
  filtered: '(c) a filtered page, deep',
};
const NAMES = Object.keys(TITLES) as QueryName[];

const COLUMNS: readonly Column[] = [
  { head: ['one process', 'requests/s'], digits: 0 },
  { head: ['', 'p50 ms'], digits: 2 },
  { head: ['two processes', 'requests/s'], digits: 0 },
  { head: ['', 'p50 ms'], digits: 2 },
];

/** Returns the report as text, for people. */
export function textOf(machine: string, sizes: readonly Size[]): string {
  const rows = NAMES.flatMap((name) =>
    sizes.map(({ sessions, queries }) => {
      const { one, two } = queries[name];
      return {
        title: `${TITLES[name]}: ${sessions.toLocaleString('en')} sessions`,
        cells: [show(one.perSecond, 0), show(one.p50, 2), show(two.perSecond, 0), show(two.p50, 2)],
      };
    }),
  );
  const resumes = sizes.flatMap(({ sessions, resumeSeconds }) =>
    resumeSeconds
      ? [`(h) ${sessions.toLocaleString('en')} sessions: caught up after ${show(resumeSeconds, 2)} s`]
      : [],
  );
  return [machine, tableOf(COLUMNS, rows), ...resumes, deepPages(sizes)].join('\n');
}

function deepPages(sizes: readonly Size[]): string {
  const [smallest, largest] = [sizes[0], sizes.at(-1)];
  if (!smallest || !largest) return '';
  const ratio = largest.queries.filtered.one.p50.median / smallest.queries.filtered.one.p50.median;
  const found = { median: ratio, deviation: 0 };
  const what = `times the p50 of (c) at ${smallest.sessions.toLocaleString('en')} sessions, when there are ${largest.sessions.toLocaleString('en')}`;
  return lineOf(judge(what, found, { atMost: MOST_TIMES_DEEP }));
}

/** Returns the chart (SVG): median query time in milliseconds by the number of sessions, dashed for two gateway processes. */
export function plotOf(sizes: readonly Size[]): string {
  const series: Series[] = NAMES.flatMap((name, index) =>
    (['one', 'two'] as const).map((team) => ({
      title: team === 'one' ? TITLES[name] : null,
      color: index,
      dashed: team === 'two',
      points: sizes.map(({ sessions, queries }) => ({ x: sessions, y: queries[name][team].p50.median })),
    })),
  );
  const caughtUp = sizes.flatMap(({ sessions, resumeSeconds }) =>
    resumeSeconds ? [{ x: sessions, y: resumeSeconds.median * 1_000 }] : [],
  );
  series.push({ title: '(h) 1,000 caught up', color: NAMES.length, dashed: false, points: caughtUp });
  return drawLines({
    title: 'Milliseconds (p50) by sessions in the database; dashed: two processes',
    series,
  });
}
