import { useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import { StartSession } from '../acting/start-session.tsx';
import { useHasRole, useSignedIn } from '../gateway/signed-in.tsx';
import { useBadge } from '../live/badge.tsx';
import { Floor } from '../live/floor.ts';
import { useStore } from '../live/store.ts';
import { useLive } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import { PHASES } from '../look/words.ts';
import { Filters } from './filters.tsx';
import style from './floor-page.module.css';
import { PhaseStrip } from './phase-strip.tsx';
import { ORDERS, type OrderName, queryOf, useFloorAddress, viewsFor } from './query.ts';
import { SearchField } from './search-field.tsx';
import { SessionTable } from './session-table.tsx';

const ANY_PHASE: Record<string, string> = { '': 'Any phase', ...PHASES };
const ORDER_NAMES = Object.fromEntries(
  Object.entries(ORDERS).map(([name, { said }]) => [name, said]),
) as Record<OrderName, string>;

/** All sessions: where they are, on whom they wait, and the list of them. */
export function FloorPage() {
  const { gateway } = useSignedIn();
  const { search, change } = useFloorAddress();
  const key = search.toString();
  const query = useMemo(() => queryOf(new URLSearchParams(key)), [key]);
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
      <h1 className="hidden">The floor</h1>
      <FloorCounts floor={floor} />
      <div className={style.tools}>
        <ViewTabs search={key} />
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
          selfEvident
          options={ORDER_NAMES}
          value={query.order}
          onChange={(order) => change((next) => next.set('order', order))}
        />
        <Select
          label="Phase"
          selfEvident
          options={ANY_PHASE}
          value={search.get('phase') ?? ''}
          onChange={(phase) =>
            change((next) => {
              next.delete('phase');
              if (phase) next.set('phase', phase);
            })
          }
        />
        {mayStart && (
          <Button look="primary" onPress={() => setStarting(true)}>
            Start a session
          </Button>
        )}
      </div>
      <Filters />
      <FloorList floor={floor} filtered={Object.keys(query.filter).length > 0} />
      {starting && <StartSession onClose={() => setStarting(false)} onStarted={(row) => floor.take(row)} />}
    </div>
  );
}

function FloorCounts({ floor }: { floor: Floor }) {
  const { counts, state } = useStore(floor);
  useBadge(state);
  return <PhaseStrip counts={counts} />;
}

function FloorList({ floor, filtered }: { floor: Floor; filtered: boolean }) {
  const { rows, total, edge, reading, failure } = useStore(floor);
  return (
    <>
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      <SessionTable
        rows={rows}
        total={edge ? total : rows.length}
        more={edge !== null}
        reading={reading}
        onMore={() => void floor.readMore()}
        whenEmpty={
          filtered
            ? 'No session is like this now. It would appear here by itself.'
            : 'There is no session yet.'
        }
      />
    </>
  );
}

function ViewTabs({ search }: { search: string }) {
  const { viewer } = useSignedIn();
  return (
    <nav aria-label="Views" className={style.views}>
      {viewsFor(viewer.roles).map((view) => (
        <Link
          key={view.said}
          href={`/?${view.search}`}
          aria-current={view.search === search ? 'page' : undefined}
        >
          {view.said}
        </Link>
      ))}
    </nav>
  );
}
