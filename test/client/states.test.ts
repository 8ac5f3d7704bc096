import type * as sse from 'graphql-sse';
import type * as ws from 'graphql-ws';
import { describe, expect, test, vi } from 'vitest';
import { backoffMs, resuming } from '../../src/client/resuming.ts';
import { eventually } from '../harness/gateway.ts';
import { setUp, TRANSPORTS } from './scripted-client.ts';

const FEED = `subscription Feed($after: String) {
  feed(after: $after) { ... on StatusTransition { cursor sequence } ... on Heartbeat { cursor } }
}`;
const TRANSITIONS = `subscription ($after: String) { statusTransitions(after: $after) { cursor sequence } }`;

const transition = (sequence: number, extensions?: { replay: true }) => ({
  data: { feed: { cursor: `at ${sequence}`, sequence } },
  ...(extensions ? { extensions } : {}),
});
const heartbeat = (cursor: string) => ({ data: { feed: { cursor } } });

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('the state of a subscription is `catching up` during a replay, `live` after the replay, and `stale` after a lost connection', async () => {
    const { server, proxy, watch, asked, reported } = await setUp(transport);
    const { frames } = watch(FEED, { after: 'the start' });

    await asked(1);
    server.send(transition(1, { replay: true }));
    await eventually(async () => frames.length === 1);
    await reported('catching up');
    server.send(heartbeat('at 1, later'));
    await reported('catching up', 'live');
    proxy.cut();
    await reported('catching up', 'live', 'stale', 'catching up');
    await asked(2);
    server.send(transition(2));
    await reported('catching up', 'live', 'stale', 'catching up', 'live');

    expect(server.asked).toEqual([{ after: 'the start' }, { after: 'at 1, later' }]);
  });

  test('20 cuts of the connection, each directly after a frame, lose and repeat no frame', async () => {
    const { server, proxy, watch, asked } = await setUp(transport);
    const { frames, ends } = watch(FEED, { after: 'at 0' });

    for (let sequence = 1; sequence <= 20; sequence += 1) {
      await asked(sequence);
      server.send(transition(sequence));
      await eventually(async () => frames.length === sequence);
      proxy.cut();
    }
    await asked(21);

    expect(server.asked.map(({ after }) => after)).toEqual(
      Array.from({ length: 21 }, (_, index) => `at ${index}`),
    );
    expect(ends).toEqual([]);
  });

  test('the client drops a silent connection after silenceMs, and resumes the subscription over a new connection', async () => {
    const { server, proxy, watch, asked, reported } = await setUp(transport, { silenceMs: 500 });
    watch(FEED);
    await asked(1);
    server.send(heartbeat('at 7'));
    await reported('catching up', 'live');

    proxy.freeze();
    await asked(2);

    expect(server.asked[1]).toEqual({ after: 'at 7' });
    await reported('catching up', 'live', 'stale', 'catching up');
  });

  test('without heartbeats, the state of a subscription becomes live when no replayed frame has come for quietMs', async () => {
    const { server, proxy, watch, asked, reported } = await setUp(transport, { quietMs: 20 });
    watch(TRANSITIONS);

    await reported('catching up', 'live');
    await asked(1);
    server.send({
      data: { statusTransitions: { cursor: 'at 3', sequence: 3 } },
      extensions: { replay: true },
    });
    await reported('catching up', 'live', 'catching up', 'live');
    proxy.cut();
    await reported('catching up', 'live', 'catching up', 'live', 'stale', 'catching up', 'live');
  });

  test('a second subscription of the same client reports its own states, beginning with `catching up`', async () => {
    const { watch, reported } = await setUp(transport, { quietMs: 20 });
    watch(TRANSITIONS);
    await reported('catching up', 'live');

    watch(TRANSITIONS);

    await reported('catching up', 'live', 'catching up', 'live');
  });

  test('the client reconnects even after 12 refused attempts', async () => {
    const { server, proxy, watch, asked, states, reported } = await setUp(transport);
    const { ends } = watch(FEED);
    await asked(1);
    server.send(transition(1));
    await eventually(async () => states.at(-1) === 'live');

    proxy.refuse(12);
    proxy.cut();
    await asked(2);

    expect(proxy.connections).toBe(14);
    await reported('catching up', 'live', 'stale', 'catching up');
    expect(ends).toEqual([]);
  });

  test("each subscription resumes from its own cursor, and the caller's variables are not modified", async () => {
    const { server, proxy, watch, asked } = await setUp(transport);
    const variables = Object.freeze({ after: 'here' });
    const one = watch(FEED, variables);
    await asked(1);
    const other = watch(FEED, { after: 'there' });
    await asked(2);
    server.send(transition(1), 'here');
    server.send(transition(5), 'there');
    await eventually(async () => one.frames.length + other.frames.length === 2);

    proxy.cut();
    await asked(4);

    expect(
      server.asked
        .slice(2)
        .map(({ after }) => after)
        .sort(),
    ).toEqual(['at 1', 'at 5']);
    expect(variables).toEqual({ after: 'here' });
  });

  test('the client refuses a subscription without the variable $after before it sends anything, and passes a query through', async () => {
    const { server, client, watch } = await setUp(transport);
    const refused = [
      watch('subscription { feed { ... on Heartbeat { cursor } } }'),
      watch('# $after\nfragment F on Heartbeat { cursor }\nsubscription ($x: Int = 1) { feed { ...F } }'),
    ];
    await eventually(async () => refused.every(({ ends }) => ends.length > 0));

    for (const { ends } of refused)
      expect(ends).toEqual([
        expect.objectContaining({ message: expect.stringMatching(/declare the variable \$after/) }),
      ]);
    expect(server.asked).toEqual([]);
    const query = watch('query subscription { four }');
    await eventually(async () => query.ends.length > 0);
    expect([query.frames, query.ends]).toEqual([[4], ['complete']]);
    expect(() => client.iterate({ query: FEED })).toThrow('use subscribe()');
  });

  test('a subscription that selects no cursor fails at its first frame', async () => {
    const { server, watch, asked } = await setUp(transport);
    const { frames, ends } = watch('subscription ($after: String) { feed(after: $after) { __typename } }');
    await asked(1);

    server.send({ data: { feed: { __typename: 'Heartbeat' } } });
    await eventually(async () => ends.length > 0);

    expect(ends).toEqual([expect.objectContaining({ message: expect.stringMatching(/select `cursor`/) })]);
    expect(frames).toEqual([]);
  });

  test('a client that is disposed of while it reconnects opens no more connections', async () => {
    const { server, proxy, client, watch, asked, states } = await setUp(transport);
    const { ends } = watch(FEED);
    await asked(1);
    server.send(transition(1));
    await eventually(async () => states.at(-1) === 'live');
    proxy.refuse(10_000);
    proxy.cut();
    await eventually(async () => proxy.connections > 5);

    await Promise.resolve(client.dispose()).catch(() => {});
    await eventually(async () => ends.length > 0);
    const connections = proxy.connections;
    // Gives the client time: if it still retried, it would open hundreds of connections during these requests.
    for (let round = 0; round < 20; round += 1) await fetch(server.url);

    expect(proxy.connections - connections).toBeLessThanOrEqual(1);
  });

  test('a subscription that the caller ends stays ended; a subscription whose stream the server completes resumes', async () => {
    const { server, states, watch, asked } = await setUp(transport);
    const [left, completed] = [watch(FEED, { after: 'a' }), watch(FEED, { after: 'b' })];
    await asked(2);

    left.stop();
    server.complete();
    await asked(3);
    server.send(transition(1), 'b');
    await eventually(async () => completed.frames.length > 0);

    expect([left.ends, completed.ends]).toEqual([['complete'], []]);
    expect(server.asked.map(({ after }) => after)).toEqual(['a', 'b', 'b']);
    expect(states).toContain('stale');
  });
});

