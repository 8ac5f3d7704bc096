/** Tests the parts of the client helper (resuming subscriptions) without a connection. */
import { describe, expect, test, vi } from 'vitest';
import { findSubscriptionVariableDefinitions, selectsHeartbeats } from '../../src/client/document.ts';
import {
  classifyErrors,
  findFrame,
  isRestartFrame,
  type SubscriptionResult,
} from '../../src/client/frames.ts';
import { StreamPositionTracker } from '../../src/client/position.ts';
import { backoffMs } from '../../src/client/resuming.ts';
import {
  NEXT_STATE,
  REPORTED_STATE_BY_STATE,
  type SubscriptionEvent,
  type SubscriptionState,
} from '../../src/client/states.ts';

describe('findVariables', () => {
  test.each([
    ['subscription ($after: String) { a }', '($after: String)'],
    ['subscription{a}', ''],
    ['subscription Feed { a }', ''],
    ['subscription Feed($after: String, $x: Int) @d { a }', '($after: String, $x: Int)'],
    [' \n subscription  Feed \n ( $after : String ) { a }', '( $after : String )'],
    ['fragment F on A { b { c } } subscription ($after: String) { a }', '($after: String)'],
    ['subscription ($after: String) { a { b { c } } } fragment F on A { b }', '($after: String)'],
    ['subscription ($after: String', '($after: String'],
    ['{ a }', undefined],
    ['query subscription { a }', undefined],
    ['mutation { subscription }', undefined],
    ['subscriptions { a }', undefined],
    ['query { subscription ($after: String) { a } }', undefined],
    ['# subscription ($x: Int)\nsubscription { a }', ''],
    ['"subscription ($x: Int) { a }" query { a }', undefined],
    ['query { a(b: "\\"} subscription ($x: Int) { c") }', undefined],
    ['query { a(b: """ " } subscription ($x: Int) { c """) }', undefined],
    ['query { a(b: "}") } subscription ($y: Int) { c }', '($y: Int)'],
    ['query { a(b: "} subscription ($x: Int) { c', undefined],
    ['query { a(b: "} subscription ($x: Int) { c\\', undefined],
    ['query { a(b: """} subscription ($x: Int) { c', undefined],
    ['query { a(b: "") } subscription ($y: Int) { c }', '($y: Int)'],
    ['query { a(b: """"quoted" """) } subscription ($y: Int) { c }', '($y: Int)'],
  ])('findVariables of the document %j returns %j', (query, variables) => {
    expect(findSubscriptionVariableDefinitions({ query })).toBe(variables);
  });

  test('findVariables returns the variables of the subscription with the given operation name', () => {
    const query = 'subscription A($a: Int) { a } query Q($q: Int) { a } subscription B($b: Int) { b }';
    const variablesOf = (operationName?: string | null) =>
      findSubscriptionVariableDefinitions({
        query,
        ...(operationName === undefined ? {} : { operationName }),
      });
    expect(['A', 'B', 'Q', 'C', undefined, null].map(variablesOf)).toEqual([
      '($a: Int)',
      '($b: Int)',
      undefined,
      undefined,
      '($a: Int)',
      '($a: Int)',
    ]);
  });

  test('selectsHeartbeats is true only if the document has a fragment on the type Heartbeat', () => {
    expect(selectsHeartbeats({ query: '{ ... on Heartbeat { cursor } }' })).toBe(true);
    expect(selectsHeartbeats({ query: '{ ... on Heartbeats { cursor } }' })).toBe(false);
    expect(selectsHeartbeats({ query: '{ ... on NoHeartbeat { cursor } }' })).toBe(false);
  });
});

