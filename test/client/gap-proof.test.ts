import { describe, expect, test } from 'vitest';
import { eventually } from '../harness/gateway.ts';
import { setUp, TRANSPORTS } from './scripted-client.ts';

const FEED = `subscription Feed($after: String) {
  feed(after: $after) {
    __typename
    ... on StatusTransition { cursor previousCursor sequence }
    ... on Heartbeat { cursor previousCursor }
    ... on FeedReset { cursor previousCursor }
  }
}`;
const TRANSITIONS = `subscription ($after: String) {
  statusTransitions(after: $after) { cursor previousCursor sequence }
}`;

const cursorAt = (sequence: number | null) => (sequence === null ? null : `at ${sequence}`);

/**
 * Returns a frame of the feed. If `at` is 3, the cursor is `at 3`; previousCursor is made from `after` in the same way.
 */
const frame = (__typename: string, at: number, after: number | null, fields = {}) => ({
  data: {
    feed: { __typename, cursor: cursorAt(at), previousCursor: cursorAt(after), ...fields },
  },
});
const transition = (sequence: number, after: number | null = sequence - 1) =>
  frame('StatusTransition', sequence, after, { sequence });
const heartbeat = (at: number, after: number | null = at) => frame('Heartbeat', at, after);

const shown = (frames: unknown[]) =>
  (frames as { __typename: string; sequence?: number }[]).map(
    ({ __typename, sequence }) => sequence ?? __typename,
  );
