import { type ReactVirtualizer, useVirtualizer, useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, type RefObject, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { useShortcutKeys } from '../look/keys.ts';
import { SESSION_MARK_LABELS } from '../look/labels.ts';
import { formatNumber, formatSessionCount } from '../look/numbers.ts';
import { StatusBadge, WaitingOn } from '../look/status.tsx';
import { formatDuration, formatLocalDateTime, TimeSince, TimeZoneNote, useNow } from '../look/time.tsx';
import { UserText } from '../look/user-text.tsx';
import { RowCheckbox } from '../work/row-checkbox.tsx';
import type { RowSelection } from '../work/selection.ts';
import { AssigneeMark } from '../work/worker.tsx';
import style from './session-table.module.css';

interface Props {
  readonly rows: readonly Row[];
  /** Name of the customer by the id of the session, as far as loaded; null if the viewer may not see names. */
  readonly names: ReadonlyMap<string, string | null> | null;
  /** Number of sessions on all pages; null if the number is not known. */
  readonly total: number | null;
  readonly more: boolean;
  readonly loading: boolean;
  readonly onMore: () => void;
  /** Called with the ids of the sessions on screen, whenever others are. */
  readonly onVisible: ((ids: readonly string[]) => void) | undefined;
  /** Text after the number of sessions. */
  readonly note: string | undefined;
  readonly whenEmpty: string;
  /** Null if the viewer's role cannot act on several sessions. */
  readonly selection: RowSelection | null;
}

const ROW_PX = 44;
const ROW_PX_NARROW = 96;
const OVERSCAN_ROWS = 12;
/** Number of loaded rows below the rendered rows. If there are fewer, the next page is loaded. */
const PREFETCH_ROWS = 60;
const [ID_COLUMN, ...COLUMNS] = texts.floor.columns;
/** Number of rows by which a key moves the focus. */
const STEPS: ReadonlyMap<string, number> = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
]);
const narrow = matchMedia('(max-width: 640px)');

/** Hook that returns whether the window is as narrow as a phone. */
const useNarrow = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      narrow.addEventListener('change', listener);
      return () => narrow.removeEventListener('change', listener);
    },
    () => narrow.matches,
  );

/**
 * Virtualized table of sessions: only rows near the visible part are in the DOM. The up and down keys move
 * between rows. In a wide window the table scrolls in its box; on a phone the page scrolls, because a box within the
 * page would catch the finger.
 */
export function SessionTable(props: Props) {
  return useNarrow() ? <TableInPage {...props} /> : <TableInBox {...props} />;
}

function TableInBox(props: Props) {
  const { rows } = props;
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN_ROWS,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  return <Table {...props} box={box} virtual={virtual} />;
}

function TableInPage(props: Props) {
  const { rows } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useEffect(() => {
    // The table moves when the filters above it are opened.
    const observer = new ResizeObserver(() =>
      setTop((box.current?.getBoundingClientRect().top ?? 0) + window.scrollY),
    );
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX_NARROW,
    overscan: OVERSCAN_ROWS,
    scrollMargin: top,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  return <Table {...props} box={box} virtual={virtual} />;
}

interface TableProps extends Props {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly virtual: Pick<
    ReactVirtualizer<HTMLDivElement, Element>,
    'getVirtualItems' | 'getTotalSize' | 'range' | 'scrollToIndex'
  > & { readonly options: { readonly scrollMargin: number } };
}

function Table({
  rows,
  names,
  total,
  more,
  loading,
  onMore,
  onVisible,
  note,
  whenEmpty,
  selection,
  box,
  virtual,
}: TableProps) {
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - PREFETCH_ROWS) onMore();
  }, [more, loading, last, rows.length, onMore]);
  // Without the rows that are rendered beyond the screen.
  const { startIndex, endIndex } = virtual.range ?? { startIndex: 0, endIndex: -1 };
  const visible = rows
    .slice(startIndex, endIndex + 1)
    .map(({ id }) => id)
    .join();
  useEffect(() => {
    if (visible) onVisible?.(visible.split(','));
  }, [visible, onVisible]);

  const focusRow = (wanted: number) => {
    const to = Math.min(rows.length - 1, Math.max(0, wanted));
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${to}"] a`)?.focus());
  };
  useShortcutKeys(['j', 'k', 'x'], (key) => {
    const at = Number(document.activeElement?.closest('[data-index]')?.getAttribute('data-index') ?? -1);
    if (key !== 'x') return focusRow(at + (key === 'j' ? 1 : -1));
    const row = rows[at];
    if (row) selection?.toggle(row.id, false);
  });
  const moveFocus = (event: React.KeyboardEvent) => {
    const step = STEPS.get(event.key);
    const at = Number((event.target as Element).closest('[data-index]')?.getAttribute('data-index') ?? -1);
    if (!step || at < 0) return;
    event.preventDefault();
    focusRow(at + step);
  };

  return (
    <>
      <div className={style.frame}>
        <div ref={box} className={`${style.box} ${names ? style.withNames : ''}`}>
          <table
            aria-label={texts.floor.title}
            aria-rowcount={more ? -1 : rows.length + 1}
            onKeyDown={moveFocus}
          >
            <thead className={style.head}>
              <tr aria-rowindex={1} className={style.row}>
                <th scope="col">{ID_COLUMN}</th>
                {names && <th scope="col">{texts.list.customer}</th>}
                {COLUMNS.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className={style.body} style={{ height: virtual.getTotalSize() }}>
              {shown.map(({ index, key, start }) => {
                const row = rows[index];
                return (
                  row && (
                    <SessionRow
                      key={key}
                      row={row}
                      name={names ? (names.get(row.id) ?? null) : undefined}
                      index={index}
                      top={start - virtual.options.scrollMargin}
                      isSelected={selection?.ids.has(row.id) ?? false}
                      onToggle={selection?.toggle}
                    />
                  )
                );
              })}
            </tbody>
          </table>
        </div>
        {rows.length === 0 && <p className={style.empty}>{loading ? texts.frame.loading : whenEmpty}</p>}
      </div>
      <p className={style.foot} role="status">
        {total === null ? texts.floor.moreThan(formatSessionCount(rows.length)) : formatSessionCount(total)}
        {more && rows.length > 0 && texts.floor.loaded(formatNumber(rows.length))}
        {note && `. ${note}`}
      </p>
      <TimeZoneNote />
    </>
  );
}

