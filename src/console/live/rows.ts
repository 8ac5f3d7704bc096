import type { SessionFilter, SessionOrder, VkycSessionRowFragment } from '../operations.ts';

/** Session with the fields that lists show. */
export type Row = VkycSessionRowFragment;

/** The filters that the console can check against a row itself, when the feed reports a changed session. */
export type RowFilter = Pick<SessionFilter, 'status' | 'subStatus' | 'waitingOn' | 'verificationIdPrefix'>;

/** Whether a row passes the filter, by the same rules as in the gateway. */
export function matchesFilter({ statusInfo, verificationId }: Row, filter: RowFilter): boolean {
  const { status, subStatus, waitingOn, verificationIdPrefix } = filter;
  return (
    allows(status, statusInfo.status) &&
    allows(subStatus, statusInfo.subStatus) &&
    allows(waitingOn, statusInfo.waitingOn) &&
    verificationId.startsWith(verificationIdPrefix ?? '')
  );
}

const allows = <Value>(wanted: readonly Value[] | null | undefined, value: Value): boolean =>
  !wanted?.length || wanted.includes(value);

/**
 * Returns the row with the higher version. If the versions are equal, it returns `read`, which was loaded
 * later.
 */
export const pickNewer = (known: Row | undefined, read: Row): Row =>
  known && known.version > read.version ? known : read;

/** The rows of a list that have been loaded, in the list's order. */
export interface List {
  readonly rows: readonly Row[];
  /**
   * Last row of the last loaded page, as it was then: rows that sort after it have not been loaded. Null if
   * the whole list is loaded.
   */
  readonly edge: Row | null;
}

/**
 * Applies changed sessions to a list. Rows that no longer pass the filter are removed; the others are
 * inserted, or moved to where they sort now. Rows that sort after `edge` are left out, because a later page
 * contains them.
 */
export function applyChanges(
  { rows, edge }: List,
  changed: ReadonlyMap<string, Row>,
  filter: RowFilter,
  order: SessionOrder,
): readonly Row[] {
  const before = compareBy(order);
  const kept: Row[] = [];
  const placed: Row[] = [];
  const present = new Set<string>();
  for (const row of rows) {
    const read = changed.get(row.id);
    if (!read) {
      kept.push(row);
      continue;
    }
    present.add(row.id);
    const now = pickNewer(row, read);
    if (!matchesFilter(now, filter)) continue;
    if (getSortTime(now, order) === getSortTime(row, order)) kept.push(now);
    else placed.push(now);
  }
  for (const [id, row] of changed) if (!present.has(id) && matchesFilter(row, filter)) placed.push(row);
  const within = placed.filter((row) => !edge || before(row, edge) <= 0);
  if (within.length === 0) return kept;
  return mergeSorted(kept, within.sort(before), before);
}

/**
 * Appends a page to the rows without repeating any. `since` has the sessions that changed while the page was
 * being loaded.
 */
export function appendPage(
  rows: readonly Row[],
  page: readonly Row[],
  since: ReadonlyMap<string, Row>,
): readonly Row[] {
  const present = new Set(rows.map(({ id }) => id));
  return [
    ...rows,
    ...page.filter(({ id }) => !present.has(id)).map((row) => pickNewer(since.get(row.id), row)),
  ];
}

const getSortTime = (row: Row, { field }: SessionOrder): string =>
  field === 'CREATED_AT' ? row.createdAt : row.updatedAt;

/**
 * Returns a function that compares rows as the gateway sorts them. Rows with equal times are compared by
 * session id; it is decoded from the global id, whose Base64 form sorts differently.
 */
function compareBy(order: SessionOrder): (one: Row, other: Row) => number {
  const sign = order.direction === 'ASC' ? 1 : -1;
  return (one, other) => {
    const [a, b] = [getSortTime(one, order), getSortTime(other, order)];
    if (a !== b) return a < b ? -sign : sign;
    return one.id === other.id ? 0 : atob(one.id) < atob(other.id) ? -sign : sign;
  };
}

/** Merges two sorted lists into one. */
function mergeSorted(
  one: readonly Row[],
  other: readonly Row[],
  compare: (a: Row, b: Row) => number,
): readonly Row[] {
  const all: Row[] = [];
  let next = 0;
  for (const row of one) {
    for (; next < other.length && compare(other[next] as Row, row) < 0; next++) all.push(other[next] as Row);
    all.push(row);
  }
  return [...all, ...other.slice(next)];
}