test('an SSE subscription whose stream fell silent resumes, even if the stock client reports the end during the wait before the retry', async () => {
  let comeBack = () => {};
  const waiting = new Promise<void>((resolve) => {
    comeBack = resolve;
  });
  const { server, proxy, watch, asked, states } = await setUp('graphql-sse', {
    silenceMs: 200,
    retry: () => waiting,
  });
  const { frames, ends } = watch(FEED);
  await asked(1);
  server.send(transition(1));
  await eventually(async () => states.at(-1) === 'live');

  proxy.freeze();
  await eventually(async () => states.at(-1) === 'stale');
  // Gives the stock client time to report the dropped stream as complete, which the stock client does a moment later.
  for (let round = 0; round < 10; round += 1) await fetch(server.url);
  comeBack();
  await asked(2);
  server.send(transition(2));
  await eventually(async () => frames.length === 2);

  expect(ends).toEqual([]);
});

test('without heartbeats, the client detects a dead WebSocket by unanswered pings', async () => {
  const { server, proxy, watch, asked, reported } = await setUp('graphql-ws', {
    silenceMs: 300,
    quietMs: 10,
    keepAlive: 100,
  });
  watch(TRANSITIONS, { after: 'at 1' });
  await reported('catching up', 'live');

  proxy.freeze();
  await asked(2);

  expect(server.asked[1]).toEqual({ after: 'at 1' });
});

