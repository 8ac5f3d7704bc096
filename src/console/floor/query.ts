import { useSearchParams } from 'wouter';
import { useSignedIn } from '../gateway/signed-in.tsx';
import type { RowFilter } from '../live/rows.ts';
import { keepSubStatuses, PARTY_LABELS, PHASE_LABELS } from '../look/labels.ts';
import type { Party, Role, SessionOrder, Status } from '../operations.ts';

/** The orders that the floor offers, by their names in the address. */
export const ORDERS = {
  newest: { label: 'Newest first', order: { field: 'CREATED_AT', direction: 'DESC' } },
  oldest: { label: 'Oldest first', order: { field: 'CREATED_AT', direction: 'ASC' } },
  moved: { label: 'Last moved first', order: { field: 'UPDATED_AT', direction: 'DESC' } },
  waiting: { label: 'Longest untouched first', order: { field: 'UPDATED_AT', direction: 'ASC' } },
} as const satisfies Record<string, { label: string; order: SessionOrder }>;
export type OrderName = keyof typeof ORDERS;

/** What people come to the floor for: a filter, and the order that goes with it. */
export interface View {
  readonly label: string;
  readonly search: string;
  /** Whose work this is. */
  readonly roles: readonly Role[];
}

const VIEWS: readonly View[] = [
  { label: 'Everything', search: 'order=newest', roles: ['OPERATOR', 'VIEWER', 'ADMIN', 'CUSTOMER'] },
  {
    label: 'Calls to review',
    search: 'order=waiting&step=AGENT_ENDED_CALL&step=USER_ENDED_CALL',
    roles: ['AGENT'],
  },
  { label: 'Approvals to audit', search: 'order=waiting&waiting=AUDITOR', roles: ['AUDITOR'] },
  { label: 'Needs us', search: 'order=waiting&waiting=MERCHANT', roles: [] },
];

/** The views of the floor: first those of the viewer's own work, of which the very first is where the floor begins. */
export function orderViewsFor(roles: readonly Role[]): readonly View[] {
  const isMine = (view: View) => view.roles.some((role) => roles.includes(role));
  return [...VIEWS.filter(isMine), ...VIEWS.filter((view) => !isMine(view))];
}

/** What the address says is to be shown. */
export interface FloorQuery {
  readonly filter: RowFilter;
  readonly order: OrderName;
}

/** Reads the address; what it says that there is not is left out. */
export function parseFloorQuery(search: URLSearchParams): FloorQuery {
  const order = search.get('order') ?? '';
  const status = search.getAll('phase').filter((each) => Object.hasOwn(PHASE_LABELS, each)) as Status[];
  const subStatus = keepSubStatuses(search.getAll('step'));
  const waitingOn = search.getAll('waiting').filter((each) => Object.hasOwn(PARTY_LABELS, each)) as Party[];
  const verificationIdPrefix = search.get('id');
  return {
    // An empty list would let nothing through.
    filter: {
      ...(status.length > 0 && { status }),
      ...(subStatus.length > 0 && { subStatus }),
      ...(waitingOn.length > 0 && { waitingOn }),
      ...(verificationIdPrefix && { verificationIdPrefix }),
    },
    order: Object.hasOwn(ORDERS, order) ? (order as OrderName) : 'newest',
  };
}

/** The address of the floor, and what changes one thing of it. Where it says nothing, it is the viewer's own work. */
export function useFloorAddress() {
  const { viewer } = useSignedIn();
  const [said, setSearch] = useSearchParams();
  const search = said.size > 0 ? said : new URLSearchParams(orderViewsFor(viewer.roles)[0]?.search);
  const change = (edit: (next: URLSearchParams) => void) => {
    const next = new URLSearchParams(search);
    edit(next);
    if (!next.has('order')) next.set('order', 'newest');
    setSearch(next, { replace: true });
  };
  /** Filters by this value, or no longer where it did. */
  const toggle = (name: 'phase' | 'step' | 'waiting', value: string) =>
    change((next) => {
      if (next.has(name, value)) next.delete(name, value);
      else next.append(name, value);
    });
  return { search, change, toggle };
}
