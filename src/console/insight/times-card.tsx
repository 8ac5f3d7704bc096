import { useCallback, useMemo } from 'react';
import { axis, Chart, common, type Drawing } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { niceStepSeconds, number, seconds, timesOf } from './figures.ts';
import { Legend } from './legend.tsx';
import type { Stats } from './use-stats.ts';

type Time = ReturnType<typeof timesOf>[number];

const SERIES = [
  { said: 'To reach it', of: 'medianSecondsToReach', colour: 'going' },
  { said: 'Spent in it', of: 'medianSecondsSpent', colour: 'trouble' },
] as const;

/** How long each phase takes. */
export function TimesCard({ stats }: { stats: Stats }) {
  const times = useMemo(() => timesOf(stats), [stats]);
  const shown = useMemo(() => times.filter(({ onWay }) => onWay), [times]);
  const draw = useCallback((colours: Colours) => drawn(shown, colours), [shown]);
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
            label={`Median times: ${shown.map((time) => `${time.name} reached after ${seconds(time.medianSecondsToReach)}, ${seconds(time.medianSecondsSpent)} spent in it`).join('; ')}`}
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
              number(time.reached),
              seconds(time.medianSecondsToReach),
              seconds(time.medianSecondsSpent),
            ],
          }))}
        />
      }
    />
  );
}

function drawn(times: readonly Time[], colours: Colours): Drawing {
  const most = Math.max(
    1,
    ...times.flatMap((time) => [time.medianSecondsSpent ?? 0, time.medianSecondsToReach ?? 0]),
  );
  return {
    type: 'bar',
    data: {
      labels: times.map(({ name }) => name),
      datasets: SERIES.map(({ said, of, colour }) => ({
        label: said,
        data: times.map((time) => time[of] ?? 0),
        backgroundColor: colours[colour],
        borderRadius: 4,
        maxBarThickness: 14,
      })),
    },
    options: {
      ...common(colours),
      indexAxis: 'y',
      scales: {
        x: {
          ...axis(colours),
          ticks: {
            ...axis(colours).ticks,
            stepSize: niceStepSeconds(most),
            callback: (value) => seconds(Number(value)),
          },
        },
        y: axis(colours, false),
      },
      plugins: {
        tooltip: {
          ...common(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataset, dataIndex, datasetIndex }) =>
              `${dataset.label}: ${seconds(times[dataIndex]?.[SERIES[datasetIndex]?.of ?? 'medianSecondsSpent'] ?? null)}`,
          },
        },
      },
    },
  };
}
