import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { getDayBounds, toLocalDay } from '../calendar/day.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { LocalSessionFilter } from '../live/rows.ts';
import {
  keepKnownKeys,
  keepKnownSubStatuses,
  PARTY_LABELS,
  PHASE_LABELS,
  SESSION_MARK_LABELS,
  VIDEO_CALL_PARTS,
  type VideoCallPart,
} from '../look/labels.ts';
import type { Party, Role, SessionOrder, Status, SubStatus } from '../operations.ts';

export interface SortOrderOption {
  readonly label: string;
  readonly order: SessionOrder;
  /** Which sessions the order leaves out. */
  readonly note?: string;
}

/** Sort orders of the session list, by their names in the URL. */
export const SORT_ORDERS = {
  newest: { label: texts.floor.orders.newest, order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: texts.floor.orders.oldest, order: { field: 'CREATED_AT', direction: 'ASC' } },
  moved: { label: texts.floor.orders.moved, order: { field: 'UPDATED_AT', direction: 'DESC' } },
  waiting: { label: texts.floor.orders.waiting, order: { field: 'UPDATED_AT', direction: 'ASC' } },
  since: { ...texts.list.orders.since, order: { field: 'STATUS_SINCE', direction: 'ASC' } },
  meeting: { ...texts.list.orders.meeting, order: { field: 'MEETING_AT', direction: 'ASC' } },
  due: { ...texts.list.orders.due, order: { field: 'DUE_AT', direction: 'ASC' } },
} as const satisfies Record<string, SortOrderOption>;
export type SortOrderName = keyof typeof SORT_ORDERS;

/** Label of each mark by which the list can be filtered. */
export const FILTER_MARK_LABELS = { ...SESSION_MARK_LABELS, ...texts.list.marks };
export type FilterMark = keyof typeof FILTER_MARK_LABELS;

const DAY_MS = 86_400_000;

/** Condition of each mark, as of now. */
const MARK_FILTERS: Readonly<Record<FilterMark, () => LocalSessionFilter>> = {
  disputed: () => ({ disputed: true }),
  escalated: () => ({ escalated: true }),
  closed: () => ({ closed: true }),
  replaced: () => ({ replaced: true }),
  overdue: () => ({ overdue: true }),
  meetingToday: () => {
    const { from, to } = getDayBounds(toLocalDay(new Date()));
    return { meetingFrom: from, meetingTo: to };
  },
  linkExpiring: () => ({ linkExpiresBefore: new Date(Date.now() + DAY_MS).toISOString() }),
};

/** Marks and orders that the gateway refuses to customers. */
const FOR_STAFF: ReadonlySet<FilterMark | SortOrderName> = new Set(['escalated', 'overdue', 'due']);

/** Returns the marks, or the orders, that the viewer may use. */
export const keepUsableByViewer = <Name extends FilterMark | SortOrderName>(
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
export function listPresetViewsFor(roles: readonly Role[]): readonly View[] {
  const isMine = (view: View) => view.roles.some((role) => roles.includes(role));
  return [...VIEWS.filter(isMine), ...VIEWS.filter((view) => !isMine(view) && !view.isExclusive)];
}

/** Label of each person by whose assignments the list can be filtered. The URL does not hold the id of the person. */
export const ASSIGNEE_FILTER_LABELS = { me: texts.work.assignedToMe };

/** Filters with chosen values, by their names in the URL. A session passes `is` only if it has all of its marks. */
export interface ChosenFilters {
  readonly phase: readonly Status[];
  readonly step: readonly SubStatus[];
  /** Parts of the calls, each a name for several steps. */
  readonly call: readonly VideoCallPart[];
  readonly waiting: readonly Party[];
  readonly is: readonly FilterMark[];
  readonly assigned: readonly (keyof typeof ASSIGNEE_FILTER_LABELS)[];
}
export type FilterName = keyof ChosenFilters;

/** Filter and sort order of the session list, as read from the URL. */
export interface FloorQuery {
  readonly chosen: ChosenFilters;
  readonly filter: LocalSessionFilter;
  readonly order: SortOrderName;
}

/**
 * Reads filter and sort order from the URL. Unknown values are dropped, because anyone can edit a URL. A search that is
 * too short does not filter. Customers may not filter by `escalated` or `assigned`.
 */
export function parseFloorQuery(search: URLSearchParams, isStaff: boolean, viewerId: string): FloorQuery {
  const read = (name: FilterName) => [...new Set(search.getAll(name))];
  const chosen = {
    phase: keepKnownKeys<Status>(PHASE_LABELS, read('phase')),
    step: keepKnownSubStatuses(read('step')),
    call: keepKnownKeys<VideoCallPart>(VIDEO_CALL_PARTS, read('call')),
    waiting: keepKnownKeys<Party>(PARTY_LABELS, read('waiting')),
    is: keepUsableByViewer(keepKnownKeys<FilterMark>(FILTER_MARK_LABELS, read('is')), isStaff),
    assigned: isStaff ? keepKnownKeys(ASSIGNEE_FILTER_LABELS, read('assigned')) : [],
  };
  const text = (search.get('id') ?? '').slice(0, MAX_SEARCH_LETTERS);
  const subStatus = [
    ...new Set([...chosen.step, ...chosen.call.flatMap((part) => VIDEO_CALL_PARTS[part].steps)]),
  ];
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
    order:
      keepUsableByViewer(keepKnownKeys<SortOrderName>(SORT_ORDERS, search.getAll('order')), isStaff)[0] ??
      'newest',
  };
}

/**
 * Hook that reads and changes the filters and the sort order in the URL. If the URL has none, the viewer's
 * first tab applies.
 */
export function useFloorUrl() {
  const { viewer } = useViewerAndGateway();
  const isStaff = viewer.roles.some((role) => role !== 'CUSTOMER');
  const [given, setSearch] = useSearchParams();
  const search = given.size > 0 ? given : new URLSearchParams(listPresetViewsFor(viewer.roles)[0]?.search);
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
