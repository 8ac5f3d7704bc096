import { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { StartSessionDialog } from '../acting/start-session.tsx';
import { useHasAnyRole, useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { useReportFeedState } from '../live/badge.tsx';
import { CUSTOMER_NAME_ROLES, CustomerNamesStore } from '../live/customer-names.ts';
import { FloorStore } from '../live/floor.ts';
import { useStore } from '../live/store.ts';
import { useStartedWhileMounted } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { PHASE_LABELS } from '../look/labels.ts';
import { FailureNotice } from '../look/notice.tsx';
import { useTitle } from '../look/title.ts';
import { BulkActionBar } from '../work/bulk-bar.tsx';
import { useRowSelection } from '../work/selection.ts';
import { CsvExportButton } from './export-button.tsx';
import { ActiveFilters } from './filters.tsx';
import style from './floor-page.module.css';
import { lastShownList } from './last-list.ts';
import { OpenSessionsStrip } from './phase-strip.tsx';
import {
  type FloorQuery,
  keepUsableByViewer,
  SORT_ORDERS,
  type SortOrderName,
  type SortOrderOption,
  useFloorUrl,
} from './query.ts';
import { IdSearchField } from './search-field.tsx';
import { SessionTable } from './session-table.tsx';
import { ViewTabs } from './view-tabs.tsx';

const PHASE_OPTIONS: Record<string, string> = { '': texts.floor.allPhases, ...PHASE_LABELS };
const ORDER_NAMES = Object.keys(SORT_ORDERS) as SortOrderName[];

/**
 * Start page of the console, called the floor as in a call centre. The page shows the counts of open sessions
 * by phase and by the party that has to act next, and the filtered list of sessions.
 */
export function FloorPage() {
  const { gateway } = useViewerAndGateway();
  const { search, query, isStaff, change } = useFloorUrl();
  useTitle(texts.floor.title);
  useEffect(() => {
    lastShownList.search = search.toString();
  });
  const listOrder: SortOrderOption = SORT_ORDERS[query.order];
  const last = useRef<FloorStore>(null);
  const floor = useStartedWhileMounted(() => {
    const counts = last.current?.view.counts ?? null;
    last.current = new FloorStore(gateway, query.filter, listOrder.order, counts);
    return last.current;
  }, [gateway, query]);
  const [starting, setStarting] = useState(false);
  /** Matters on a phone only: a wide window always shows the filters. */
  const [areFiltersOpen, setFiltersOpen] = useState(false);
  const stripId = useId();
  const mayStart = useHasAnyRole('OPERATOR', 'ADMIN');
  const orderLabels = Object.fromEntries(
    keepUsableByViewer(ORDER_NAMES, isStaff).map((name) => [name, SORT_ORDERS[name].label]),
  ) as Record<SortOrderName, string>;

  return (
    <div className={style.page} data-filters={areFiltersOpen ? 'open' : 'closed'}>
      <h1 className="hidden">{texts.floor.title}</h1>
      <div className={style.filtersButton}>
        <Button
          aria-expanded={areFiltersOpen}
          aria-controls={stripId}
          onPress={() => setFiltersOpen(!areFiltersOpen)}
        >
          {texts.list.filters(countChosen(query))}
        </Button>
      </div>
      <div id={stripId} className={style.collapsible}>
        <FloorCounts floor={floor} />
      </div>
      <div className={style.tools}>
        <ViewTabs search={search.toString()} />
        <IdSearchField
          value={search.get('id') ?? ''}
          onChange={(id) =>
            change((next) => {
              if (id) next.set('id', id);
              else next.delete('id');
            })
          }
        />
        <div className={`${style.selects} ${style.collapsible}`}>
          <Select
            label={texts.floor.order}
            hideLabel
            options={orderLabels}
            value={query.order}
            onChange={(order) => change((next) => next.set('order', order))}
          />
          <Select
            label={texts.floor.phase}
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
        </div>
        <CsvExportButton filter={query.filter} order={SORT_ORDERS[query.order].order} />
        {mayStart && (
          <Button look="primary" onPress={() => setStarting(true)}>
            {texts.floor.start}
          </Button>
        )}
      </div>
      <div className={style.collapsible}>
        <ActiveFilters />
      </div>
      <FloorList floor={floor} filtered={Object.keys(query.filter).length > 0} note={listOrder.note} />
      {starting && (
        <StartSessionDialog onClose={() => setStarting(false)} onStarted={(row) => floor.applyResult(row)} />
      )}
    </div>
  );
}

const countChosen = ({ chosen }: FloorQuery): number =>
  Object.values(chosen).reduce((sum, values) => sum + values.length, 0);

function FloorCounts({ floor }: { floor: FloorStore }) {
  const { counts, state } = useStore(floor);
  useReportFeedState(state);
  return <OpenSessionsStrip counts={counts} />;
}

interface FloorListProps {
  readonly floor: FloorStore;
  readonly filtered: boolean;
  /** Which sessions the order leaves out. */
  readonly note: string | undefined;
}

function FloorList({ floor, filtered, note }: FloorListProps) {
  const { gateway } = useViewerAndGateway();
  const { rows, total, edge, loading, failure } = useStore(floor);
  useEffect(() => {
    lastShownList.ids = rows.map(({ id }) => id);
  }, [rows]);
  const selection = useRowSelection(rows);
  const mayActOnMany = useHasAnyRole('OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN');
  const seesNames = useHasAnyRole(...CUSTOMER_NAME_ROLES);
  const customers = useMemo(() => new CustomerNamesStore(gateway), [gateway]);
  const { names } = useStore(customers);
  const onVisible = useCallback((ids: readonly string[]) => customers.request(ids), [customers]);
  return (
    <>
      {failure && <FailureNotice failure={failure} />}
      <SessionTable
        rows={rows}
        names={seesNames ? names : null}
        total={edge ? total : rows.length}
        more={edge !== null}
        loading={loading}
        onMore={() => void floor.loadMore()}
        onVisible={seesNames ? onVisible : undefined}
        note={note}
        whenEmpty={filtered ? texts.floor.noMatches : texts.floor.noSessions}
        selection={mayActOnMany ? selection : null}
      />
      {mayActOnMany && (
        <BulkActionBar
          loaded={rows.length}
          selection={selection}
          onSuccess={(row) => floor.applyResult(row)}
        />
      )}
    </>
  );
}
