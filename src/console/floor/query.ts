import { useSearchParams } from 'wouter';
import { useSignedIn } from '../gateway/signed-in.tsx';
import type { RowFilter } from '../live/rows.ts';
import { keepSubStatuses, PARTY_LABELS, PHASE_LABELS } from '../look/labels.ts';
import type { Party, Role, SessionOrder, Status } from '../operations.ts';

/** Sort orders of the session list, by their names in the URL. */
export const ORDERS = {
  newest: { label: 'Newest first', order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: 'Oldest first', order: { field: 'CREATED_AT', direction: 'ASC' } },
  moved: { label: 'Recently updated first', order: { field: 'UPDATED_AT', direction: 'DESC' } },
  waiting: { label: 'Least recently updated first', order: { field: 'UPDATED_AT', direction: 'ASC' } },
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
  { label: 'All sessions', search: 'order=newest', roles: ['OPERATOR', 'VIEWER', 'ADMIN', 'CUSTOMER'] },
  {
    label: 'Calls to review',
    search: 'order=waiting&step=AGENT_ENDED_CALL&step=USER_ENDED_CALL',
    roles: ['AGENT'],
  },
  { label: 'Approvals to audit', search: 'order=waiting&waiting=AUDITOR', roles: ['AUDITOR'] },
  { label: 'Waiting on us', search: 'order=waiting&waiting=MERCHANT', roles: [] },
];

/**
 * Returns all tabs of the start page. The tabs for the viewer's roles come first; the very first tab applies
 * if the URL has no filters.
 */
export function orderViewsFor(roles: readonly Role[]): readonly View[] {
  const isMine = (view: View) => view.roles.some((role) => roles.includes(role));
  return [...VIEWS.filter(isMine), ...VIEWS.filter((view) => !isMine(view))];
}

/** Filter and sort order of the session list, as read from the URL. */
export interface FloorQuery {
  readonly filter: RowFilter;
  readonly order: OrderName;
}

/** Reads filter and sort order from the URL. Unknown values are dropped, because anyone can edit a URL. */
export function parseFloorQuery(search: URLSearchParams): FloorQuery {
  const order = search.get('order') ?? '';
  const status = search.getAll('phase').filter((each) => Object.hasOwn(PHASE_LABELS, each)) as Status[];
  const subStatus = keepSubStatuses(search.getAll('step'));
  const waitingOn = search.getAll('waiting').filter((each) => Object.hasOwn(PARTY_LABELS, each)) as Party[];
  const verificationIdPrefix = search.get('id');
  return {
    // Leaves empty lists out, because the gateway would match no session with an empty list.
    filter: {
      ...(status.length > 0 && { status }),
      ...(subStatus.length > 0 && { subStatus }),
      ...(waitingOn.length > 0 && { waitingOn }),
      ...(verificationIdPrefix && { verificationIdPrefix }),
    },
    order: Object.hasOwn(ORDERS, order) ? (order as OrderName) : 'newest',
  };
}

/**
 * Hook that reads and changes the filters and the sort order in the URL. If the URL has none, the viewer's
 * first tab applies.
 */
export function useFloorUrl() {
  const { viewer } = useSignedIn();
  const [given, setSearch] = useSearchParams();
  const search = given.size > 0 ? given : new URLSearchParams(orderViewsFor(viewer.roles)[0]?.search);
  const change = (edit: (next: URLSearchParams) => void) => {
    const next = new URLSearchParams(search);
    edit(next);
    if (!next.has('order')) next.set('order', 'newest');
    setSearch(next, { replace: true });
  };
  /** Adds a value to a filter; removes the value if the filter already has it. */
  const toggle = (name: 'phase' | 'step' | 'waiting', value: string) =>
    change((next) => {
      if (next.has(name, value)) next.delete(name, value);
      else next.append(name, value);
    });
  return { search, change, toggle };
}
