/** The floor's list, by itself: whatever changes, it is what the gateway would answer if it were asked anew. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendPage, applyChanges, matchesFilter, pickNewer, type Row } from '../../src/console/live/rows.ts';
import type { SessionOrder } from '../../src/console/operations.ts';
import { infoOf, KNOWN_PAIRS, type Pair, STATUSES } from '../../src/domain/status.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

/** As the gateway has it: made of the id by which it orders, whose order it does not keep. */
const idOf = (id: number) => btoa(`VkycSession:${((id * 40_503) % 65_536).toString(16).padStart(4, '0')}`);

const row = (id: number, pair: Pair, version: number, updated: number): Row => ({
  id: idOf(id),
  verificationId: `loan-${id % 3}-${id}`,
  version,
  disputed: false,
  // Several of the same time, so that ties are broken.
  createdAt: at(Math.floor(id / 12)),
  updatedAt: at(updated),
  statusSince: at(updated),
  linkExpiresAt: null,
  statusInfo: { ...infoOf(pair) },
  meeting: null,
});

const pair = fc.constantFrom<Pair[]>(...KNOWN_PAIRS);
const order = fc.record({
  field: fc.constantFrom('CREATED_AT' as const, 'UPDATED_AT' as const),
  direction: fc.constantFrom('ASC' as const, 'DESC' as const),
});
const filter = fc.record(
  {
    status: fc.subarray([...STATUSES], { minLength: 1 }),
    waitingOn: fc.subarray(['CUSTOMER', 'AGENT', 'AUDITOR', 'MERCHANT', 'NOBODY'] as const, { minLength: 1 }),
    verificationIdPrefix: fc.constantFrom('loan-1', 'loan'),
  },
  { requiredKeys: [] },
);
const SESSIONS = 24;
const sessions = fc.array(pair, { minLength: 1, maxLength: SESSIONS });
const moves = fc.array(fc.tuple(fc.nat(SESSIONS + 4), pair), { maxLength: 20 });

/** As the gateway orders a list: by one of its times, then by id, both the same way. */
function asked(all: Iterable<Row>, { field, direction }: SessionOrder): Row[] {
  const key = ({ id, createdAt, updatedAt }: Row) =>
    `${field === 'CREATED_AT' ? createdAt : updatedAt} ${atob(id)}`;
  const sorted = [...all].sort((one, other) => (key(one) < key(other) ? -1 : 1));
  return direction === 'ASC' ? sorted : sorted.reverse();
}

test('a list that was read to its end is what it would be if it were read anew, after any changes', () => {
  fc.assert(
    fc.property(sessions, moves, filter, order, (pairs, moved, wanted, by) => {
      const known = new Map(pairs.map((each, id) => [row(id, each, 1, id).id, row(id, each, 1, id)]));
      const list = {
        rows: asked(
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
        asked(
          [...known.values()].filter((each) => matchesFilter(each, wanted)),
          by,
        ),
      );
    }),
  );
});

test('of a list that was read in part nothing is made up: what is shown is the beginning of what there is', () => {
  fc.assert(
    fc.property(sessions, moves, order, fc.integer({ min: 1, max: 8 }), (pairs, moved, by, size) => {
      const known = new Map(pairs.map((each, id) => [row(id, each, 1, id).id, row(id, each, 1, id)]));
      const before = asked(known.values(), by);
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

      const all = asked(known.values(), by);
      expect(shown).toEqual(all.slice(0, shown.length));
    }),
  );
});

test('a page that was on its way while something changed does not take the change back, and repeats nothing', () => {
  const [first, second] = KNOWN_PAIRS as unknown as [Pair, Pair];
  const shown = [row(0, first, 1, 0), row(1, first, 1, 1)];
  const since = new Map([[row(2, second, 7, 50).id, row(2, second, 7, 50)]]);

  const rows = appendPage(shown, [row(1, first, 1, 1), row(2, first, 3, 2), row(3, first, 1, 3)], since);

  expect(rows.map(({ id, version }) => [id, version])).toEqual([
    [idOf(0), 1],
    [idOf(1), 1],
    [idOf(2), 7],
    [idOf(3), 1],
  ]);
});
