import { useCallback, useMemo } from 'react';
import { texts } from '../language/texts.ts';
import { formatNumber } from '../look/numbers.ts';
import { Chart, type ChartConfig, createAxisOptions, createCommonChartOptions } from './chart.tsx';
import type { ThemeColours } from './colours.ts';
import { ChartOrTableCard, NumberTable } from './figure-card.tsx';
import { chooseTickSeconds, formatSeconds, listPhaseTimes } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

type Time = ReturnType<typeof listPhaseTimes>[number];

const SERIES = [
  { label: texts.insight.times.toReach, of: 'medianSecondsToReach', colour: 'going' },
  { label: texts.insight.times.spent, of: 'medianSecondsSpent', colour: 'trouble' },
] as const;

/**
 * Card with the median time until sessions reach each phase, and the median time that sessions spend in the
 * phase.
 */
export function PhaseTimesCard({ stats }: { stats: Stats }) {
  const times = useMemo(() => listPhaseTimes(stats), [stats]);
  const shown = useMemo(() => times.filter(({ onSuccessPath }) => onSuccessPath), [times]);
  const draw = useCallback((colours: ThemeColours) => buildChart(shown, colours), [shown]);
  const nothing = times.every((time) => time.medianSecondsSpent === null && !time.medianSecondsToReach);
  return (
    <ChartOrTableCard
      title={texts.insight.times.title}
      about={texts.insight.times.about}
      empty={nothing ? texts.insight.times.none : null}
      chart={
        <>
          <Legend series={SERIES} />
          <Chart
            label={texts.insight.times.describe(shown.map(describePhase).join('; '))}
            heightPx={270}
            draw={draw}
          />
        </>
      }
      table={
        <NumberTable
          caption={texts.insight.times.caption}
          columns={[
            texts.insight.phase,
            texts.insight.sessions,
            texts.insight.times.toReach,
            texts.insight.times.spent,
          ]}
          rows={times.map((time) => ({
            key: time.name,
            cells: [
              time.name,
              formatNumber(time.reached),
              formatSeconds(time.medianSecondsToReach),
              formatSeconds(time.medianSecondsSpent),
            ],
          }))}
        />
      }
    />
  );
}

const describePhase = ({ name, medianSecondsToReach, medianSecondsSpent }: Time): string =>
  texts.insight.times.describePhase(
    name,
    formatSeconds(medianSecondsToReach),
    formatSeconds(medianSecondsSpent),
  );

function buildChart(times: readonly Time[], colours: ThemeColours): ChartConfig {
  const most = Math.max(
    1,
    ...times.flatMap((time) => [time.medianSecondsSpent ?? 0, time.medianSecondsToReach ?? 0]),
  );
  return {
    type: 'bar',
    data: {
      labels: times.map(({ name }) => name),
      datasets: SERIES.map(({ label, of, colour }) => ({
        label,
        data: times.map((time) => time[of] ?? 0),
        backgroundColor: colours[colour],
        borderRadius: 4,
        maxBarThickness: 14,
      })),
    },
    options: {
      ...createCommonChartOptions(colours),
      indexAxis: 'y',
      scales: {
        x: {
          ...createAxisOptions(colours),
          ticks: {
            ...createAxisOptions(colours).ticks,
            stepSize: chooseTickSeconds(most),
            callback: (value) => formatSeconds(Number(value)),
          },
        },
        y: createAxisOptions(colours, false),
      },
      plugins: {
        tooltip: {
          ...createCommonChartOptions(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataset, dataIndex, datasetIndex }) =>
              `${dataset.label}: ${formatSeconds(times[dataIndex]?.[SERIES[datasetIndex]?.of ?? 'medianSecondsSpent'] ?? null)}`,
          },
        },
      },
    },
  };
}
