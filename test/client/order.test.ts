/** Tests the guard that keeps an older answer from overwriting a newer one. */
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { findOperationKind, OrderGuard } from '../../src/client/order.ts';

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

  test('without `updatedAt` on both sides, answers with one version count as they come', () => {
    const guard = new OrderGuard();
    const bare = parse('{ session { id version status } }');
    const read = (session: object, document = QUERY) =>
      guard.check(document, null, { session }).data.session as any;
    read({ id: '1', version: 3, status: 'FIRST' }, bare);
    expect(read({ id: '1', version: 3, status: 'SECOND' }, bare).status).toBe('SECOND');
    check(guard, { version: 3, updatedAt: '2026-01-02' });
    // The answer without a time keeps the time that is known.
    expect(read({ id: '1', version: 3, status: 'THIRD' }, bare).status).toBe('THIRD');
    expect(check(guard, { version: 3, updatedAt: '2026-01-01', status: 'EARLIER' }).updatedAt).toBe(
      '2026-01-02',
    );
  });

  test('an answer of the same version that was updated later takes the place of the earlier one', () => {
    const guard = new OrderGuard();
    check(guard, { version: 3, updatedAt: '2026-01-01', label: 'old' });
    check(guard, { version: 3, updatedAt: '2026-01-02', status: 'LATER' });

    const outdated = check(guard, { version: 3, updatedAt: '2026-01-01', label: 'old' });

    expect(outdated).toMatchObject({ status: 'LATER', updatedAt: '2026-01-02', isComplete: false });
    expect(outdated).not.toHaveProperty('label');
  });
});

/** Checks answers to queries that are written as text, with one guard. */
function createReader() {
  const guard = new OrderGuard();
  return (text: string, data: object, variables: object | null = null) => {
    const document = parse(text, { noLocation: true });
    return guard.check(document, variables, data) as { data: any; isComplete: boolean };
  };
}

describe('fields that OrderGuard takes from the newest state', () => {
  test('answers of one version are put together, also the fields of the objects in them', () => {
    const read = createReader();
    read('{ session { id version info { a deep { x } } } }', {
      session: { id: '1', version: 12, info: { a: 1, deep: { x: 1 } } },
    });
    read('{ session { id version info { b deep { y } } } }', {
      session: { id: '1', version: 12, info: { b: 2, deep: { y: 2 } } },
    });

    const info = { a: 'old', b: 'old', deep: { x: 'old', y: 'old' } };
    const { data, isComplete } = read('{ session { id version info { a b deep { x y } } } }', {
      session: { id: '1', version: 3, info },
    });

    expect(data.session.info).toEqual({ a: 1, b: 2, deep: { x: 1, y: 2 } });
    expect(isComplete).toBe(true);
  });

  test('a part that became null, a scalar or another object takes the place of the one before', () => {
    const read = createReader();
    const text = '{ session { id version part { a } } }';
    const withPart = (version: number, part: unknown) => read(text, { session: { id: '1', version, part } });
    withPart(12, { a: 1 });
    withPart(12, null);
    expect(withPart(3, { a: 'old' })).toEqual({
      data: { session: { id: '1', version: 12, part: null } },
      isComplete: true,
    });
    withPart(12, { a: 2 });
    expect(withPart(3, null).data.session.part).toEqual({ a: 2 });
  });

  test('a field that is missing within a part makes the answer incomplete', () => {
    const read = createReader();
    read('{ session { id version info { a } } }', { session: { id: '1', version: 12, info: { a: 1 } } });

    const { data, isComplete } = read('{ session { id version info { a b } } }', {
      session: { id: '1', version: 3, info: { a: 'old', b: 'old' } },
    });

    expect([data.session.info, isComplete]).toEqual([{ a: 1 }, false]);
  });

  test('lists of parts and lists of sessions are taken whole, each session with its own newest state', () => {
    const read = createReader();
    const text = '{ session { id version notes { text } others { id version name } } }';
    const others = (version: number) => [{ id: '2', version, name: `N${version}` }];
    read(text, {
      session: { id: '1', version: 12, notes: [{ text: 'a' }, { text: 'b' }], others: others(5) },
    });
    read('{ session { id version name } }', { session: { id: '2', version: 7, name: 'N7' } });

    const { data, isComplete } = read(text, {
      session: { id: '1', version: 3, notes: [], others: others(4) },
    });

    expect(data.session).toEqual({
      ...{ id: '1', version: 12, notes: [{ text: 'a' }, { text: 'b' }] },
      others: [{ id: '2', version: 7, name: 'N7' }],
    });
    expect(isComplete).toBe(true);
  });

  test('a session within an outdated one that is no longer remembered makes the answer incomplete', () => {
    const read = createReader();
    const text = '{ session { id version other { id version } } }';
    read(text, { session: { id: '1', version: 12, other: { id: '2', version: 5 } } });
    for (let id = 10; id < 1_009; id += 1)
      read('{ session { id version } }', { session: { id: String(id), version: 1 } });
    // Session 2 was seen before session 1, so it is forgotten first.
    const { data, isComplete } = read('{ session { id version other { name } } }', {
      session: { id: '1', version: 3, other: { name: 'old' } },
    });

    expect([data.session.other, isComplete]).toEqual([null, false]);
  });

  test('an answer keeps its own fields that never change, if the newest state lacks them', () => {
    const read = createReader();
    read('{ session { id version } }', { session: { id: '1', version: 12 } });

    const { data, isComplete } = read('{ session { __typename id version verificationId createdAt } }', {
      session: { __typename: 'VkycSession', id: '1', version: 3, verificationId: 'a', createdAt: 'b' },
    });

    expect(data.session).toEqual({
      ...{ __typename: 'VkycSession', id: '1', version: 12, verificationId: 'a', createdAt: 'b' },
    });
    expect(isComplete).toBe(true);
  });

  test.each([
    ['a number', 'part(n: 1)', 'part(n: 2)'],
    ['a text', 'part(s: "a")', 'part(s: "b")'],
    ['a value of an enum', 'part(e: A)', 'part(e: B)'],
    ['null', 'part(n: null)', 'part(n: 1)'],
    ['a list', 'part(l: [1, 2])', 'part(l: [1, 3])'],
    ['an object', 'part(o: { a: [1] })', 'part(o: { a: [2] })'],
    ['another name', 'part(a: 1)', 'part(b: 1)'],
    ['no argument', 'part', 'part(n: 1)'],
  ])('arguments that differ by %s make two fields, and equal ones make one', (_name, one, other) => {
    const read = createReader();
    read(`{ session { id version part: ${one} } }`, { session: { id: '1', version: 12, part: 'new' } });

    const same = read(`{ session { id version mine: ${one} } }`, {
      session: { id: '1', version: 3, mine: 'old' },
    });
    const different = read(`{ session { id version part: ${other} } }`, {
      session: { id: '1', version: 3, part: 'old' },
    });

    expect([same.data.session.mine, same.isComplete]).toEqual(['new', true]);
    expect([different.data.session.part, different.isComplete]).toEqual([undefined, false]);
  });

  test('id, version and time are found under other names, and must be those of the object', () => {
    const read = createReader();
    read('{ session { key: id v: version name } }', { session: { key: '1', v: 12, name: 'new' } });

    expect(
      read('{ session { id version name } }', { session: { id: '1', version: 3, name: 'old' } }).data,
    ).toEqual({
      session: { id: '1', version: 12, name: 'new' },
    });
    // Neither an id that is a number, nor a version that is a text, nor a field of another name counts.
    for (const [text, session] of [
      ['{ session { id version name } }', { id: 1, version: 3, name: 'old' }],
      ['{ session { id version name } }', { id: '1', version: '3', name: 'old' }],
      ['{ session { id: other version name } }', { id: '1', version: 3, name: 'old' }],
    ] as const)
      expect(read(text, { session })).toEqual({ data: { session }, isComplete: true });
  });
});

