import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { findTone, humanize, PHASE_LABELS, wrapText } from '../look/labels.ts';
import { StatusBadge } from '../look/status.tsx';
import { axisOptions, Chart, type ChartConfig, commonOptions } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { formatNumber, formatShare, listNotApproved } from './figures.ts';
import type { Stats } from './use-stats.ts';

type Counted = Stats['byStatus'][number];

const MAX_BARS = 12;
const BAR_PX = 29;
const MAX_LABEL_LETTERS = 22;
const AXIS_PX = 30;

/** Where the sessions are that are not approved. */
export function WhereCard({ stats }: { stats: Stats }) {
  const steps = useMemo(() => listNotApproved(stats), [stats]);
  const shown = useMemo(() => steps.slice(0, MAX_BARS), [steps]);
  const draw = useCallback((colours: Colours) => buildChart(shown, colours), [shown]);
  const all = steps.reduce((sum, { count }) => sum + count, 0);
  return (
    <FigureCard
      title="Where the others are"
      about={
        steps.length > MAX_BARS
          ? `Sessions that are not approved, by step: the ${MAX_BARS} most frequent of ${steps.length}; the table has all.`
          : 'Sessions that are not approved, by step: waiting, in trouble or over.'
      }
      empty={
        stats.total === 0
          ? 'No session was started in this time.'
          : steps.length === 0
            ? 'Every session of this time is approved.'
            : null
      }
      chart={
        <Chart
          label={`Sessions that are not approved, by step: ${shown
            .map(({ subStatus, count }) => `${humanize(subStatus)} ${count}`)
            .join(', ')}`}
          heightPx={Math.max(shown.length, 4) * BAR_PX + AXIS_PX}
          draw={draw}
        />
      }
      table={
        <Numbers
          caption="Sessions that are not approved, by step"
          columns={['Step', 'Phase', 'Sessions', 'Of these']}
          rows={steps.map((step) => ({
            key: `${step.status}/${step.subStatus}`,
            cells: [
              <Link key="step" href={`/?phase=${step.status}&step=${step.subStatus}`}>
                <StatusBadge of={step} />
              </Link>,
              PHASE_LABELS[step.status] ?? humanize(step.status),
              formatNumber(step.count),
              formatShare(step.count, all),
            ],
          }))}
        />
      }
    />
  );
}

function buildChart(steps: readonly Counted[], colours: Colours): ChartConfig {
  return {
    type: 'bar',
    data: {
      labels: steps.map(({ subStatus }) => [...wrapText(humanize(subStatus), MAX_LABEL_LETTERS)]),
      datasets: [
        {
          label: 'Sessions',
          data: steps.map(({ count }) => count),
          backgroundColor: steps.map((step) => colours[findTone(step)]),
          borderRadius: 4,
          maxBarThickness: 16,
        },
      ],
    },
    options: {
      ...commonOptions(colours),
      indexAxis: 'y',
      plugins: {
        tooltip: {
          ...commonOptions(colours).plugins.tooltip,
          callbacks: { title: ([bar]) => humanize(steps[bar?.dataIndex ?? -1]?.subStatus ?? '') },
        },
      },
      scales: {
        x: { ...axisOptions(colours), ticks: { ...axisOptions(colours).ticks, precision: 0 } },
        y: { ...axisOptions(colours, false), ticks: { ...axisOptions(colours).ticks, autoSkip: false } },
      },
    },
  };
}
