/**
 * Property tests of the console's list of sessions: after any changes, the list must have the rows that the gateway
 * would return for a new query.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  appendPage,
  applyChangedRows,
  isRowInList,
  pickNewerRow,
  type Row,
} from '../../src/console/live/rows.ts';
import type { SessionOrder } from '../../src/console/operations.ts';
import { getStatusInfo, KNOWN_PAIRS, STATUSES, type StatusPair } from '../../src/domain/status.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

/** Builds a global id. Like in the gateway, global ids sort differently from the session ids that they encode. */
const toGlobalId = (id: number) =>
  btoa(`VkycSession:${((id * 40_503) % 65_536).toString(16).padStart(4, '0')}`);

const row = (id: number, pair: StatusPair, version: number, updated: number): Row => ({
  id: toGlobalId(id),
  verificationId: `loan-${id % 3}-${id}`,
  referenceId: id % 4 === 0 ? null : `98${id % 5}`,
  version,
  disputed: version % 2 === 1,
  escalated: version % 3 === 1,
  closed: false,
  replaced: false,
  assignedAgent: version % 4 === 1 ? 'ravi' : null,
  assignedUntil: null,
  // Gives several sessions the same creation time, so that the order by id is tested, too.
  createdAt: at(Math.floor(id / 12)),
  updatedAt: at(updated),
  statusSince: at(updated),
  dueAt: version % 4 === 1 ? at(updated + 30) : null,
  overdue: version % 8 === 1,
  linkExpiresAt: version % 5 === 1 ? null : at(updated + version),
  statusInfo: { ...getStatusInfo(pair) },
  meeting:
    version % 3 === 0
      ? null
      : { id: 'a', startsAt: at(id * 3 + version), status: version % 3 === 1 ? 'SCHEDULED' : 'CANCELLED' },
});

const pair = fc.constantFrom<StatusPair[]>(...KNOWN_PAIRS);
const order = fc.record({
  field: fc.constantFrom(...(['CREATED_AT', 'UPDATED_AT', 'STATUS_SINCE', 'MEETING_AT', 'DUE_AT'] as const)),
  direction: fc.constantFrom('ASC' as const, 'DESC' as const),
});
const filter = fc.record(
  {
    status: fc.subarray([...STATUSES], { minLength: 1 }),
    waitingOn: fc.subarray(['CUSTOMER', 'AGENT', 'AUDITOR', 'MERCHANT', 'NOBODY'] as const, { minLength: 1 }),
    search: fc.constantFrom('AN-1', 'loan', '983'),
    linkExpiresBefore: fc.constantFrom(at(110)),
    meetingFrom: fc.constantFrom(at(20)),
    meetingTo: fc.constantFrom(at(60)),
    overdue: fc.constant(true),
    disputed: fc.boolean(),
    escalated: fc.constant(true),
    assignedTo: fc.constant('ravi'),
  },
  { requiredKeys: [] },
);
const SESSIONS = 24;
const sessions = fc.array(pair, { minLength: 1, maxLength: SESSIONS });
const moves = fc.array(fc.tuple(fc.nat(SESSIONS + 4), pair), { maxLength: 20 });

/** Sorts rows in the gateway's order: by time, then by session id, both in the same direction. */
function sortLikeGateway(all: Iterable<Row>, { field, direction }: SessionOrder): Row[] {
  const timeOf = ({ createdAt, updatedAt, statusSince, dueAt, meeting }: Row) =>
    ({
      CREATED_AT: createdAt,
      UPDATED_AT: updatedAt,
      STATUS_SINCE: statusSince,
      DUE_AT: dueAt,
      MEETING_AT: meeting?.startsAt,
    })[field];
  const key = (each: Row) => `${timeOf(each)} ${atob(each.id)}`;
  const sorted = [...all].sort((one, other) => (key(one) < key(other) ? -1 : 1));
  return direction === 'ASC' ? sorted : sorted.reverse();
}

test('after any changes, a completely loaded list of sessions has the same rows as a new query would return', () => {
  fc.assert(
    fc.property(sessions, moves, filter, order, (pairs, moved, wanted, by) => {
      const known = new Map(pairs.map((each, id) => [row(id, each, 1, id).id, row(id, each, 1, id)]));
      const list = {
        rows: sortLikeGateway(
          [...known.values()].filter((each) => isRowInList(each, wanted, by)),
          by,
        ),
        edge: null,
      };
      const changed = new Map<string, Row>();
      for (const [index, [id, to]] of moved.entries()) {
        const next = row(id, to, index + 2, 100 + index);
        changed.set(next.id, pickNewerRow(changed.get(next.id), next));
        known.set(next.id, next);
      }

      const shown = applyChangedRows(list, changed, wanted, by);

      expect(shown).toEqual(
        sortLikeGateway(
          [...known.values()].filter((each) => isRowInList(each, wanted, by)),
          by,
        ),
      );
    }),
  );
});