describe('frames', () => {
  test('findFrame returns the value of the first root field that is an object or null; without such a field, undefined', () => {
    expect(findFrame({ data: { id: 1, feed: { cursor: 'a' } } })).toEqual({ cursor: 'a' });
    expect(findFrame({ data: { feed: null } })).toBeNull();
    expect([findFrame({ data: null }), findFrame({}), findFrame({ data: { four: 4 } })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a SessionSnapshot, a FeedReset and a frame with `resync` are recognised as restarts of the stream', () => {
    expect(
      ['SessionSnapshot', 'FeedReset', 'Heartbeat', 'StatusTransition'].map((__typename) =>
        isRestartFrame({ __typename }),
      ),
    ).toEqual([true, true, false, false]);
    expect([isRestartFrame({ resync: false }), isRestartFrame({ resync: true }), isRestartFrame({})]).toEqual(
      [true, true, false],
    );
  });

  const errors = (...codes: unknown[]) => codes.map((code) => ({ extensions: { code } }));
  const data = { feed: { cursor: 'a' } };
  test.each<[string, SubscriptionResult, 'NONE' | 'FAULT' | 'REFUSAL']>([
    ['no errors', { data }, 'NONE'],
    ['an empty list of errors', { data: null, errors: [] }, 'NONE'],
    ['a fault', { data, errors: errors('INTERNAL_SERVER_ERROR') }, 'FAULT'],
    ['a fault among others', { data, errors: errors('FORBIDDEN', 'TIMEOUT') }, 'FAULT'],
    ['a rate limit', { errors: errors('RATE_LIMITED') }, 'FAULT'],
    ['an unavailable service', { errors: errors('SERVICE_UNAVAILABLE') }, 'FAULT'],
    ['an error next to a frame', { data, errors: errors('FORBIDDEN') }, 'NONE'],
    ['errors without data', { errors: errors('A_ROUTERS_OWN') }, 'REFUSAL'],
    ['a refusal with null data', { data: null, errors: errors('X', 'CURSOR_EXPIRED') }, 'REFUSAL'],
    ['an unknown error with null data', { data: null, errors: errors('X') }, 'FAULT'],
    ['an error without a code', { data: null, errors: [{}] }, 'FAULT'],
    ['an error with an undefined code', { data: { feed: null }, errors: errors(undefined) }, 'FAULT'],
    ...[
      'BAD_REQUEST',
      'BAD_USER_INPUT',
      'CURSOR_EXPIRED',
      'FORBIDDEN',
      'GRAPHQL_PARSE_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
      'QUERY_TOO_COMPLEX',
      'TOO_MANY_SUBSCRIPTIONS',
      'UNAUTHENTICATED',
      'UNTRUSTED_DOCUMENT',
    ].map((code): [string, SubscriptionResult, 'REFUSAL'] => [
      code,
      { data: null, errors: errors(code) },
      'REFUSAL',
    ]),
  ])('a result with %s (%j) counts as %s', (_name, result, meaning) => {
    expect(classifyErrors(result)).toBe(meaning);
  });
});

describe('Position', () => {
  const take = (
    position: StreamPositionTracker,
    cursor: string,
    previousCursor?: string | null,
    more: object = {},
  ) => position.take({ cursor, ...(previousCursor === undefined ? {} : { previousCursor }), ...more });
  const beat = { __typename: 'Heartbeat' };

  test('a position (place of the client in a stream) moves to a frame whose previousCursor equals the cursor of the position', () => {
    const position = new StreamPositionTracker('0');
    expect([position.cursor, position.after]).toEqual(['0', '0']);
    expect([take(position, '1', '0'), take(position, '2', '1')]).toEqual(['NEXT', 'NEXT']);
    expect([position.cursor, position.after]).toEqual(['2', '2']);
  });

  test('a position without a cursor moves to the first frame whose previousCursor is null', () => {
    const position = new StreamPositionTracker(null);
    expect([position.cursor, position.after]).toEqual([null, undefined]);
    expect(take(position, '1', '0')).toBe('GAP');
    expect(take(position, '1', null)).toBe('NEXT');
    expect(position.cursor).toBe('1');
  });

  test('a position does not move at a frame that is repeated or follows a gap, and returns REPEATED or GAP', () => {
    const position = new StreamPositionTracker('0');
    take(position, '1', '0');
    take(position, '2', '1');
    expect(take(position, '1', '0')).toBe('REPEATED');
    expect(take(position, '0', 'x')).toBe('REPEATED');
    expect(take(position, '4', '3')).toBe('GAP');
    expect(position.cursor).toBe('2');
  });

  test('a position moves to any frame without previousCursor', () => {
    const position = new StreamPositionTracker('0');
    expect([take(position, '5'), take(position, '5'), take(position, '3')]).toEqual(['NEXT', 'NEXT', 'NEXT']);
  });

  test('a position accepts a frame that follows the newest frame, or the newest frame that is not a heartbeat', () => {
    const position = new StreamPositionTracker('0');
    take(position, '1', '0');
    expect(take(position, 'beat', '1', beat)).toBe('NEXT');
    expect(position.cursor).toBe('beat');
    // A stream that a router reopened after transition 1 lacks the heartbeat.
    expect(take(position, '2', '1')).toBe('NEXT');
    take(position, 'beat 2', '2', beat);
    expect(take(position, '3', 'beat 2')).toBe('NEXT');
    expect(take(position, '4', 'beat 2')).toBe('GAP');
  });

  test('the frame of a passed deadline is no entry of the log, so that a stream without it is accepted too', () => {
    const position = new StreamPositionTracker('0');
    take(position, '1', '0');
    take(position, 'later', '1', { __typename: 'DeadlinePassed' });
    expect(take(position, '2', '1')).toBe('NEXT');
  });

  test('a frame without __typename counts as a heartbeat if its previousCursor is its cursor', () => {
    const position = new StreamPositionTracker('0');
    take(position, '1', '0');
    take(position, '1', '1');
    take(position, 'later', '1', beat);
    expect(take(position, '2', '1')).toBe('NEXT');
  });

  test('a position whose first frame was a heartbeat moves on to a frame that follows that heartbeat (NEXT), also after a second heartbeat', () => {
    const position = new StreamPositionTracker(null);
    take(position, 'b', null, beat);
    take(position, 'c', 'b', beat);
    expect(take(position, '1', 'b')).toBe('NEXT');
  });

  test('a position forgets the frames before a FeedReset: a frame with the cursor of such a frame no longer counts as repeated', () => {
    const position = new StreamPositionTracker('0');
    take(position, '1', '0');
    take(position, '2', '1');
    take(position, 'reset', '2', { __typename: 'FeedReset' });
    expect(take(position, '1', 'x')).toBe('GAP');
    expect(take(position, '1', 'reset')).toBe('NEXT');
    expect(take(position, 'reset', '2')).toBe('REPEATED');
  });

  test('a position recognises repetitions of the last thousand frames, and of no earlier frames', () => {
    const position = new StreamPositionTracker(null);
    for (let number = 1; number <= 1_000; number += 1) take(position, String(number));
    expect(take(position, '1', 'x')).toBe('REPEATED');
    take(position, '1001');
    expect(take(position, '1', 'x')).toBe('GAP');
    expect(take(position, '2', 'x')).toBe('REPEATED');
  });

  test('keepApart adds a new mark to the `after` argument, so that routers share no stream, and leaves the cursor unchanged', () => {
    const position = new StreamPositionTracker('0');
    position.keepApart();
    const first = position.after;
    expect(first).toMatch(/^0~[a-z0-9]{5,}$/);
    expect(first).not.toContain('.');
    expect(position.cursor).toBe('0');
    position.keepApart();
    expect(position.after).not.toBe(first);
    const unmarked = new StreamPositionTracker(null);
    unmarked.keepApart();
    expect(unmarked.after).toMatch(/^~[a-z0-9]+$/);
  });
});

test('backoffMs returns a random wait, whose maximum grows from 1 s to 30 s with each retry (full jitter)', () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(1);
  expect([0, 1, 4, 5, 2_000].map(backoffMs)).toEqual([1_000, 2_000, 16_000, 30_000, 30_000]);
  random.mockReturnValue(0.25);
  expect(backoffMs(10)).toBe(7_500);
  random.mockRestore();
});

describe('table of states', () => {
  /** Returns the state after these events of a new subscription. */
  const follow = (...events: SubscriptionEvent[]) =>
    events.reduce<SubscriptionState>((state, event) => NEXT_STATE[state][event], 'OPENING');

  test('the state OVER is final; from every other state a subscription can end or subscribe again', () => {
    for (const [state, next] of Object.entries(NEXT_STATE)) {
      if (state === 'OVER') expect(new Set(Object.values(next))).toEqual(new Set(['OVER']));
      else expect([next.END, next.SUBSCRIBED]).toEqual(['OVER', 'OPENING']);
    }
  });

  test('after a gap or a fault only a new subscription can become live, however many frames still arrive', () => {
    for (const fault of ['GAP', 'FAULT'] as const) {
      expect(
        REPORTED_STATE_BY_STATE[follow('CONNECTED', 'NEWS', fault, 'NEWS', 'PAST', 'QUIET', 'CONNECTED')],
      ).not.toBe('live');
      expect(follow('CONNECTED', fault, 'SUBSCRIBED', 'CONNECTED', 'NEWS')).toBe('LIVE');
    }
  });
});