test('answered pings keep a WebSocket without frames in the state live for longer than silenceMs', async () => {
  const { proxy, watch, client, reported, states } = await setUp('graphql-ws', {
    silenceMs: 300,
    quietMs: 1,
    keepAlive: 20,
  });
  let pongs = 0;
  (client as unknown as ws.Client).on('pong', () => {
    pongs += 1;
  });
  watch(TRANSITIONS);
  await reported('catching up', 'live');

  // Waits for twice as many pongs as fit into silenceMs.
  await eventually(async () => pongs >= 32);

  expect(states).toEqual(['catching up', 'live']);
  expect(proxy.connections).toBe(1);
});

test('backoffMs returns a random wait, whose maximum grows from 1 s to 30 s with each retry (full jitter)', () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(1);
  expect([0, 1, 4, 5, 2_000].map(backoffMs)).toEqual([1_000, 2_000, 16_000, 30_000, 30_000]);
  random.mockReturnValue(0.25);
  expect(backoffMs(10)).toBe(7_500);
  random.mockRestore();
});

describe('timers of an ended subscription', () => {
  /**
   * Creates a resuming client around a fake stock client, and subscribes once. Returns the sink that the fake got: a
   * test acts as the server by calling it.
   */
  function bare() {
    const sinks: sse.Sink<any>[] = [];
    const client = resuming(
      (_options: object) => ({
        subscribe: (_payload: object, sink: sse.Sink<any>) => {
          sinks.push(sink);
          return () => {};
        },
        terminate: () => {},
      }),
      {},
    );
    const ends: string[] = [];
    const stop = client.subscribe(
      { query: FEED },
      { next: () => {}, error: () => ends.push('error'), complete: () => ends.push('complete') },
    );
    const [sink] = sinks as [sse.Sink<any>];
    sink.next(heartbeat('at 1'));
    return { sink, stop, ends };
  }

  test.each([
    [
      'refused by a result',
      'complete',
      ({ sink }: ReturnType<typeof bare>) =>
        sink.next({ errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] } as never),
    ],
    [
      'refused by an error',
      'error',
      ({ sink }: ReturnType<typeof bare>) => sink.error([{ message: 'CURSOR_EXPIRED' }]),
    ],
    ['ended by the caller', 'complete', ({ stop }: ReturnType<typeof bare>) => stop()],
  ] as const)('no timer keeps running after a subscription was %s', (_title, ended, act) => {
    vi.useFakeTimers();
    try {
      const subscription = bare();
      expect(vi.getTimerCount()).toBe(1);

      act(subscription);

      expect(vi.getTimerCount()).toBe(0);
      expect(subscription.ends).toEqual([ended]);
    } finally {
      vi.useRealTimers();
    }
  });
});