describe('fragments in the documents of OrderGuard', () => {
  const newest = { session: { __typename: 'VkycSession', id: '1', version: 12, name: 'new' } };
  const older = { session: { __typename: 'VkycSession', id: '1', version: 3, name: 'old' } };

  test.each([
    ['a named fragment', '{ session { ...Row } } fragment Row on VkycSession { __typename id version name }'],
    ['an inline fragment', '{ session { __typename ... on VkycSession { id version name } } }'],
    [
      'an inline fragment without a type',
      '{ session { __typename ... @include(if: true) { id version name } } }',
    ],
    ['a fragment on an interface', '{ session { __typename ... on Node { id version name } } }'],
    [
      'a fragment in a fragment',
      '{ session { ...A } } fragment A on VkycSession { __typename ...B } fragment B on VkycSession { id version name }',
    ],
  ])('fields in %s are compared and replaced', (_name, text) => {
    const read = createReader();
    expect(read(text, newest).data).toEqual(newest);

    expect(read(text, older)).toEqual({ data: newest, isComplete: true });
  });

  test('of fields with one name in fragments on several types, that of the own type counts', () => {
    const read = createReader();
    const text = `{ node { __typename
      ... on Other { id version name(n: 1) }
      ... on VkycSession { id version name(n: 2) }
      ... on Another { id version name(n: 3) }
    } }`;
    read(text, { node: newest.session });

    const { data } = read('{ session { __typename id version name(n: 2) } }', older);
    const other = read('{ session { __typename id version name(n: 1) } }', older);

    expect(data).toEqual(newest);
    expect(other.isComplete).toBe(false);
  });

  test('fields in fragments on other types are not missing in the parts of an outdated session', () => {
    const read = createReader();
    const text = `{ session { id version part { __typename ... on A { a } ... on B { b } } } }`;
    const withPart = (version: number, part: object) => read(text, { session: { id: '1', version, part } });
    withPart(12, { __typename: 'A', a: 1 });

    expect(withPart(3, { __typename: 'B', b: 'old' })).toEqual({
      data: { session: { id: '1', version: 12, part: { __typename: 'A', a: 1 } } },
      isComplete: true,
    });
  });

  test('a field that is selected twice has the fields of both selections', () => {
    const read = createReader();
    const text = '{ session { id version part { a } } session { part { b } } }';
    read(text, { session: { id: '1', version: 12, part: { a: 1, b: 2 } } });

    expect(
      read(text, { session: { id: '1', version: 3, part: { a: 'old', b: 'old' } } }).data.session.part,
    ).toEqual({
      a: 1,
      b: 2,
    });
  });

  test('a fragment that the document lacks, and fields that were left out by a directive, are passed over', () => {
    const read = createReader();
    const text = '{ session { id version ...Missing name @include(if: false) } }';

    expect(read(text, { session: { id: '1', version: 3 } })).toEqual({
      data: { session: { id: '1', version: 3 } },
      isComplete: true,
    });
  });
});

test.each(['query', 'mutation', 'subscription'])(
  'findOperationKind finds a %s, also behind a fragment',
  (kind) => {
    expect(findOperationKind(parse(`fragment F on T { a } ${kind} Named { ...F }`))).toBe(kind);
    expect(findOperationKind(parse('fragment F on T { a }'))).toBeUndefined();
  },
);
