import type { SessionFilter, SessionOrder, VkycSessionRowFragment } from '../operations.ts';

/** One session, as lists know it. */
export type Row = VkycSessionRowFragment;

/** What of a filter can be held against a row without asking the gateway. */
export type RowFilter = Pick<SessionFilter, 'status' | 'subStatus' | 'waitingOn' | 'verificationIdPrefix'>;

/** Whether a list with this filter has the row. */
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

/** Which of two states of a session is the pickNewer: of two reads of one version, the later one. */
export const pickNewer = (known: Row | undefined, read: Row): Row =>
  known && known.version > read.version ? known : read;

/** A list as far as it has been read, in its order. */
export interface List {
  readonly rows: readonly Row[];
  /** The last row of the last page as it was read: what comes after it is not known yet. Null: all is known. */
  readonly edge: Row | null;
}

/**
 * The list after these sessions have changed: rows that no longer match are gone, others are where they belong now.
 * What belongs after the last row that was read is left to be read.
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
    if (placeOf(now, order) === placeOf(row, order)) kept.push(now);
    else placed.push(now);
  }
  for (const [id, row] of changed) if (!present.has(id) && matchesFilter(row, filter)) placed.push(row);
  const within = placed.filter((row) => !edge || before(row, edge) <= 0);
  if (within.length === 0) return kept;
  return mergeSorted(kept, within.sort(before), before);
}

/** Rows of a page that was read, after those before it; those that are there already are not repeated. */
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

const placeOf = (row: Row, { field }: SessionOrder): string =>
  field === 'CREATED_AT' ? row.createdAt : row.updatedAt;

/** As the gateway orders: ties go by the id inside the one that it gives away, in which letters stand otherwise. */
function compareBy(order: SessionOrder): (one: Row, other: Row) => number {
  const sign = order.direction === 'ASC' ? 1 : -1;
  return (one, other) => {
    const [a, b] = [placeOf(one, order), placeOf(other, order)];
    if (a !== b) return a < b ? -sign : sign;
    return one.id === other.id ? 0 : atob(one.id) < atob(other.id) ? -sign : sign;
  };
}

/** Two lists in one order as one. */
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
