/** Tests the guard that keeps an older answer from overwriting a newer one. */
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OrderGuard } from '../../src/client/order.ts';

const QUERY = parse(`query ($last: Int) {
  session { ...Row label: tags(first: 1) other: tags(first: $last) }
}
fragment Row on VkycSession { __typename id version updatedAt statusInfo { __typename status } }`);

type Row = { version: number; status?: string; updatedAt?: string; label?: string; other?: string };

/** Checks an answer about the session `1`, and returns the session as the guard passes it on. */
function check(
  guard: OrderGuard,
  { version, status = `S${version}`, updatedAt = '', ...more }: Row,
  id = '1',
) {
  const statusInfo = { __typename: 'StatusInfo', status };
  const session = { __typename: 'VkycSession', id, version, updatedAt, statusInfo, ...more };
  const { data, isComplete } = guard.check(QUERY, { last: 2 }, { session });
  return { ...data.session, status: data.session.statusInfo?.status, isComplete };
}

describe('OrderGuard', () => {
  test('an answer with a lower version is replaced by the newest state, and one with a higher version passes', () => {
    const guard = new OrderGuard();
    check(guard, { version: 3 });
    check(guard, { version: 12 });

    expect(check(guard, { version: 3 })).toMatchObject({ version: 12, status: 'S12', isComplete: true });
    expect(check(guard, { version: 13 })).toMatchObject({ version: 13, status: 'S13', isComplete: true });
  });

  test('of two answers with one version, the one that was updated later counts', () => {
    const guard = new OrderGuard();
    check(guard, { version: 3, updatedAt: '2026-01-02', status: 'LATER' });

    expect(check(guard, { version: 3, updatedAt: '2026-01-01', status: 'EARLIER' }).status).toBe('LATER');
    expect(check(guard, { version: 3, updatedAt: '2026-01-02', status: 'SAME' }).status).toBe('SAME');
  });

  test('sessions are told apart by their id', () => {
    const guard = new OrderGuard();
    check(guard, { version: 12 }, '1');

    expect(check(guard, { version: 3 }, '2')).toMatchObject({ id: '2', version: 3, status: 'S3' });
  });

  test('a field that no newer answer had is left out of an older one, which is then incomplete', () => {
    const guard = new OrderGuard();
    check(guard, { version: 12 });

    const outdated = check(guard, { version: 3, label: 'old' });

    expect(outdated).not.toHaveProperty('label');
    expect(outdated).toMatchObject({ version: 12, isComplete: false });
  });

  test('fields with other arguments are other fields, also if the argument is a variable', () => {
    const guard = new OrderGuard();
    check(guard, { version: 12, label: 'first', other: 'second' });

    expect(check(guard, { version: 3, label: 'old', other: 'old' })).toMatchObject({
      label: 'first',
      other: 'second',
      isComplete: true,
    });
    const session = { __typename: 'VkycSession', id: '1', version: 3, updatedAt: '', other: 'old' };
    const { data, isComplete } = guard.check(QUERY, { last: 9 }, { session });
    expect([data.session.other, isComplete]).toEqual([undefined, false]);
  });

  test('fields of a newer version are not mixed with those of an older one', () => {
    const guard = new OrderGuard();
    check(guard, { version: 3, label: 'old' });
    check(guard, { version: 12 });

    expect(check(guard, { version: 3, label: 'old' })).not.toHaveProperty('label');
  });

  test('a newer state within another object and within lists is found, and an older one there is replaced', () => {
    const guard = new OrderGuard();
    const list = parse('{ sessions { nodes { id version replaces { id version } } } }');
    check(guard, { version: 12 }, '2');
    const nodes = [{ id: '1', version: 5, replaces: { id: '2', version: 4 } }];

    const { data } = guard.check(list, null, { sessions: { nodes } });

    expect(data.sessions.nodes).toEqual([{ id: '1', version: 5, replaces: { id: '2', version: 12 } }]);
    expect(nodes[0]?.replaces.version).toBe(4);
  });

  test('an object that was not asked for its id and version is passed on, and so is an answer without data', () => {
    const guard = new OrderGuard();
    check(guard, { version: 12 });

    expect(guard.check(parse('{ session { version } }'), null, { session: { version: 3 } })).toEqual({
      data: { session: { version: 3 } },
      isComplete: true,
    });
    expect(guard.check(QUERY, null, null)).toEqual({ data: null, isComplete: true });
  });

  test.each([
    ['a FeedReset', { __typename: 'FeedReset' }],
    [
      'a snapshot after which the stream could not be resumed',
      { __typename: 'SessionSnapshot', resync: true },
    ],
  ])('after %s, lower versions count: a failover may have lost transitions', (_name, frame) => {
    const guard = new OrderGuard();
    check(guard, { version: 12 });
    guard.check(parse('subscription { feed { __typename resync } }'), null, { feed: frame });

    expect(check(guard, { version: 11 })).toMatchObject({ version: 11, status: 'S11' });
  });

  test('of more than a thousand sessions, those that were seen last are remembered', () => {
    const guard = new OrderGuard();
    for (let id = 0; id <= 1_000; id += 1) check(guard, { version: 12 }, String(id));

    expect(check(guard, { version: 3 }, '1000').version).toBe(12);
    expect(check(guard, { version: 3 }, '1').version).toBe(12);
    expect(check(guard, { version: 3 }, '0').version).toBe(3);
  });
});
