import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Row } from '../live/rows.ts';

export interface RowSelection {
  readonly ids: ReadonlySet<string>;
  /** Selected rows, in the order of the list. */
  readonly rows: readonly Row[];
  /**
   * Selects a row, or deselects it if it is selected. With `isRange`, does the same to all rows from the row toggled
   * before to this one.
   */
  toggle(id: string, isRange: boolean): void;
  selectAll(): void;
  deselect(id: string): void;
  clear(): void;
}

const NONE: ReadonlySet<string> = new Set();

/** Hook that holds the selected rows of a list. A row that leaves the list is deselected: nothing unseen is acted on. */
export function useRowSelection(list: readonly Row[]): RowSelection {
  const [ids, setIds] = useState(NONE);
  const newest = useRef(list);
  const toggled = useRef<string | null>(null);
  useEffect(() => {
    newest.current = list;
    setIds((before) => {
      if (before.size === 0) return before;
      const left = list.filter(({ id }) => before.has(id));
      return left.length === before.size ? before : new Set(left.map(({ id }) => id));
    });
  }, [list]);

  // Memoized, because a new function would render every memoized row again.
  const toggle = useCallback((id: string, isRange: boolean) => {
    const range = isRange ? findRange(newest.current, toggled.current, id) : [id];
    toggled.current = id;
    setIds((before) => {
      const next = new Set(before);
      for (const each of range) {
        if (before.has(id)) next.delete(each);
        else next.add(each);
      }
      return next;
    });
  }, []);
  const deselect = useCallback((id: string) => {
    setIds((before) => new Set([...before].filter((each) => each !== id)));
  }, []);
  const rows = useMemo(() => (ids.size === 0 ? [] : list.filter(({ id }) => ids.has(id))), [list, ids]);
  return {
    ids,
    rows,
    toggle,
    deselect,
    selectAll: () => setIds(new Set(list.map(({ id }) => id))),
    clear: () => setIds(NONE),
  };
}

/** Returns the ids of the rows between two rows, with both; only `to` if `from` is not in the list. */
function findRange(list: readonly Row[], from: string | null, to: string): readonly string[] {
  const [start, end] = [from, to]
    .map((wanted) => list.findIndex(({ id }) => id === wanted))
    .sort((one, other) => one - other) as [number, number];
  return start < 0 ? [to] : list.slice(start, end + 1).map(({ id }) => id);
}