test('after any changes, a partly loaded list of sessions has the same rows as the beginning of the result of a new query', () => {
  fc.assert(
    fc.property(sessions, moves, order, fc.integer({ min: 1, max: 8 }), (pairs, moved, by, size) => {
      const known = new Map(pairs.map((each, id) => [row(id, each, 1, id).id, row(id, each, 1, id)]));
      const before = sortLikeGateway(
        [...known.values()].filter((each) => isRowInList(each, {}, by)),
        by,
      );
      const page = before.slice(0, size);
      const edge = before.length > size ? (page.at(-1) as Row) : null;
      const changed = new Map(
        moved.map(([id, to], index) => {
          const next = row(id, to, index + 2, 100 + index);
          known.set(next.id, next);
          return [next.id, next];
        }),
      );

      const shown = applyChangedRows({ rows: page, edge }, changed, {}, by);

      const all = sortLikeGateway(
        [...known.values()].filter((each) => isRowInList(each, {}, by)),
        by,
      );
      expect(shown).toEqual(all.slice(0, shown.length));
    }),
  );
});

test('a row is in a list by the rules of the gateway for each filter and order', () => {
  const open = KNOWN_PAIRS.find((each) => !getStatusInfo(each).terminal) as StatusPair;
  const ended = KNOWN_PAIRS.find((each) => getStatusInfo(each).terminal) as StatusPair;
  const base: Row = {
    ...row(1, open, 1, 5),
    verificationId: 'Loan-77',
    referenceId: '98311',
    dueAt: at(9),
    overdue: false,
    linkExpiresAt: at(20),
    meeting: { id: 'a', startsAt: at(30), status: 'SCHEDULED' },
  };
  const over = { ...base, statusInfo: { ...getStatusInfo(ended) } };
  const cancelled = { ...base, meeting: { id: 'a', startsAt: at(30), status: 'CANCELLED' as const } };
  const inOrder = (field: SessionOrder['field']) => ({ field, direction: 'ASC' as const });
  const listed = (
    of: Row,
    wanted: Parameters<typeof isRowInList>[1],
    field: SessionOrder['field'] = 'CREATED_AT',
  ) => isRowInList(of, wanted, inOrder(field));

  for (const search of ['AN-7', 'loan', '831']) expect(listed(base, { search }), search).toBe(true);
  for (const search of ['78', '98312']) expect(listed(base, { search }), search).toBe(false);
  expect(listed({ ...base, referenceId: null }, { search: '831' })).toBe(false);
  expect(listed(base, { linkExpiresBefore: at(21) })).toBe(true);
  expect(listed(base, { linkExpiresBefore: at(20) })).toBe(false);
  expect(listed(over, { linkExpiresBefore: at(21) })).toBe(false);
  expect(listed({ ...base, linkExpiresAt: null }, { linkExpiresBefore: at(21) })).toBe(false);
  expect(listed(base, { meetingFrom: at(30), meetingTo: at(31) })).toBe(true);
  expect(listed(base, { meetingTo: at(30) })).toBe(false);
  expect(listed(base, { meetingFrom: at(31) })).toBe(false);
  expect(listed(cancelled, { meetingFrom: at(0) })).toBe(false);
  expect(listed(base, { overdue: true })).toBe(false);
  expect(listed({ ...base, overdue: true }, { overdue: true })).toBe(true);
  expect([base, over].map((each) => listed(each, {}, 'STATUS_SINCE'))).toEqual([true, false]);
  expect([base, cancelled, { ...base, meeting: null }].map((each) => listed(each, {}, 'MEETING_AT'))).toEqual(
    [true, false, false],
  );
  expect([base, { ...base, dueAt: null }].map((each) => listed(each, {}, 'DUE_AT'))).toEqual([true, false]);
});

test('a page of sessions that was being loaded during a change neither reverts the change nor repeats a row', () => {
  const [first, second] = KNOWN_PAIRS as unknown as [StatusPair, StatusPair];
  const shown = [row(0, first, 1, 0), row(1, first, 1, 1)];
  const since = new Map([[row(2, second, 7, 50).id, row(2, second, 7, 50)]]);

  const rows = appendPage(shown, [row(1, first, 1, 1), row(2, first, 3, 2), row(3, first, 1, 3)], since);

  expect(rows.map(({ id, version }) => [id, version])).toEqual([
    [toGlobalId(0), 1],
    [toGlobalId(1), 1],
    [toGlobalId(2), 7],
    [toGlobalId(3), 1],
  ]);
});
