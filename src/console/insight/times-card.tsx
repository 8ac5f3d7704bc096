import { useCallback, useMemo } from 'react';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { chooseTickSeconds, formatNumber, formatSeconds, listPhaseTimes } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

type Time = ReturnType<typeof listPhaseTimes>[number];

const SERIES = [
  { label: 'To reach it', of: 'medianSecondsToReach', colour: 'going' },
  { label: 'Spent in it', of: 'medianSecondsSpent', colour: 'trouble' },
] as const;

/** How long each phase takes. */
export function TimesCard({ stats }: { stats: Stats }) {
  const times = useMemo(() => listPhaseTimes(stats), [stats]);
  const shown = useMemo(() => times.filter(({ onSuccessPath }) => onSuccessPath), [times]);
  const draw = useCallback((colours: Colours) => buildChart(shown, colours), [shown]);
  const nothing = times.every((time) => time.medianSecondsSpent === null && !time.medianSecondsToReach);
  return (
    <FigureCard
      title="How long it takes"
      about="Medians: half of the sessions were faster. To reach a phase counts from the start; the table has the ends too."
      empty={nothing ? 'No session of this time has gone from one phase to another.' : null}
      chart={
        <>
          <Legend series={SERIES} />
          <Chart
            label={`Median times: ${shown.map((time) => `${time.name} reached after ${formatSeconds(time.medianSecondsToReach)}, ${formatSeconds(time.medianSecondsSpent)} spent in it`).join('; ')}`}
            heightPx={270}
            draw={draw}
          />
        </>
      }
      table={
        <Numbers
          caption="Median time to each phase and in it"
          columns={['Phase', 'Sessions', 'Time to reach it', 'Time spent in it']}
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

function buildChart(times: readonly Time[], colours: Colours): ChartConfig {
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
      ...commonOptions(colours),
      indexAxis: 'y',
      scales: {
        x: {
          ...axisOptions(colours),
          ticks: {
            ...axisOptions(colours).ticks,
            stepSize: chooseTickSeconds(most),
            callback: (value) => formatSeconds(Number(value)),
          },
        },
        y: axisOptions(colours, false),
      },
      plugins: {
        tooltip: {
          ...commonOptions(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataset, dataIndex, datasetIndex }) =>
              `${dataset.label}: ${formatSeconds(times[dataIndex]?.[SERIES[datasetIndex]?.of ?? 'medianSecondsSpent'] ?? null)}`,
          },
        },
      },
    },
  };
}