interface RowProps {
  readonly row: Row;
  /** Name of the customer; null if it is not loaded or unknown, undefined if the viewer may not see names. */
  readonly name: string | null | undefined;
  readonly index: number;
  readonly top: number;
  readonly isSelected: boolean;
  /** Undefined if rows cannot be selected. */
  readonly onToggle: RowSelection['toggle'] | undefined;
}

/** Row of the table. The component is memoized, so that it renders again only if its own session changes. */
const SessionRow = memo(function SessionRow({ row, name, index, top, isSelected, onToggle }: RowProps) {
  // Compares the version with the version at mount, so that a row is highlighted only if its session has
  // changed while the row was in the DOM, and not because it was scrolled into view.
  const versionAtMount = useRef(row.version);
  const moved = row.version !== versionAtMount.current;
  return (
    <tr
      aria-rowindex={index + 2}
      data-index={index}
      className={style.row}
      style={{ transform: `translateY(${top}px)` }}
    >
      <td className={style.id}>
        <span className={style.name}>
          {onToggle && <RowCheckbox row={row} isSelected={isSelected} onToggle={onToggle} />}
          <Link href={`/sessions/${encodeURIComponent(row.id)}`}>{row.verificationId}</Link>
          {row.disputed && <span className={style.disputed}>{SESSION_MARK_LABELS.disputed}</span>}
          {row.escalated && <span className={style.escalated}>{SESSION_MARK_LABELS.escalated}</span>}
          {row.dueAt && <Overdue dueAt={row.dueAt} isOverdue={row.overdue ?? false} />}
          <AssigneeMark session={row} />
        </span>
      </td>
      {name !== undefined && (
        <td className={style.customer}>
          <UserText>{name}</UserText>
        </td>
      )}
      <td key={row.version} className={`${style.step} ${moved ? style.moved : ''}`}>
        <StatusBadge of={row.statusInfo} />
      </td>
      <td className={style.waiting}>
        <WaitingOn party={row.statusInfo.waitingOn} />
      </td>
      <td className={`number ${style.since}`}>
        <TimeSince since={row.statusSince} />
      </td>
      <td className={`number ${style.meeting}`}>
        {row.meeting?.status === 'SCHEDULED' ? (
          formatLocalDateTime(row.meeting.startsAt)
        ) : (
          <span aria-hidden>–</span>
        )}
      </td>
      <td className={`number ${style.started}`}>{formatLocalDateTime(row.createdAt)}</td>
    </tr>
  );
});

/** Mark of a session whose deadline has passed, by the word of the gateway or by the clock of the browser. */
function Overdue({ dueAt, isOverdue }: { dueAt: string; isOverdue: boolean }) {
  const late = useNow() - Date.parse(dueAt);
  if (!isOverdue && late < 0) return null;
  return (
    <span className={style.overdue} title={formatLocalDateTime(dueAt)}>
      {texts.list.overdueFor(formatDuration(late))}
    </span>
  );
}
