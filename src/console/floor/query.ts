import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { getDayBounds, toDay } from '../calendar/day.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { RowFilter } from '../live/rows.ts';
import {
  CALLS,
  type CallPart,
  keepKeys,
  keepSubStatuses,
  MARK_LABELS,
  PARTY_LABELS,
  PHASE_LABELS,
} from '../look/labels.ts';
import type { Party, Role, SessionOrder, Status, SubStatus } from '../operations.ts';

export interface ListOrder {
  readonly label: string;
  readonly order: SessionOrder;
  /** Which sessions the order leaves out. */
  readonly note?: string;
}

/** Sort orders of the session list, by their names in the URL. */
export const ORDERS = {
  newest: { label: texts.floor.orders.newest, order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: texts.floor.orders.oldest, order: { field: 'CREATED_AT', direction: 'ASC' } },
  moved: { label: texts.floor.orders.moved, order: { field: 'UPDATED_AT', direction: 'DESC' } },
  waiting: { label: texts.floor.orders.waiting, order: { field: 'UPDATED_AT', direction: 'ASC' } },
  since: { ...texts.list.orders.since, order: { field: 'STATUS_SINCE', direction: 'ASC' } },
  meeting: { ...texts.list.orders.meeting, order: { field: 'MEETING_AT', direction: 'ASC' } },
  due: { ...texts.list.orders.due, order: { field: 'DUE_AT', direction: 'ASC' } },
} as const satisfies Record<string, ListOrder>;
export type OrderName = keyof typeof ORDERS;

/** Label of each mark by which the list can be filtered. */
export const LIST_MARKS = { ...MARK_LABELS, ...texts.list.marks };
export type ListMark = keyof typeof LIST_MARKS;

const DAY_MS = 86_400_000;

/** Condition of each mark, as of now. */
const MARK_FILTERS: Readonly<Record<ListMark, () => RowFilter>> = {
  disputed: () => ({ disputed: true }),
  escalated: () => ({ escalated: true }),
  closed: () => ({ closed: true }),
  replaced: () => ({ replaced: true }),
  overdue: () => ({ overdue: true }),
  meetingToday: () => {
    const { from, to } = getDayBounds(toDay(new Date()));
    return { meetingFrom: from, meetingTo: to };
  },
  linkExpiring: () => ({ linkExpiresBefore: new Date(Date.now() + DAY_MS).toISOString() }),
};

/** Marks and orders that the gateway refuses to customers. */
const FOR_STAFF: ReadonlySet<ListMark | OrderName> = new Set(['escalated', 'overdue', 'due']);

/** Returns the marks, or the orders, that the viewer may use. */
export const keepAllowed = <Name extends ListMark | OrderName>(
  names: readonly Name[],
  isStaff: boolean,
): Name[] => names.filter((name) => isStaff || !FOR_STAFF.has(name));

/** Number of letters that a search needs: the gateway finds parts of ids by groups of three letters. */
export const MIN_SEARCH_LETTERS = 3;
/** Number of letters that a search can have. */
export const MAX_SEARCH_LETTERS = 50;

/** Tab of the start page: a preset of filters and sort order. */
export interface View {
  readonly label: string;
  readonly search: string;
  /** Roles for which this tab comes first. */
  readonly roles: readonly Role[];
  /** True if only these roles get the tab. */
  readonly isExclusive?: boolean;
}

const VIEWS: readonly View[] = [
  {
    label: texts.floor.allSessions,
    search: 'order=newest',
    roles: ['OPERATOR', 'VIEWER', 'ADMIN', 'CUSTOMER'],
  },
  {
    label: texts.floor.callsToReview,
    search: 'order=waiting&step=AGENT_ENDED_CALL&step=USER_ENDED_CALL',
    roles: ['AGENT'],
  },
  { label: texts.floor.approvalsToAudit, search: 'order=waiting&waiting=AUDITOR', roles: ['AUDITOR'] },
  {
    label: texts.work.myWork,
    search: 'order=waiting&assigned=me',
    roles: ['AGENT', 'AUDITOR', 'ADMIN'],
    isExclusive: true,
  },
  { label: texts.floor.waitingOnUs, search: 'order=waiting&waiting=MERCHANT', roles: [] },
];

