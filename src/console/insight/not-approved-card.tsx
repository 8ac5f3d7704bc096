import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import { getLabel, getStatusTone, getStepLabel, PHASE_LABELS, wrapText } from '../look/labels.ts';
import { formatNumber } from '../look/numbers.ts';
import { StatusBadge } from '../look/status.tsx';
import { Chart, type ChartConfig, createAxisOptions, createCommonChartOptions } from './chart.tsx';
import type { ThemeColours } from './colours.ts';
import { ChartOrTableCard, NumberTable } from './figure-card.tsx';
import { formatPercent, listNotApprovedCounts } from './figures.ts';
import type { Stats } from './use-stats.ts';

type Counted = Stats['byStatus'][number];

const MAX_BARS = 12;
const BAR_PX = 29;
const MAX_LABEL_LETTERS = 22;
const AXIS_PX = 30;

/** Card with the numbers of sessions that are not approved, by sub-status. */
export function NotApprovedCard({ stats }: { stats: Stats }) {
  const steps = useMemo(() => listNotApprovedCounts(stats), [stats]);
  const shown = useMemo(() => steps.slice(0, MAX_BARS), [steps]);
  const draw = useCallback((colours: ThemeColours) => buildChart(shown, colours), [shown]);
  const all = steps.reduce((sum, { count }) => sum + count, 0);
  return (
    <ChartOrTableCard
      title={texts.insight.notApproved.title}
      about={
        steps.length > MAX_BARS
          ? texts.insight.notApproved.mostFrequent(MAX_BARS, steps.length)
          : texts.insight.notApproved.about
      }
      empty={
        stats.total === 0
          ? texts.insight.noneStarted
          : steps.length === 0
            ? texts.insight.notApproved.allApproved
            : null
      }
      chart={
        <Chart
          label={texts.insight.notApproved.describe(
            shown.map(({ subStatus, count }) => `${getStepLabel(subStatus)} ${count}`).join(', '),
          )}
          heightPx={Math.max(shown.length, 4) * BAR_PX + AXIS_PX}
          draw={draw}
        />
      }
      table={
        <NumberTable
          caption={texts.insight.notApproved.caption}
          columns={[texts.insight.step, texts.insight.phase, texts.insight.sessions, texts.insight.share]}
          rows={steps.map((step) => ({
            key: `${step.status}/${step.subStatus}`,
            cells: [
              <Link key="step" href={`/?phase=${step.status}&step=${step.subStatus}`}>
                <StatusBadge of={step} />
              </Link>,
              getLabel(PHASE_LABELS, step.status),
              formatNumber(step.count),
              formatPercent(step.count, all),
            ],
          }))}
        />
      }
    />
  );
}

function buildChart(steps: readonly Counted[], colours: ThemeColours): ChartConfig {
  return {
    type: 'bar',
    data: {
      labels: steps.map(({ subStatus }) => [...wrapText(getStepLabel(subStatus), MAX_LABEL_LETTERS)]),
      datasets: [
        {
          label: texts.insight.sessions,
          data: steps.map(({ count }) => count),
          backgroundColor: steps.map((step) => colours[getStatusTone(step)]),
          borderRadius: 4,
          maxBarThickness: 16,
        },
      ],
    },
    options: {
      ...createCommonChartOptions(colours),
      indexAxis: 'y',
      plugins: {
        tooltip: {
          ...createCommonChartOptions(colours).plugins.tooltip,
          callbacks: {
            title: ([bar]) => {
              const step = steps[bar?.dataIndex ?? -1];
              return step ? getStepLabel(step.subStatus) : '';
            },
          },
        },
      },
      scales: {
        x: { ...createAxisOptions(colours), ticks: { ...createAxisOptions(colours).ticks, precision: 0 } },
        y: {
          ...createAxisOptions(colours, false),
          ticks: { ...createAxisOptions(colours).ticks, autoSkip: false },
        },
      },
    },
  };
}
