import type { SessionFilter, SessionOrder, VkycSessionRowFragment } from '../operations.ts';

/** Session with the fields that session lists show. */
export type Row = VkycSessionRowFragment;

/** Filters that the console can apply to a row itself, when the feed reports that a session has changed. */
export type LocalSessionFilter = Pick<
  SessionFilter,
  | 'status'
  | 'subStatus'
  | 'waitingOn'
  | 'assignedTo'
  | 'search'
  | 'linkExpiresBefore'
  | 'meetingFrom'
  | 'meetingTo'
  | (typeof FLAGS)[number]
>;

/** Fields of a row, and filters of the same names, that are true or false. */
const FLAGS = ['disputed', 'escalated', 'closed', 'replaced', 'overdue'] as const;

/** Whether a row is in the list with this filter and order, by the same rules that the gateway applies. */
export const isRowInList = (row: Row, filter: LocalSessionFilter, order: SessionOrder): boolean =>
  getSortTime(row, order) !== null && matchesFilter(row, filter);

/** Whether a row passes the filter, by the same rules that the gateway applies. */
export function matchesFilter(row: Row, filter: LocalSessionFilter): boolean {
  const { statusInfo, linkExpiresAt } = row;
  const { status, subStatus, waitingOn, assignedTo, search, linkExpiresBefore, meetingFrom, meetingTo } =
    filter;
  return (
    FLAGS.every((flag) => filter[flag] == null || filter[flag] === (row[flag] ?? false)) &&
    allows(status, statusInfo.status) &&
    allows(subStatus, statusInfo.subStatus) &&
    allows(waitingOn, statusInfo.waitingOn) &&
    (assignedTo == null || row.assignedAgent === assignedTo) &&
    (search == null || containsTerm(row, search.toLowerCase())) &&
    (linkExpiresBefore == null ||
      (!statusInfo.terminal && isWithin(linkExpiresAt, null, linkExpiresBefore))) &&
    ((meetingFrom == null && meetingTo == null) || isWithin(getMeetingTime(row), meetingFrom, meetingTo))
  );
}

const containsTerm = ({ verificationId, referenceId }: Row, search: string): boolean =>
  [verificationId, referenceId].some((term) => term?.toLowerCase().includes(search));

/** Whether there is a time, and it is from `from` (inclusive) to `to` (exclusive). Null is no limit. */
const isWithin = (
  at: string | null,
  from: string | null | undefined,
  to: string | null | undefined,
): boolean => at !== null && (from == null || at >= from) && (to == null || at < to);

/** Returns the start of the booked meeting; null if none is booked. */
const getMeetingTime = ({ meeting }: Row): string | null =>
  meeting?.status === 'SCHEDULED' ? meeting.startsAt : null;

const allows = <Value>(wanted: readonly Value[] | null | undefined, value: Value): boolean =>
  !wanted?.length || wanted.includes(value);

/**
 * Whether the lease that a session had when it was read has ended. `now` is a time of the gateway's clock, as an ISO
 * string in UTC.
 */
export const hasLeaseEnded = ({ assignedUntil }: Pick<Row, 'assignedUntil'>, now: string): boolean =>
  assignedUntil !== null && assignedUntil <= now;

/**
 * Returns the row with the higher version. If the versions are equal, returns the row that was updated later: an
 * escalation, for example, does not raise the version. If both are equal, returns `read`, because it was loaded later.
 */
export function pickNewerRow(known: Row | undefined, read: Row): Row {
  if (!known) return read;
  if (known.version !== read.version) return known.version > read.version ? known : read;
  return known.updatedAt > read.updatedAt ? known : read;
}

/** Loaded rows of a session list, in the order of the list. */
export interface List {
  readonly rows: readonly Row[];
  /**
   * Last row of the last loaded page, with the values that it had when the page was loaded. Rows that sort after
   * this row have not been loaded. Null if the whole list is loaded.
   */
  readonly edge: Row | null;
}

/**
 * Applies changed sessions to a list. Rows that are no longer listed are removed; other changed rows are
 * inserted, or moved to their new places in the sort order. Rows that sort after `edge` are left out, because
 * a later page contains them.
 */
export function applyChangedRows(
  { rows, edge }: List,
  changed: ReadonlyMap<string, Row>,
  filter: LocalSessionFilter,
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
    const now = pickNewerRow(row, read);
    if (!isRowInList(now, filter, order)) continue;
    if (getSortTime(now, order) === getSortTime(row, order)) kept.push(now);
    else placed.push(now);
  }
  for (const [id, row] of changed) if (!present.has(id) && isRowInList(row, filter, order)) placed.push(row);
  const within = placed.filter((row) => !edge || before(row, edge) <= 0);
  if (within.length === 0) return kept;
  return mergeSorted(kept, within.sort(before), before);
}

/**
 * Appends a page to the rows, without rows that the list already has. `since` contains the sessions that
 * changed while the page was being loaded.
 */
export function appendPage(
  rows: readonly Row[],
  page: readonly Row[],
  since: ReadonlyMap<string, Row>,
): readonly Row[] {
  const present = new Set(rows.map(({ id }) => id));
  return [
    ...rows,
    ...page.filter(({ id }) => !present.has(id)).map((row) => pickNewerRow(since.get(row.id), row)),
  ];
}

/** Returns the time by which an order sorts a row; null if the list in that order does not have the row. */
const SORT_TIMES: Readonly<Record<SessionOrder['field'], (row: Row) => string | null>> = {
  CREATED_AT: ({ createdAt }) => createdAt,
  UPDATED_AT: ({ updatedAt }) => updatedAt,
  DUE_AT: ({ dueAt }) => dueAt,
  STATUS_SINCE: ({ statusSince, statusInfo }) => (statusInfo.terminal ? null : statusSince),
  MEETING_AT: getMeetingTime,
};
const getSortTime = (row: Row, { field }: SessionOrder): string | null => SORT_TIMES[field](row);

/**
 * Returns a function that compares rows in the gateway's sort order. Rows with equal times are compared by
 * session id. The id is decoded from the global id first, because the Base64 form sorts differently.
 */
function compareBy(order: SessionOrder): (one: Row, other: Row) => number {
  const sign = order.direction === 'ASC' ? 1 : -1;
  return (one, other) => {
    // Rows without a time are not listed.
    const [a, b] = [getSortTime(one, order) ?? '', getSortTime(other, order) ?? ''];
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
