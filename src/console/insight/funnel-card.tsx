import { useCallback, useMemo } from 'react';
import { formatCount } from '../look/labels.ts';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, NumberTable } from './figure-card.tsx';
import { computeFunnel, formatNumber, formatShare, type Stage } from './figures.ts';
import type { Stats } from './use-stats.ts';

/** Card with the funnel: how many sessions reached each phase. */
export function FunnelCard({ stats }: { stats: Stats }) {
  const stages = useMemo(() => computeFunnel(stats), [stats]);
  const draw = useCallback((colours: Colours) => buildChart(stages, colours), [stages]);
  const skipped = stages.some(({ reached, before }) => reached > (before ?? reached));
  return (
    <FigureCard
      title="How far sessions get"
      about={`${describeLargestDrop(stages)} ${skipped ? SKIP_NOTE : ''}`}
      empty={stats.total === 0 ? 'No sessions were started in this period.' : null}
      chart={
        <Chart
          label={`How far sessions get: ${stages.map(({ name, reached }) => `${name} ${reached}`).join(', ')}`}
          heightPx={280}
          draw={draw}
        />
      }
      table={
        <NumberTable
          caption="Sessions that reached each phase"
          columns={['Phase', 'Reached', 'Share of all', 'Share of the phase before', 'Drop-off']}
          rows={stages.map((stage) => ({
            key: stage.name,
            cells: [
              stage.name,
              formatNumber(stage.reached),
              formatShare(stage.reached, stats.total),
              stage.before === null ? '–' : formatShare(stage.reached, stage.before),
              stage.before === null ? '–' : formatNumber(countLost(stage)),
            ],
          }))}
        />
      }
    />
  );
}

const SKIP_NOTE = 'Some sessions skip a phase, so a phase can have more sessions than the one before it.';

/** Returns a sentence that names the phase before which most sessions were lost. */
function describeLargestDrop(stages: readonly Stage[]): string {
  const [worst] = [...stages].sort((one, other) => countLost(other) - countLost(one));
  return worst && countLost(worst) > 0
    ? `Largest drop at “${worst.name}”: ${formatCount(countLost(worst), 'session')} did not reach this phase, or not yet.`
    : 'Number of sessions that have reached each phase so far.';
}

/**
 * Counts the sessions that reached the previous stage but not this one. The result is at least 0: if the
 * provider skips a phase, more sessions may have reached the later stage.
 */
const countLost = ({ reached, before }: Stage): number => Math.max(0, (before ?? reached) - reached);

function buildChart(stages: readonly Stage[], colours: Colours): ChartConfig {
  const names = stages.map(({ name, reached, before }) =>
    before === null ? name : `${name} · ${formatShare(reached, before)}`,
  );
  return {
    type: 'bar',
    data: {
      labels: names,
      datasets: [
        {
          label: 'Reached',
          data: stages.map(({ reached }) => reached),
          backgroundColor: stages.map(({ name }) => (name === 'Approved' ? colours.good : colours.accent)),
          borderRadius: 4,
          maxBarThickness: 34,
        },
      ],
    },
    options: {
      ...commonOptions(colours),
      indexAxis: 'y',
      scales: {
        x: { ...axisOptions(colours), ticks: { ...axisOptions(colours).ticks, precision: 0 } },
        y: axisOptions(colours, false),
      },
      plugins: {
        tooltip: {
          ...commonOptions(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataIndex }) => {
              const stage = stages[dataIndex];
              if (!stage) return '';
              const lost =
                stage.before === null
                  ? ''
                  : `, ${formatNumber(countLost(stage))} fewer than in the phase before`;
              return `${formatNumber(stage.reached)} reached${lost}`;
            },
          },
        },
      },
    },
  };
}
