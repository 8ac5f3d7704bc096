import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { StartSessionDialog } from '../acting/start-session.tsx';
import { useHasRole, useSignedIn } from '../gateway/signed-in.tsx';
import { useReportState } from '../live/badge.tsx';
import { Floor } from '../live/floor.ts';
import { useStore } from '../live/store.ts';
import { useLive } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { PHASE_LABELS } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import { useTitle } from '../look/title.ts';
import { ExportButton } from './export-button.tsx';
import { Filters } from './filters.tsx';
import style from './floor-page.module.css';
import { lastList } from './last-list.ts';
import { PhaseStrip } from './phase-strip.tsx';
import { ORDERS, type OrderName, orderViewsFor, useFloorUrl } from './query.ts';
import { SearchField } from './search-field.tsx';
import { SessionTable } from './session-table.tsx';

const PHASE_OPTIONS: Record<string, string> = { '': 'All phases', ...PHASE_LABELS };
const ORDER_LABELS = Object.fromEntries(
  Object.entries(ORDERS).map(([name, { label }]) => [name, label]),
) as Record<OrderName, string>;

/**
 * Start page of the console, called the floor as in a call centre. The page shows the counts of open sessions
 * by phase and by the party that has to act next, and the filtered list of sessions.
 */
export function FloorPage() {
  const { gateway } = useSignedIn();
  const { search, query, change } = useFloorUrl();
  useTitle('Sessions');
  useEffect(() => {
    lastList.search = search.toString();
  });
  const last = useRef<Floor>(null);
  const floor = useLive(() => {
    const counts = last.current?.view.counts ?? null;
    last.current = new Floor(gateway, query.filter, ORDERS[query.order].order, counts);
    return last.current;
  }, [gateway, query]);
  const [starting, setStarting] = useState(false);
  const mayStart = useHasRole('OPERATOR', 'ADMIN');

  return (
    <div className={style.page}>
      <h1 className="hidden">Sessions</h1>
      <FloorCounts floor={floor} />
      <div className={style.tools}>
        <ViewTabs search={search.toString()} />
        <SearchField
          value={search.get('id') ?? ''}
          onChange={(id) =>
            change((next) => {
              if (id) next.set('id', id);
              else next.delete('id');
            })
          }
        />
        <Select
          label="Order"
          hideLabel
          options={ORDER_LABELS}
          value={query.order}
          onChange={(order) => change((next) => next.set('order', order))}
        />
        <Select
          label="Phase"
          hideLabel
          options={PHASE_OPTIONS}
          value={String(query.chosen.phase[0] ?? '')}
          onChange={(phase) =>
            change((next) => {
              next.delete('phase');
              if (phase) next.set('phase', phase);
            })
          }
        />
        <ExportButton filter={query.filter} order={ORDERS[query.order].order} />
        {mayStart && (
          <Button look="primary" onPress={() => setStarting(true)}>
            Start a session
          </Button>
        )}
      </div>
      <Filters />
      <FloorList floor={floor} filtered={Object.keys(query.filter).length > 0} />
      {starting && (
        <StartSessionDialog onClose={() => setStarting(false)} onStarted={(row) => floor.applyResult(row)} />
      )}
    </div>
  );
}

function FloorCounts({ floor }: { floor: Floor }) {
  const { counts, state } = useStore(floor);
  useReportState(state);
  return <PhaseStrip counts={counts} />;
}

function FloorList({ floor, filtered }: { floor: Floor; filtered: boolean }) {
  const { rows, total, edge, loading, failure } = useStore(floor);
  useEffect(() => {
    lastList.ids = rows.map(({ id }) => id);
  }, [rows]);
  return (
    <>
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      <SessionTable
        rows={rows}
        total={edge ? total : rows.length}
        more={edge !== null}
        loading={loading}
        onMore={() => void floor.loadMore()}
        whenEmpty={
          filtered ? 'No sessions match these filters. New matches will appear here.' : 'No sessions yet.'
        }
      />
    </>
  );
}

function ViewTabs({ search }: { search: string }) {
  const { viewer } = useSignedIn();
  return (
    <nav aria-label="Views" className={style.views}>
      {orderViewsFor(viewer.roles).map((view) => (
        <Link
          key={view.label}
          href={`/?${view.search}`}
          aria-current={view.search === search ? 'page' : undefined}
        >
          {view.label}
        </Link>
      ))}
    </nav>
  );
}