/**
 * Returns the tabs of the start page for these roles. The tabs for the viewer's roles come first; the very first tab applies
 * if the URL has no filters.
 */
export function orderViewsFor(roles: readonly Role[]): readonly View[] {
  const isMine = (view: View) => view.roles.some((role) => roles.includes(role));
  return [...VIEWS.filter(isMine), ...VIEWS.filter((view) => !isMine(view) && !view.isExclusive)];
}

/** Label of each person by whose assignments the list can be filtered. The URL does not hold the id of the person. */
export const ASSIGNED_LABELS = { me: texts.work.assignedToMe };

/** Filters with chosen values, by their names in the URL. A session passes `is` only if it has all of its marks. */
export interface ChosenFilters {
  readonly phase: readonly Status[];
  readonly step: readonly SubStatus[];
  /** Parts of the calls, each a name for several steps. */
  readonly call: readonly CallPart[];
  readonly waiting: readonly Party[];
  readonly is: readonly ListMark[];
  readonly assigned: readonly (keyof typeof ASSIGNED_LABELS)[];
}
export type FilterName = keyof ChosenFilters;

/** Filter and sort order of the session list, as read from the URL. */
export interface FloorQuery {
  readonly chosen: ChosenFilters;
  readonly filter: RowFilter;
  readonly order: OrderName;
}

/**
 * Reads filter and sort order from the URL. Unknown values are dropped, because anyone can edit a URL. A search that is
 * too short does not filter. Customers may not filter by `escalated` or `assigned`.
 */
export function parseFloorQuery(search: URLSearchParams, isStaff: boolean, viewerId: string): FloorQuery {
  const read = (name: FilterName) => [...new Set(search.getAll(name))];
  const chosen = {
    phase: keepKeys<Status>(PHASE_LABELS, read('phase')),
    step: keepSubStatuses(read('step')),
    call: keepKeys<CallPart>(CALLS, read('call')),
    waiting: keepKeys<Party>(PARTY_LABELS, read('waiting')),
    is: keepAllowed(keepKeys<ListMark>(LIST_MARKS, read('is')), isStaff),
    assigned: isStaff ? keepKeys(ASSIGNED_LABELS, read('assigned')) : [],
  };
  const text = (search.get('id') ?? '').slice(0, MAX_SEARCH_LETTERS);
  const subStatus = [...new Set([...chosen.step, ...chosen.call.flatMap((part) => CALLS[part].steps)])];
  return {
    chosen,
    // Leaves empty lists out, because the gateway would match no session with an empty list.
    filter: {
      ...(chosen.phase.length > 0 && { status: chosen.phase }),
      ...(subStatus.length > 0 && { subStatus }),
      ...(chosen.waiting.length > 0 && { waitingOn: chosen.waiting }),
      ...Object.assign({}, ...chosen.is.map((mark) => MARK_FILTERS[mark]())),
      ...(chosen.assigned.length > 0 && { assignedTo: viewerId }),
      ...([...text].length >= MIN_SEARCH_LETTERS && { search: text }),
    },
    order: keepAllowed(keepKeys<OrderName>(ORDERS, search.getAll('order')), isStaff)[0] ?? 'newest',
  };
}

/**
 * Hook that reads and changes the filters and the sort order in the URL. If the URL has none, the viewer's
 * first tab applies.
 */
export function useFloorUrl() {
  const { viewer } = useSignedIn();
  const isStaff = viewer.roles.some((role) => role !== 'CUSTOMER');
  const [given, setSearch] = useSearchParams();
  const search = given.size > 0 ? given : new URLSearchParams(orderViewsFor(viewer.roles)[0]?.search);
  const change = (edit: (next: URLSearchParams) => void) => {
    const next = new URLSearchParams(search);
    edit(next);
    if (!next.has('order')) next.set('order', 'newest');
    setSearch(next, { replace: true });
  };
  /** Adds a value to a filter; removes the value if the filter already has it. */
  const toggle = (name: FilterName, value: string) =>
    change((next) => {
      if (next.has(name, value)) next.delete(name, value);
      else next.append(name, value);
    });
  const key = search.toString();
  const query = useMemo(
    () => parseFloorQuery(new URLSearchParams(key), isStaff, viewer.id),
    [key, isStaff, viewer.id],
  );
  return { search, query, isStaff, change, toggle };
}
