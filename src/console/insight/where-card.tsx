import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { Step } from '../look/status.tsx';
import { linesOf, PHASES, toneOf, words } from '../look/words.ts';
import { axis, Chart, common, type Drawing } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { notApprovedOf, number, share } from './figures.ts';
import type { Stats } from './use-stats.ts';

type Counted = Stats['byStatus'][number];

const DRAWN = 12;
const BAR_PX = 29;
const LABEL_LETTERS = 22;
const AXIS_PX = 30;

/** Where the sessions are that are not approved. */
export function WhereCard({ stats }: { stats: Stats }) {
  const steps = useMemo(() => notApprovedOf(stats), [stats]);
  const shown = useMemo(() => steps.slice(0, DRAWN), [steps]);
  const draw = useCallback((colours: Colours) => drawn(shown, colours), [shown]);
  const all = steps.reduce((sum, { count }) => sum + count, 0);
  return (
    <FigureCard
      title="Where the others are"
      about={
        steps.length > DRAWN
          ? `Sessions that are not approved, by step: the ${DRAWN} most frequent of ${steps.length}; the table has all.`
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
            .map(({ subStatus, count }) => `${words(subStatus)} ${count}`)
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
                <Step of={step} />
              </Link>,
              PHASES[step.status] ?? words(step.status),
              number(step.count),
              share(step.count, all),
            ],
          }))}
        />
      }
    />
  );
}

function drawn(steps: readonly Counted[], colours: Colours): Drawing {
  return {
    type: 'bar',
    data: {
      labels: steps.map(({ subStatus }) => [...linesOf(words(subStatus), LABEL_LETTERS)]),
      datasets: [
        {
          label: 'Sessions',
          data: steps.map(({ count }) => count),
          backgroundColor: steps.map((step) => colours[toneOf(step)]),
          borderRadius: 4,
          maxBarThickness: 16,
        },
      ],
    },
    options: {
      ...common(colours),
      indexAxis: 'y',
      plugins: {
        tooltip: {
          ...common(colours).plugins.tooltip,
          callbacks: { title: ([bar]) => words(steps[bar?.dataIndex ?? -1]?.subStatus ?? '') },
        },
      },
      scales: {
        x: { ...axis(colours), ticks: { ...axis(colours).ticks, precision: 0 } },
        y: { ...axis(colours, false), ticks: { ...axis(colours).ticks, autoSkip: false } },
      },
    },
  };
}
