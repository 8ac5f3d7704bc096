/**
 * Property tests of the console's list of sessions: after any changes, the list must have the rows that the gateway
 * would return for a new query.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendPage, applyChanges, matchesFilter, pickNewer, type Row } from '../../src/console/live/rows.ts';
import type { SessionOrder } from '../../src/console/operations.ts';
import { getStatusInfo, KNOWN_PAIRS, STATUSES, type StatusPair } from '../../src/domain/status.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

/** Builds a global id. Like in the gateway, global ids sort differently from the session ids that they encode. */
const toGlobalId = (id: number) =>
  btoa(`VkycSession:${((id * 40_503) % 65_536).toString(16).padStart(4, '0')}`);

const row = (id: number, pair: StatusPair, version: number, updated: number): Row => ({
  id: toGlobalId(id),
  verificationId: `loan-${id % 3}-${id}`,
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
  linkExpiresAt: null,
  statusInfo: { ...getStatusInfo(pair) },
  meeting: null,
});

const pair = fc.constantFrom<StatusPair[]>(...KNOWN_PAIRS);
const order = fc.record({
  field: fc.constantFrom('CREATED_AT' as const, 'UPDATED_AT' as const),
  direction: fc.constantFrom('ASC' as const, 'DESC' as const),
});
const filter = fc.record(
  {
    status: fc.subarray([...STATUSES], { minLength: 1 }),
    waitingOn: fc.subarray(['CUSTOMER', 'AGENT', 'AUDITOR', 'MERCHANT', 'NOBODY'] as const, { minLength: 1 }),
    verificationIdPrefix: fc.constantFrom('loan-1', 'loan'),
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
  const key = ({ id, createdAt, updatedAt }: Row) =>
    `${field === 'CREATED_AT' ? createdAt : updatedAt} ${atob(id)}`;
  const sorted = [...all].sort((one, other) => (key(one) < key(other) ? -1 : 1));
  return direction === 'ASC' ? sorted : sorted.reverse();
}

test('after any changes, a completely loaded list of sessions has the same rows as a new query would return', () => {
  fc.assert(
    fc.property(sessions, moves, filter, order, (pairs, moved, wanted, by) => {
      const known = new Map(pairs.map((each, id) => [row(id, each, 1, id).id, row(id, each, 1, id)]));
      const list = {
        rows: sortLikeGateway(
          [...known.values()].filter((each) => matchesFilter(each, wanted)),
          by,
        ),
        edge: null,
      };
      const changed = new Map<string, Row>();
      for (const [index, [id, to]] of moved.entries()) {
        const next = row(id, to, index + 2, 100 + index);
        changed.set(next.id, pickNewer(changed.get(next.id), next));
        known.set(next.id, next);
      }

      const shown = applyChanges(list, changed, wanted, by);

      expect(shown).toEqual(
        sortLikeGateway(
          [...known.values()].filter((each) => matchesFilter(each, wanted)),
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
      const before = sortLikeGateway(known.values(), by);
      const page = before.slice(0, size);
      const edge = before.length > size ? (page.at(-1) as Row) : null;
      const changed = new Map(
        moved.map(([id, to], index) => {
          const next = row(id, to, index + 2, 100 + index);
          known.set(next.id, next);
          return [next.id, next];
        }),
      );

      const shown = applyChanges({ rows: page, edge }, changed, {}, by);

      const all = sortLikeGateway(known.values(), by);
      expect(shown).toEqual(all.slice(0, shown.length));
    }),
  );
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
