import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { useKeys } from '../look/keys.ts';
import { MARK_LABELS } from '../look/labels.ts';
import { formatNumber, formatSessions } from '../look/numbers.ts';
import { StatusBadge, WaitingOn } from '../look/status.tsx';
import { formatMoment, TimeSince, ZoneNote } from '../look/time.tsx';
import style from './session-table.module.css';

interface Props {
  readonly rows: readonly Row[];
  /** Number of sessions on all pages; null if the number is not known. */
  readonly total: number | null;
  readonly more: boolean;
  readonly loading: boolean;
  readonly onMore: () => void;
  readonly whenEmpty: string;
}

const ROW_PX = 44;
const ROW_PX_NARROW = 74;
const OVERSCAN_ROWS = 12;
/** Number of loaded rows below the rendered rows. If there are fewer, the next page is loaded. */
const PREFETCH_ROWS = 60;
const COLUMNS = texts.floor.columns;
/** Number of rows by which a key moves the focus. */
const STEPS: ReadonlyMap<string, number> = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
]);
const narrow = matchMedia('(max-width: 640px)');

/**
 * Virtualized table of sessions: only rows near the visible part are in the DOM. The up and down keys move
 * between rows.
 */
export function SessionTable({ rows, total, more, loading, onMore, whenEmpty }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => (narrow.matches ? ROW_PX_NARROW : ROW_PX),
    overscan: OVERSCAN_ROWS,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - PREFETCH_ROWS) onMore();
  }, [more, loading, last, rows.length, onMore]);

  const focusRow = (wanted: number) => {
    const to = Math.min(rows.length - 1, Math.max(0, wanted));
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${to}"] a`)?.focus());
  };
  useKeys(['j', 'k'], (key) => {
    const row = document.activeElement?.closest('[data-index]')?.getAttribute('data-index');
    focusRow(Number(row ?? -1) + (key === 'j' ? 1 : -1));
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
        <div ref={box} className={style.box}>
          <table
            aria-label={texts.floor.title}
            aria-rowcount={more ? -1 : rows.length + 1}
            onKeyDown={moveFocus}
          >
            <thead className={style.head}>
              <tr aria-rowindex={1} className={style.row}>
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
                return row && <SessionRow key={key} row={row} index={index} top={start} />;
              })}
            </tbody>
          </table>
        </div>
        {rows.length === 0 && <p className={style.empty}>{loading ? texts.frame.loading : whenEmpty}</p>}
      </div>
      <p className={style.foot} role="status">
        {total === null ? texts.floor.moreThan(formatSessions(rows.length)) : formatSessions(total)}
        {more && rows.length > 0 && texts.floor.loaded(formatNumber(rows.length))}
      </p>
      <ZoneNote />
    </>
  );
}

/** Row of the table. The component is memoized, so that it renders again only if its own session changes. */
const SessionRow = memo(function SessionRow({ row, index, top }: { row: Row; index: number; top: number }) {
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
      <td>
        <span className={style.name}>
          <Link href={`/sessions/${encodeURIComponent(row.id)}`}>{row.verificationId}</Link>
          {row.disputed && <span className={style.disputed}>{MARK_LABELS.disputed}</span>}
          {row.escalated && <span className={style.escalated}>{MARK_LABELS.escalated}</span>}
        </span>
      </td>
      <td key={row.version} className={moved ? style.moved : undefined}>
        <StatusBadge of={row.statusInfo} />
      </td>
      <td>
        <WaitingOn party={row.statusInfo.waitingOn} />
      </td>
      <td className="number">
        <TimeSince since={row.statusSince} />
      </td>
      <td className="number">
        {row.meeting?.status === 'SCHEDULED' ? (
          formatMoment(row.meeting.startsAt)
        ) : (
          <span aria-hidden>–</span>
        )}
      </td>
      <td className="number">{formatMoment(row.createdAt)}</td>
    </tr>
  );
});
