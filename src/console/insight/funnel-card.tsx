import { useCallback, useMemo } from 'react';
import { texts } from '../language/texts.ts';
import { formatNumber } from '../look/numbers.ts';
import { Chart, type ChartConfig, createAxisOptions, createCommonChartOptions } from './chart.tsx';
import type { ThemeColours } from './colours.ts';
import { ChartOrTableCard, NumberTable } from './figure-card.tsx';
import { computeFunnel, type FunnelBar, formatPercent } from './figures.ts';
import type { Stats } from './use-stats.ts';

/** Card with the funnel: how many sessions reached each phase. */
export function FunnelCard({ stats }: { stats: Stats }) {
  const stages = useMemo(() => computeFunnel(stats), [stats]);
  const draw = useCallback((colours: ThemeColours) => buildChart(stages, colours), [stages]);
  const skipped = stages.some(({ reached, before }) => reached > (before ?? reached));
  return (
    <ChartOrTableCard
      title={texts.insight.funnel.title}
      about={`${describeLargestDrop(stages)} ${skipped ? texts.insight.funnel.skips : ''}`}
      empty={stats.total === 0 ? texts.insight.noneStarted : null}
      chart={
        <Chart
          label={texts.insight.funnel.describe(
            stages.map(({ name, reached }) => `${name} ${reached}`).join(', '),
          )}
          heightPx={280}
          draw={draw}
        />
      }
      table={
        <NumberTable
          caption={texts.insight.funnel.caption}
          columns={[
            texts.insight.phase,
            texts.insight.funnel.reached,
            texts.insight.funnel.shareOfAll,
            texts.insight.funnel.shareOfBefore,
            texts.insight.funnel.dropOff,
          ]}
          rows={stages.map((stage) => ({
            key: stage.name,
            cells: [
              stage.name,
              formatNumber(stage.reached),
              formatPercent(stage.reached, stats.total),
              stage.before === null ? '–' : formatPercent(stage.reached, stage.before),
              stage.before === null ? '–' : formatNumber(countLost(stage)),
            ],
          }))}
        />
      }
    />
  );
}

/** Returns a sentence that names the phase before which most sessions were lost. */
function describeLargestDrop(stages: readonly FunnelBar[]): string {
  const [worst] = [...stages].sort((one, other) => countLost(other) - countLost(one));
  return worst && countLost(worst) > 0
    ? texts.insight.funnel.largestDrop(worst.name, countLost(worst), formatNumber(countLost(worst)))
    : texts.insight.funnel.soFar;
}

/**
 * Counts the sessions that reached the previous stage but not this one. The result is at least 0: if the
 * provider skips a phase, more sessions may have reached the later stage.
 */
const countLost = ({ reached, before }: FunnelBar): number => Math.max(0, (before ?? reached) - reached);

function buildChart(stages: readonly FunnelBar[], colours: ThemeColours): ChartConfig {
  const names = stages.map(({ name, reached, before }) =>
    before === null ? name : `${name} · ${formatPercent(reached, before)}`,
  );
  return {
    type: 'bar',
    data: {
      labels: names,
      datasets: [
        {
          label: texts.insight.funnel.reached,
          data: stages.map(({ reached }) => reached),
          backgroundColor: stages.map((_, at) => (at === stages.length - 1 ? colours.good : colours.accent)),
          borderRadius: 4,
          maxBarThickness: 34,
        },
      ],
    },
    options: {
      ...createCommonChartOptions(colours),
      indexAxis: 'y',
      scales: {
        x: { ...createAxisOptions(colours), ticks: { ...createAxisOptions(colours).ticks, precision: 0 } },
        y: createAxisOptions(colours, false),
      },
      plugins: {
        tooltip: {
          ...createCommonChartOptions(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataIndex }) => {
              const stage = stages[dataIndex];
              if (!stage) return '';
              const lost =
                stage.before === null ? '' : texts.insight.funnel.fewer(formatNumber(countLost(stage)));
              return `${texts.insight.funnel.reachedCount(formatNumber(stage.reached))}${lost}`;
            },
          },
        },
      },
    },
  };
}
