import { useCallback } from 'react';
import { Moment } from '../look/time.tsx';
import { axis, Chart, common, type Drawing } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { number, stretchName, totalsOf } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

const SERIES = [
  { said: 'Started', of: 'started', colour: 'accent', dash: [] },
  { said: 'Approved of them', of: 'approved', colour: 'good', dash: [] },
  { said: 'Ended of them', of: 'ended', colour: 'ink-soft', dash: [5, 4] },
] as const;

/** How many sessions were started when, and what became of them. */
export function OverTimeCard({ stats }: { stats: Stats }) {
  const { intervals } = stats;
  const draw = useCallback((colours: Colours) => drawn(intervals, colours), [intervals]);
  const { started, approved, ended } = totalsOf(stats);
  return (
    <FigureCard
      title="Sessions over time"
      about="By when they were started, with what became of them so far: the newest have had the least time."
      empty={stats.total === 0 ? 'No session was started in this time.' : null}
      chart={
        <>
          <Legend series={SERIES} />
          <Chart
            label={`Sessions over time in ${intervals.length} stretches: ${started} started, ${approved} of them approved, ${ended} ended`}
            heightPx={270}
            draw={draw}
          />
        </>
      }
      table={
        <Numbers
          caption="Sessions by when they were started"
          columns={['From', 'Started', 'Approved', 'Ended']}
          rows={intervals.map((stretch) => ({
            key: stretch.from,
            cells: [
              <Moment key="from" at={stretch.from} />,
              number(stretch.started),
              number(stretch.approved),
              number(stretch.ended),
            ],
          }))}
        />
      }
    />
  );
}

function drawn(intervals: Stats['intervals'], colours: Colours): Drawing {
  return {
    type: 'line',
    data: {
      labels: intervals.map(stretchName),
      datasets: SERIES.map(({ said, of, colour, dash }) => ({
        label: said,
        data: intervals.map((stretch) => stretch[of]),
        borderColor: colours[colour],
        backgroundColor: colours[colour],
        borderDash: [...dash],
        borderWidth: 2,
        pointRadius: 2,
        pointHoverRadius: 5,
        cubicInterpolationMode: 'monotone',
      })),
    },
    options: {
      ...common(colours),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          ...axis(colours, false),
          ticks: { ...axis(colours).ticks, autoSkipPadding: 24, maxRotation: 0 },
        },
        y: { ...axis(colours), beginAtZero: true, ticks: { ...axis(colours).ticks, precision: 0 } },
      },
    },
  };
}
