import { useCallback, useMemo } from 'react';
import { axis, Chart, common, type Drawing } from './chart.tsx';
import type { Colours } from './colours.ts';
import { FigureCard, Numbers } from './figure-card.tsx';
import { number, type Reach, reachesOf, share } from './figures.ts';
import type { Stats } from './use-stats.ts';

/** How many sessions came how far, and how many were lost on the way. */
export function FunnelCard({ stats }: { stats: Stats }) {
  const reaches = useMemo(() => reachesOf(stats), [stats]);
  const draw = useCallback((colours: Colours) => drawn(reaches, colours), [reaches]);
  const skipped = reaches.some(({ reached, before }) => reached > (before ?? reached));
  return (
    <FigureCard
      title="How far sessions come"
      about={`${aboutMost(reaches)} ${skipped ? SOME_SKIP : ''}`}
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
              number(reach.reached),
              share(reach.reached, stats.total),
              reach.before === null ? '–' : share(reach.reached, reach.before),
              reach.before === null ? '–' : number(lostAt(reach)),
            ],
          }))}
        />
      }
    />
  );
}

const SOME_SKIP = 'Some skip a phase, so that more come to the next.';

/** Where most are lost, in a sentence. */
function aboutMost(reaches: readonly Reach[]): string {
  const [worst] = [...reaches].sort((one, other) => lostAt(other) - lostAt(one));
  return worst && lostAt(worst) > 0
    ? `Most are missing at “${worst.name}”: ${number(lostAt(worst))} of those before, lost or still on their way.`
    : 'Each phase with how many have been there, whether they still are or not.';
}

/** How many of those before did not come here; a provider may leave a phase out, so that more come than were before. */
const lostAt = ({ reached, before }: Reach): number => Math.max(0, (before ?? reached) - reached);

function drawn(reaches: readonly Reach[], colours: Colours): Drawing {
  const names = reaches.map(({ name, reached, before }) =>
    before === null ? name : `${name} · ${share(reached, before)}`,
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
      ...common(colours),
      indexAxis: 'y',
      scales: {
        x: { ...axis(colours), ticks: { ...axis(colours).ticks, precision: 0 } },
        y: axis(colours, false),
      },
      plugins: {
        tooltip: {
          ...common(colours).plugins.tooltip,
          callbacks: {
            label: ({ dataIndex }) => {
              const reach = reaches[dataIndex];
              if (!reach) return '';
              const lost = reach.before === null ? '' : `, ${number(lostAt(reach))} fewer than before`;
              return `${number(reach.reached)} reached${lost}`;
            },
          },
        },
      },
    },
  };
}
