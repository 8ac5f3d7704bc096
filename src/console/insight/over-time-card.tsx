import { useCallback } from 'react';
import { texts } from '../language/texts.ts';
import { formatNumber } from '../look/numbers.ts';
import { LocalAndIndianTime } from '../look/time.tsx';
import { Chart, type ChartConfig, createAxisOptions, createCommonChartOptions } from './chart.tsx';
import type { ThemeColours } from './colours.ts';
import { ChartOrTableCard, NumberTable } from './figure-card.tsx';
import { computeTotals, formatIntervalStart } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

const SERIES = [
  { label: texts.insight.started, of: 'started', colour: 'accent', dash: [] },
  { label: texts.insight.approved, of: 'approved', colour: 'good', dash: [] },
  { label: texts.insight.ended, of: 'ended', colour: 'ink-soft', dash: [5, 4] },
] as const;

/**
 * Card with the numbers of sessions started in each interval of the period. Each number is split by the
 * outcome so far.
 */
export function StartsOverTimeCard({ stats }: { stats: Stats }) {
  const { intervals } = stats;
  const draw = useCallback((colours: ThemeColours) => buildChart(intervals, colours), [intervals]);
  const { started, approved, ended } = computeTotals(stats);
  return (
    <ChartOrTableCard
      title={texts.insight.overTime.title}
      about={texts.insight.overTime.about}
      empty={stats.total === 0 ? texts.insight.noneStarted : null}
      chart={
        <>
          <Legend series={SERIES} />
          <Chart
            label={texts.insight.overTime.describe(intervals.length, started, approved, ended)}
            heightPx={270}
            draw={draw}
          />
        </>
      }
      table={
        <NumberTable
          caption={texts.insight.overTime.caption}
          columns={[
            texts.insight.overTime.from,
            texts.insight.started,
            texts.insight.approved,
            texts.insight.ended,
          ]}
          rows={intervals.map((interval) => ({
            key: interval.from,
            cells: [
              <LocalAndIndianTime key="from" at={interval.from} />,
              formatNumber(interval.started),
              formatNumber(interval.approved),
              formatNumber(interval.ended),
            ],
          }))}
        />
      }
    />
  );
}

function buildChart(intervals: Stats['intervals'], colours: ThemeColours): ChartConfig {
  return {
    type: 'line',
    data: {
      labels: intervals.map(formatIntervalStart),
      datasets: SERIES.map(({ label, of, colour, dash }) => ({
        label,
        data: intervals.map((interval) => interval[of]),
        borderColor: colours[colour],
        backgroundColor: colours[colour],
        borderDash: [...dash],
        borderWidth: 2,
        pointRadius: 2,
        pointHoverRadius: 5,
      })),
    },
    options: {
      ...createCommonChartOptions(colours),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          ...createAxisOptions(colours, false),
          ticks: { ...createAxisOptions(colours).ticks, autoSkipPadding: 24, maxRotation: 0 },
        },
        y: {
          ...createAxisOptions(colours),
          beginAtZero: true,
          ticks: { ...createAxisOptions(colours).ticks, precision: 0 },
        },
      },
    },
  };
}
