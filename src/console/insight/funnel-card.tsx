import { useCallback, useMemo } from 'react';
import { texts } from '../language/texts.ts';
import { formatNumber } from '../look/numbers.ts';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, NumberTable } from './figure-card.tsx';
import { computeFunnel, formatShare, type Stage } from './figures.ts';
import type { Stats } from './use-stats.ts';

/** Card with the funnel: how many sessions reached each phase. */
export function FunnelCard({ stats }: { stats: Stats }) {
  const stages = useMemo(() => computeFunnel(stats), [stats]);
  const draw = useCallback((colours: Colours) => buildChart(stages, colours), [stages]);
  const skipped = stages.some(({ reached, before }) => reached > (before ?? reached));
  return (
    <FigureCard
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

/** Returns a sentence that names the phase before which most sessions were lost. */
function describeLargestDrop(stages: readonly Stage[]): string {
  const [worst] = [...stages].sort((one, other) => countLost(other) - countLost(one));
  return worst && countLost(worst) > 0
    ? texts.insight.funnel.largestDrop(worst.name, countLost(worst), formatNumber(countLost(worst)))
    : texts.insight.funnel.soFar;
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
          label: texts.insight.funnel.reached,
          data: stages.map(({ reached }) => reached),
          backgroundColor: stages.map((_, at) => (at === stages.length - 1 ? colours.good : colours.accent)),
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
                stage.before === null ? '' : texts.insight.funnel.fewer(formatNumber(countLost(stage)));
              return `${texts.insight.funnel.reachedCount(formatNumber(stage.reached))}${lost}`;
            },
          },
        },
      },
    },
  };
}
