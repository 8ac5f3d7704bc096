import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { RowFilter } from '../live/rows.ts';
import {
  CALLS,
  type CallPart,
  keepKeys,
  keepSubStatuses,
  MARK_LABELS,
  type Mark,
  PARTY_LABELS,
  PHASE_LABELS,
} from '../look/labels.ts';
import type { Party, Role, SessionOrder, Status, SubStatus } from '../operations.ts';

/** Sort orders of the session list, by their names in the URL. */
export const ORDERS = {
  newest: { label: texts.floor.orders.newest, order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: texts.floor.orders.oldest, order: { field: 'CREATED_AT', direction: 'ASC' } },
  moved: { label: texts.floor.orders.moved, order: { field: 'UPDATED_AT', direction: 'DESC' } },
  waiting: { label: texts.floor.orders.waiting, order: { field: 'UPDATED_AT', direction: 'ASC' } },
} as const satisfies Record<string, { label: string; order: SessionOrder }>;
export type OrderName = keyof typeof ORDERS;

/** Tab of the start page: a preset of filters and sort order. */
export interface View {
  readonly label: string;
  readonly search: string;
  /** Roles for which this tab comes first. */
  readonly roles: readonly Role[];
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
  { label: texts.floor.waitingOnUs, search: 'order=waiting&waiting=MERCHANT', roles: [] },
];

/**
 * Returns all tabs of the start page. The tabs for the viewer's roles come first; the very first tab applies
 * if the URL has no filters.
 */
export function orderViewsFor(roles: readonly Role[]): readonly View[] {
  const isMine = (view: View) => view.roles.some((role) => roles.includes(role));
  return [...VIEWS.filter(isMine), ...VIEWS.filter((view) => !isMine(view))];
}

/** Filters with chosen values, by their names in the URL. A session passes `is` only if it has all of its marks. */
export interface ChosenFilters {
  readonly phase: readonly Status[];
  readonly step: readonly SubStatus[];
  /** Parts of the calls, each a name for several steps. */
  readonly call: readonly CallPart[];
  readonly waiting: readonly Party[];
  readonly is: readonly Mark[];
}
export type FilterName = keyof ChosenFilters;

/** Filter and sort order of the session list, as read from the URL. */
export interface FloorQuery {
  readonly chosen: ChosenFilters;
  readonly filter: RowFilter;
  readonly order: OrderName;
}

/**
 * Reads filter and sort order from the URL. Unknown values are dropped, because anyone can edit a URL. Customers may
 * not filter by `escalated`.
 */
export function parseFloorQuery(search: URLSearchParams, isStaff: boolean): FloorQuery {
  const read = (name: FilterName) => [...new Set(search.getAll(name))];
  const chosen = {
    phase: keepKeys<Status>(PHASE_LABELS, read('phase')),
    step: keepSubStatuses(read('step')),
    call: keepKeys<CallPart>(CALLS, read('call')),
    waiting: keepKeys<Party>(PARTY_LABELS, read('waiting')),
    is: keepKeys<Mark>(MARK_LABELS, read('is')).filter((mark) => isStaff || mark !== 'escalated'),
  };
  const verificationIdPrefix = search.get('id');
  const subStatus = [...new Set([...chosen.step, ...chosen.call.flatMap((part) => CALLS[part].steps)])];
  return {
    chosen,
    // Leaves empty lists out, because the gateway would match no session with an empty list.
    filter: {
      ...(chosen.phase.length > 0 && { status: chosen.phase }),
      ...(subStatus.length > 0 && { subStatus }),
      ...(chosen.waiting.length > 0 && { waitingOn: chosen.waiting }),
      ...Object.fromEntries(chosen.is.map((mark) => [mark, true])),
      ...(verificationIdPrefix && { verificationIdPrefix }),
    },
    order: keepKeys<OrderName>(ORDERS, search.getAll('order'))[0] ?? 'newest',
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
  const query = useMemo(() => parseFloorQuery(new URLSearchParams(key), isStaff), [key, isStaff]);
  return { search, query, isStaff, change, toggle };
}