const MARKED = (cursor: string) => expect.stringMatching(new RegExp(`^${cursor}~.+`));

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('the client withholds a frame that follows a lost frame, resumes with a marked cursor (a suffix keeps routers from sharing the stream), and gets both frames', async () => {
    const { server, watch, asked, reported } = await setUp(transport);
    const { frames, ends } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(heartbeat(0));
    server.send(transition(1));
    await reported('catching up', 'live');

    server.send(transition(3));
    await asked(2);
    server.send(transition(2));
    server.send(transition(3));
    server.send(heartbeat(3));
    await reported('catching up', 'live', 'catching up', 'live');

    expect(server.asked).toEqual([{ after: 'at 0' }, { after: MARKED('at 1') }]);
    expect(shown(frames)).toEqual(['Heartbeat', 1, 2, 3, 'Heartbeat']);
    expect(ends).toEqual([]);
  });

  test('a heartbeat after a lost frame reveals the gap: the client resumes instead of staying live', async () => {
    const { server, watch, asked, states } = await setUp(transport);
    watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(heartbeat(0));
    await eventually(async () => states.at(-1) === 'live');

    server.send(heartbeat(1));
    await asked(2);

    expect(states).toEqual(['catching up', 'live', 'catching up']);
    expect(server.asked[1]).toEqual({ after: MARKED('at 0') });
  });

  test('the client does not show repeated frames, whether one frame is duplicated or a router replays the whole stream', async () => {
    const { server, watch, asked, reported } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    for (const sequence of [1, 2, 3]) server.send(transition(sequence));
    server.send(heartbeat(3));
    await reported('catching up', 'live');

    server.send(transition(3));
    for (const sequence of [1, 2, 3, 4]) server.send(transition(sequence));
    await reported('catching up', 'live', 'catching up', 'live');

    expect(shown(frames)).toEqual([1, 2, 3, 'Heartbeat', 4]);
    expect(server.asked).toHaveLength(1);
  });

  test('if a router replays a stream without its heartbeats, the client continues without a new request', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(transition(1));
    // No transition between 1 and 5 passes the filter, so the heartbeat at 5 follows transition 1.
    server.send(heartbeat(5, 1));

    server.send(transition(1));
    server.send(transition(6, 1));
    await eventually(async () => frames.length === 3);

    expect(shown(frames)).toEqual([1, 'Heartbeat', 6]);
    expect(server.asked).toHaveLength(1);
  });

  test('if a GraphQL router sends a client the stream of another client, the client subscribes again from its own cursor', async () => {
    const { server, watch, asked, states } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 3' });
    await asked(1);

    server.send(transition(8));
    await asked(2);

    expect(server.asked[1]).toEqual({ after: MARKED('at 3') });
    expect(frames).toEqual([]);
    expect(states).toEqual(['catching up']);
  });

  test('if a router joins a client without a cursor to the middle of a running stream, the client subscribes again', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch(FEED);
    await asked(1);

    server.send(transition(8));
    await asked(2);
    server.send(heartbeat(8, null));
    server.send(transition(9));
    await eventually(async () => frames.length === 2);

    expect(server.asked).toEqual([{}, { after: MARKED('') }]);
    expect(shown(frames)).toEqual(['Heartbeat', 9]);
  });

  test('if a router reopens a stream without a cursor, the client notices the gap and resumes from its own cursor', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch(FEED);
    await asked(1);
    server.send(heartbeat(3, null));
    await eventually(async () => frames.length === 1);

    server.send(heartbeat(7, null));
    await asked(2);

    expect(server.asked[1]).toEqual({ after: MARKED('at 3') });
    expect(frames).toHaveLength(1);
  });

  test('the client keeps the mark on its cursor (suffix against shared streams) after a lost connection, and changes the mark at the next gap', async () => {
    const { server, proxy, watch, asked } = await setUp(transport);
    watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(transition(2));
    await asked(2);
    server.send(transition(1));
    server.send(transition(2));
    await eventually(async () => server.asked.length === 2);
    proxy.cut();
    await asked(3);
    server.send(transition(9));
    await asked(4);

    const marks = server.asked.slice(1).map(({ after }) => String(after).split('~')[1]);
    expect(marks[1]).toBe(marks[0]);
    expect(marks[2]).not.toBe(marks[0]);
  });

  test('after a FeedReset the client continues, and shows a transition whose sequence was already used before the reset', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(transition(1));
    server.send(transition(2));
    server.send(frame('FeedReset', 1, 2, { reason: 'the log was rewound' }));
    server.send(transition(2));
    await eventually(async () => frames.length === 4);

    expect(shown(frames)).toEqual([1, 2, 'FeedReset', 2]);
    expect(frames[2]).toMatchObject({ reason: 'the log was rewound' });
    expect(server.asked).toHaveLength(1);
  });

  test('without previousCursor in the selection, the client shows all frames as they arrive, even repeated ones', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch('subscription ($after: String) { statusTransitions(after: $after) { cursor } }');
    await asked(1);
    for (const cursor of ['at 5', 'at 7', 'at 5']) server.send({ data: { statusTransitions: { cursor } } });
    await eventually(async () => frames.length === 3);

    expect(frames).toEqual([{ cursor: 'at 5' }, { cursor: 'at 7' }, { cursor: 'at 5' }]);
    expect(server.asked).toHaveLength(1);
  });

  test('if frames have no `extensions`, the state of a resumed stream is `catching up` until its first heartbeat', async () => {
    const { server, proxy, watch, asked, states, reported } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(heartbeat(0));
    await reported('catching up', 'live');
    proxy.cut();
    await asked(2);

    server.send(transition(1));
    server.send(transition(2));
    await eventually(async () => frames.length === 3);
    expect(states).toEqual(['catching up', 'live', 'stale', 'catching up']);
    server.send(heartbeat(2));
    await reported('catching up', 'live', 'stale', 'catching up', 'live');
  });

  test('the state of a stream that sends transitions but no heartbeats becomes `live` after quietMs', async () => {
    const { server, watch, asked, states } = await setUp(transport, { quietMs: 50 });
    watch(FEED, { after: 'at 0' });
    await asked(1);

    let sequence = 0;
    await eventually(async () => {
      sequence += 1;
      server.send(transition(sequence));
      return states.at(-1) === 'live';
    });

    expect(states).toEqual(['catching up', 'live']);
  });

  test('while a proxy holds frames back, the state of the client is `stale`; after the release of the frames, the client shows each of them once', async () => {
    const { server, proxy, watch, asked, states } = await setUp(transport, { silenceMs: 300 });
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(heartbeat(0));
    await eventually(async () => states.at(-1) === 'live');

    proxy.hold();
    server.send(transition(1));
    server.send(transition(2));
    await eventually(async () => states.at(-1) === 'stale');
    proxy.release();
    await asked(2);
    for (const sequence of [1, 2]) server.send(transition(sequence), 'at 0');
    server.send(heartbeat(2));
    await eventually(async () => states.at(-1) === 'live');

    expect(shown(frames)).toEqual(['Heartbeat', 1, 2, 'Heartbeat']);
    expect(states).toEqual(['catching up', 'live', 'stale', 'catching up', 'live']);
  });

  const errors = (code?: string) => [{ message: 'as told', extensions: code ? { code } : {} }] as never;

  test.each([
    ['INTERNAL_SERVER_ERROR and no data', { data: null, errors: errors('INTERNAL_SERVER_ERROR') }],
    ['SERVICE_UNAVAILABLE and no data', { data: null, errors: errors('SERVICE_UNAVAILABLE') }],
    ['an unknown fault and no data', { data: null, errors: errors() }],
    ['an error next to data', { ...transition(1), errors: errors('INTERNAL_SERVER_ERROR') }],
  ])('the client withholds a frame with %s, and requests the frame again', async (_title, broken) => {
    const { server, watch, asked, states } = await setUp(transport);
    const { frames, ends } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send(heartbeat(0));
    await eventually(async () => states.at(-1) === 'live');

    server.send(broken);
    // The server continues as if the client had accepted the broken frame.
    server.send(transition(2));
    await asked(2);
    expect(states.slice(0, 3)).toEqual(['catching up', 'live', 'stale']);
    server.send(transition(1));
    server.send(transition(2));
    await eventually(async () => frames.length === 3);

    expect(server.asked[1]).toEqual({ after: 'at 0' });
    expect(shown(frames)).toEqual(['Heartbeat', 1, 2]);
    expect(ends).toEqual([]);
  });

  test('if the server fails to begin a subscription, the client retries it with a growing retry count', async () => {
    const waits: unknown[] = [];
    const { server, watch, asked } = await setUp(transport, {
      retry: async (...retries: unknown[]) => void waits.push(...retries),
    });
    server.refuse(
      { errors: errors('INTERNAL_SERVER_ERROR') },
      { errors: errors('SERVICE_UNAVAILABLE') },
      { errors: errors('RATE_LIMITED') },
    );
    const { frames, ends } = watch(FEED, { after: 'at 0' });
    await asked(4);
    server.send(transition(1));
    await eventually(async () => frames.length === 1);

    expect(waits).toEqual([0, 1, 2]);
    expect(server.asked).toEqual(Array(4).fill({ after: 'at 0' }));
    expect([shown(frames), ends]).toEqual([[1], []]);
  });

  test.each(['CURSOR_EXPIRED', 'BAD_USER_INPUT', 'FORBIDDEN', 'A_CODE_OF_A_ROUTER'])(
    'a refusal by the server with code %s is passed to the caller and ends the subscription',
    async (code) => {
      const { server, watch } = await setUp(transport);
      server.refuse({ errors: errors(code) });
      const { frames, ends } = watch(TRANSITIONS, { after: 'at 0' });
      await eventually(async () => ends.length > 0);

      expect(frames).toEqual([[{ message: 'as told', extensions: { code } }]]);
      expect(ends).toEqual(['complete']);
      expect(server.asked).toHaveLength(1);
    },
  );

  test('the client passes on the FORBIDDEN errors of a frame together with the frame, and the stream continues', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'at 0' });
    await asked(1);
    server.send({ ...transition(1), errors: errors('FORBIDDEN') });
    server.send(transition(2));
    await eventually(async () => frames.length === 2);

    expect(frames[0]).toEqual([{ message: 'as told', extensions: { code: 'FORBIDDEN' } }]);
    expect(shown(frames.slice(1))).toEqual([2]);
    expect(server.asked).toHaveLength(1);
  });
});
