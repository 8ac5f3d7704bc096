import { useCallback, useMemo } from 'react';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { computeFunnel, formatNumber, formatShare, type Reach } from './figures.ts';
import type { Stats } from './use-stats.ts';

/** How many sessions came how far, and how many were lost on the way. */
export function FunnelCard({ stats }: { stats: Stats }) {
  const reaches = useMemo(() => computeFunnel(stats), [stats]);
  const draw = useCallback((colours: Colours) => buildChart(reaches, colours), [reaches]);
  const skipped = reaches.some(({ reached, before }) => reached > (before ?? reached));
  return (
    <FigureCard
      title="How far sessions come"
      about={`${describeLargestDrop(reaches)} ${skipped ? SKIP_NOTE : ''}`}
      empty={stats.total === 0 ? 'No session was started in this time.' : null}
      chart={
        <Chart
          label={`How far sessions come: ${reaches.map(({ name, reached }) => `${name} ${reached}`).join(', ')}`}
          heightPx={280}
          draw={draw}
        />
      }
      table={
        <Numbers
          caption="Sessions that reached each phase"
          columns={['Phase', 'Reached', 'Of all', 'Of the phase before', 'Drop-off']}
          rows={reaches.map((reach) => ({
            key: reach.name,
            cells: [
              reach.name,
              formatNumber(reach.reached),
              formatShare(reach.reached, stats.total),
              reach.before === null ? '–' : formatShare(reach.reached, reach.before),
              reach.before === null ? '–' : formatNumber(countLost(reach)),
            ],
          }))}
        />
      }
    />
  );
}

const SKIP_NOTE = 'Some skip a phase, so that more come to the next.';

/** Where most are lost, in a sentence. */
function describeLargestDrop(reaches: readonly Reach[]): string {
  const [worst] = [...reaches].sort((one, other) => countLost(other) - countLost(one));
  return worst && countLost(worst) > 0
    ? `Most are missing at “${worst.name}”: ${formatNumber(countLost(worst))} of those before, lost or still on their way.`
    : 'Each phase with how many have been there, whether they still are or not.';
}

/** How many of those before did not come here; a provider may leave a phase out, so that more come than were before. */
const countLost = ({ reached, before }: Reach): number => Math.max(0, (before ?? reached) - reached);

function buildChart(reaches: readonly Reach[], colours: Colours): ChartConfig {
  const names = reaches.map(({ name, reached, before }) =>
    before === null ? name : `${name} · ${formatShare(reached, before)}`,
  );
  return {
    type: 'bar',
    data: {
      labels: names,
      datasets: [
        {
          label: 'Reached',
          data: reaches.map(({ reached }) => reached),
          backgroundColor: reaches.map(({ name }) => (name === 'Approved' ? colours.good : colours.accent)),
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
              const reach = reaches[dataIndex];
              if (!reach) return '';
              const lost =
                reach.before === null ? '' : `, ${formatNumber(countLost(reach))} fewer than before`;
              return `${formatNumber(reach.reached)} reached${lost}`;
            },
          },
        },
      },
    },
  };
}
