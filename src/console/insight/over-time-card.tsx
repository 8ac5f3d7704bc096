import { useCallback } from 'react';
import { LocalAndIndianTime } from '../look/time.tsx';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { computeTotals, formatIntervalStart, formatNumber } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

const SERIES = [
  { label: 'Started', of: 'started', colour: 'accent', dash: [] },
  { label: 'Approved of them', of: 'approved', colour: 'good', dash: [] },
  { label: 'Ended of them', of: 'ended', colour: 'ink-soft', dash: [5, 4] },
] as const;

/** How many sessions were started when, and what became of them. */
export function OverTimeCard({ stats }: { stats: Stats }) {
  const { intervals } = stats;
  const draw = useCallback((colours: Colours) => buildChart(intervals, colours), [intervals]);
  const { started, approved, ended } = computeTotals(stats);
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
              <LocalAndIndianTime key="from" at={stretch.from} />,
              formatNumber(stretch.started),
              formatNumber(stretch.approved),
              formatNumber(stretch.ended),
            ],
          }))}
        />
      }
    />
  );
}

function buildChart(intervals: Stats['intervals'], colours: Colours): ChartConfig {
  return {
    type: 'line',
    data: {
      labels: intervals.map(formatIntervalStart),
      datasets: SERIES.map(({ label, of, colour, dash }) => ({
        label,
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
      ...commonOptions(colours),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          ...axisOptions(colours, false),
          ticks: { ...axisOptions(colours).ticks, autoSkipPadding: 24, maxRotation: 0 },
        },
        y: {
          ...axisOptions(colours),
          beginAtZero: true,
          ticks: { ...axisOptions(colours).ticks, precision: 0 },
        },
      },
    },
  };
}
