/** Tests one resuming subscription over an in-memory connection, with fake timers. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Payload, Sink, SubscriptionResult } from '../../src/client/frames.ts';
import {
  type FeedState,
  type FeedStatus,
  type ResumingOptions,
  resuming,
  SignInEndedError,
} from '../../src/client/resuming.ts';

const WITH_HEARTBEATS =
  'subscription ($after: String) { feed(after: $after) { ... on Heartbeat { cursor previousCursor } } }';
const PLAIN = 'subscription ($after: String) { statusTransitions(after: $after) { cursor } }';

interface Stream {
  readonly payload: Payload;
  readonly sink: Sink;
  readonly connected: (again: boolean) => void;
  stopped: number;
}

/** Creates a client over an in-memory WebSocket (`socket: true`) or SSE stream, and subscribes once. */
function start({
  socket = true,
  query = WITH_HEARTBEATS,
  after = '0',
  clientOptions = {},
  ...options
}: ResumingOptions & {
  socket?: boolean;
  query?: string;
  after?: string | null;
  clientOptions?: object;
} = {}) {
  const streams: Stream[] = [];
  const made: Record<string, any>[] = [];
  const heard = new Map<string, Set<(closed?: object) => void>>();
  const waits: number[] = [];
  const resume: (() => void)[] = [];
  const wait = (retries: number) => {
    waits.push(retries);
    return new Promise<void>((resolve) => resume.push(resolve));
  };
  const log = { terminated: 0, disposed: 0, connectedCalls: [] as boolean[] };
  const subscribe = (payload: Payload, sink: Sink, listeners?: { connected?: (again: boolean) => void }) => {
    const stream: Stream = {
      payload: structuredClone(payload),
      sink,
      connected: (again) => listeners?.connected?.(again),
      stopped: 0,
    };
    streams.push(stream);
    return () => {
      stream.stopped += 1;
    };
  };
  const client = resuming(
    (given: object) => {
      made.push(given as Record<string, any>);
      return {
        subscribe,
        dispose: () => {
          log.disposed += 1;
        },
        ...(socket
          ? {
              on: (event: string, listener: () => void) => {
                const listeners = heard.get(event) ?? new Set();
                heard.set(event, listeners.add(listener));
                return () => void listeners.delete(listener);
              },
              terminate: () => {
                log.terminated += 1;
              },
            }
          : {}),
      };
    },
    { retryWait: wait, retry: wait, ...clientOptions } as object,
    { silenceMs: 1_000, quietMs: 100, onState: (state) => states.push(state), ...options },
  ) as unknown as {
    subscribe(payload: Payload, sink: Sink, listeners?: object): () => void;
    iterate(): never;
    dispose(): void;
  };
  const states: FeedState[] = [];
  const results: SubscriptionResult[] = [];
  const ends: unknown[] = [];
  const stop = client.subscribe(
    { query, ...(after === null ? {} : { variables: { after } }) },
    {
      next: (result) => results.push(result),
      error: (why) => ends.push(why),
      complete: () => ends.push('complete'),
    },
    { connected: (again: boolean) => log.connectedCalls.push(again) },
  );
  return {
    client,
    streams,
    states,
    results,
    ends,
    waits,
    made,
    log,
    stop,
    get last() {
      return streams.at(-1) as Stream;
    },
    get afters() {
      return streams.map(({ payload }) => (payload.variables as { after?: unknown } | undefined)?.after);
    },
    /** Emits an event of the socket to its listeners. */
    hear(event: string, closed?: object) {
      for (const listener of heard.get(event) ?? []) listener(closed);
    },
    /** Number of listeners of the socket for an event. */
    countListeners: (event: string) => heard.get(event)?.size ?? 0,
    connect(again = false) {
      (streams.at(-1) as Stream).connected(again);
    },
    send(cursor: string, previousCursor?: string, more: object = {}, extensions?: object) {
      const feed = { cursor, ...(previousCursor === undefined ? {} : { previousCursor }), ...more };
      (streams.at(-1) as Stream).sink.next({ data: { feed }, ...(extensions ? { extensions } : {}) });
    },
    /** Ends the wait before the oldest pending retry. */
    async retry() {
      resume.shift()?.();
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}
/** Replaces the network events of a browser. Returns functions that lose the network, and that bring it back. */
function stubBrowser({ onLine = true } = {}) {
  const heard = new Map<string, Set<() => void>>();
  vi.stubGlobal('navigator', { onLine });
  vi.stubGlobal('addEventListener', (event: string, listener: () => void) => {
    heard.set(event, (heard.get(event) ?? new Set()).add(listener));
  });
  vi.stubGlobal('removeEventListener', (event: string, listener: () => void) =>
    heard.get(event)?.delete(listener),
  );
  const emit = (event: string) => () => {
    for (const listener of heard.get(event) ?? []) listener();
  };
  return {
    goOffline: emit('offline'),
    goOnline: emit('online'),
    countListeners: () => [...heard.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

const BEAT = { __typename: 'Heartbeat' };
const fault = { data: null, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] };
const refusal = { data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('options of the stock client', () => {
  test("the client's default options make it retry forever; the caller's own options override the defaults", () => {
    const { made } = start({ clientOptions: { retryAttempts: 3, keepAlive: 5, url: 'x' } });
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({
      retryAttempts: 3,
      keepAlive: 5,
      url: 'x',
      connectionAckWaitTimeout: 1_000,
    });
    const [defaults] = start().made as [Record<string, any>];
    expect(defaults).toMatchObject({ retryAttempts: Number.POSITIVE_INFINITY, keepAlive: 10_000 });
    expect(defaults.shouldRetry()).toBe(true);
  });

  test('over SSE, subscriptions use a stock client with retryAttempts 0, because the helper itself retries subscriptions', () => {
    expect(start({ socket: false }).made.map(({ retryAttempts }) => retryAttempts)).toEqual([
      Number.POSITIVE_INFINITY,
      0,
    ]);
  });

  test('by default, a client waits before a retry for a random time up to the backoff', async () => {
    const options: Record<string, any>[] = [];
    resuming((given: object) => {
      options.push(given as Record<string, any>);
      return { subscribe: () => () => {}, terminate: () => {}, dispose: () => {} };
    }, {});
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    for (const name of ['retryWait', 'retry']) {
      let isOver = false;
      void options[0]?.[name](1).then(() => {
        isOver = true;
      });
      await vi.advanceTimersByTimeAsync(999);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(isOver).toBe(true);
    }
    vi.restoreAllMocks();
  });

  test('by default, the client drops a silent connection after 25 s (silenceMs), and a quiet subscription becomes live after 2 s (quietMs)', () => {
    const states: FeedState[] = [];
    let sink: Sink | undefined;
    let terminated = 0;
    const client = resuming(
      (_options: object) => ({
        subscribe: (_payload: unknown, given: Sink, { connected }: { connected(again: boolean): void }) => {
          sink = given;
          connected(false);
          return () => {};
        },
        on: () => () => {},
        terminate: () => {
          terminated += 1;
        },
      }),
      {},
      { onState: (state) => states.push(state) },
    ) as unknown as { subscribe(payload: Payload, sink: Sink): () => void };
    const ignore = { next: () => {}, error: () => {}, complete: () => {} };
    client.subscribe({ query: PLAIN }, ignore);
    vi.advanceTimersByTime(1_999);
    expect(states).toEqual(['catching up']);
    vi.advanceTimersByTime(1);
    expect(states).toEqual(['catching up', 'live']);
    client.subscribe({ query: WITH_HEARTBEATS }, ignore);
    sink?.next({ data: { feed: { cursor: '1' } } });
    vi.advanceTimersByTime(24_999);
    expect(terminated).toBe(0);
    vi.advanceTimersByTime(1);
    expect(terminated).toBe(1);
  });
});

describe('subscribing', () => {
  test('an operation that is no subscription is passed to the stock client unchanged, and iterate() throws for a subscription', () => {
    const { client, streams } = start();
    const sink = { next: () => {}, error: () => {}, complete: () => {} };
    client.subscribe({ query: '{ four }' }, sink);
    expect(streams[1]?.sink).toBe(sink);
    expect(() => client.iterate()).toThrow('use subscribe()');
  });

  test('a subscription without the variable $after fails, but only after subscribe() has returned', async () => {
    for (const query of [
      'subscription { feed { cursor } }',
      'subscription ($afters: String) { feed { cursor } }',
    ]) {
      const { ends, streams } = start({ query });
      expect(ends).toEqual([]);
      await vi.advanceTimersByTimeAsync(0);
      expect(ends).toEqual([expect.objectContaining({ message: expect.stringContaining('$after') })]);
      expect(streams).toEqual([]);
    }
  });

  test('the first request of a subscription has the cursor that the caller gave, or no cursor', () => {
    expect(start().afters).toEqual(['0']);
    expect(start({ after: null }).afters).toEqual([undefined]);
  });

  test('the `connected` listener of the caller is called for each connection', () => {
    const one = start();
    one.connect(false);
    one.connect(true);
    expect(one.log.connectedCalls).toEqual([false, true]);
  });

  test('a subscription that begins while the socket is open counts as connected immediately', () => {
    const one = start();
    one.hear('connected');
    expect(one.states).toEqual(['catching up']);
    one.hear('closed');
    expect(one.states).toEqual(['catching up', 'stale']);
    one.client.subscribe({ query: WITH_HEARTBEATS }, { next: () => {}, error: () => {}, complete: () => {} });
    expect(one.states).toEqual(['catching up', 'stale']);
    one.hear('connected');
    expect(one.states).toEqual(['catching up', 'stale', 'catching up', 'catching up']);
    one.client.subscribe({ query: WITH_HEARTBEATS }, { next: () => {}, error: () => {}, complete: () => {} });
    expect(one.states).toHaveLength(5);
  });
});

describe('state of a subscription', () => {
  test('the state is `catching up` after connecting and during a replay, and `live` after other frames', () => {
    const one = start();
    expect(one.states).toEqual([]);
    one.connect();
    expect(one.states).toEqual(['catching up']);
    one.send('1', '0', {}, { replay: true });
    one.send('2', '1');
    expect(one.states).toEqual(['catching up', 'live']);
    one.send('3', '2', {}, { replay: true });
    one.send('4', '3', BEAT);
    one.send('5', '4', BEAT);
    expect(one.states).toEqual(['catching up', 'live', 'catching up', 'live']);
    expect(one.results).toHaveLength(5);
  });

  test('if frames have __typename, the state is `catching up` until the first heartbeat of the connection', () => {
    const one = start();
    one.connect();
    const typed = { __typename: 'StatusTransition' };
    one.send('1', '0', typed);
    expect(one.states).toEqual(['catching up']);
    one.send('2', '1', BEAT);
    one.send('3', '2', typed);
    expect(one.states).toEqual(['catching up', 'live']);
    one.connect(true);
    one.send('4', '3', typed);
    expect(one.states).toEqual(['catching up', 'live', 'catching up']);
  });

  test('if frames have __typename, the state becomes `live` quietMs after a replay, even if other frames keep coming', () => {
    const one = start();
    one.connect();
    const typed = { __typename: 'StatusTransition' };
    one.send('1', '0', typed);
    vi.advanceTimersByTime(60);
    one.send('2', '1', typed, { replay: true });
    vi.advanceTimersByTime(60);
    expect(one.states).toEqual(['catching up']);
    one.send('3', '2', typed);
    vi.advanceTimersByTime(60);
    one.send('4', '3', typed);
    vi.advanceTimersByTime(39);
    expect(one.states).toEqual(['catching up']);
    vi.advanceTimersByTime(1);
    expect(one.states).toEqual(['catching up', 'live']);
    one.send('5', '4', typed);
    expect(one.states).toEqual(['catching up', 'live']);
  });

  test('a lost connection stops the timer that would make the state live', () => {
    const one = start();
    one.connect();
    one.send('1', '0', { __typename: 'StatusTransition' });
    expect(vi.getTimerCount()).toBe(2);
    one.hear('closed');
    expect(vi.getTimerCount()).toBe(0);
    one.connect(true);
    vi.advanceTimersByTime(500);
    expect(one.states).toEqual(['catching up', 'stale', 'catching up']);
  });

  test('in a subscription without heartbeats, the state becomes `live` when no replayed frame has come for quietMs', () => {
    const one = start({ query: PLAIN });
    one.connect();
    vi.advanceTimersByTime(60);
    one.send('1', undefined, { __typename: 'StatusTransition' }, { replay: true });
    vi.advanceTimersByTime(99);
    expect(one.states).toEqual(['catching up']);
    vi.advanceTimersByTime(1);
    expect(one.states).toEqual(['catching up', 'live']);
    one.send('2', undefined, { __typename: 'StatusTransition' });
    expect(one.states).toEqual(['catching up', 'live']);
  });

  test('each change of state is reported once, with the payload of the caller', () => {
    const calls: unknown[] = [];
    const one = start({ onState: (state, payload) => calls.push([state, payload]) });
    one.connect();
    one.send('1', '0');
    one.send('2', '1');
    const payload = { query: WITH_HEARTBEATS, variables: { after: '0' } };
    expect(calls).toEqual([
      ['catching up', payload],
      ['live', payload],
    ]);
  });
});

describe('silent connection', () => {
  test('the client closes the socket after silenceMs without a frame, even if frames came before', () => {
    const one = start();
    vi.advanceTimersByTime(5_000);
    expect(one.log.terminated).toBe(0);
    one.connect();
    vi.advanceTimersByTime(999);
    one.send('1', '0');
    vi.advanceTimersByTime(999);
    expect(one.log.terminated).toBe(0);
    vi.advanceTimersByTime(1);
    expect(one.log.terminated).toBe(1);
    one.hear('closed');
    vi.advanceTimersByTime(5_000);
    expect(one.log.terminated).toBe(1);
  });

  test('in a subscription without heartbeats, a pong counts as a frame, and keepAlive is added to silenceMs', () => {
    const one = start({ query: PLAIN, clientOptions: { keepAlive: 500 } });
    one.connect();
    one.hear('pong');
    expect(one.states).toEqual(['catching up']);
    vi.advanceTimersByTime(100);
    expect(one.states).toEqual(['catching up', 'live']);
    vi.advanceTimersByTime(1_499);
    one.hear('pong');
    vi.advanceTimersByTime(1_499);
    expect(one.log.terminated).toBe(0);
    vi.advanceTimersByTime(1);
    expect(one.log.terminated).toBe(1);
  });

  test('in a subscription with heartbeats, a pong does not count as a frame: the client closes the socket after silenceMs', () => {
    const one = start();
    one.connect();
    one.send('1', '0');
    vi.advanceTimersByTime(900);
    one.hear('pong');
    vi.advanceTimersByTime(100);
    expect(one.log.terminated).toBe(1);
  });

  test('if there are neither heartbeats nor pings, the client never drops a silent connection', () => {
    for (const options of [{ clientOptions: { keepAlive: 0 } }, { socket: false }]) {
      const one = start({ query: PLAIN, ...options });
      one.connect();
      vi.advanceTimersByTime(100_000);
      expect([one.states, one.log.terminated, one.waits]).toEqual([['catching up', 'live'], 0, []]);
    }
  });

  test('over SSE, the client requests a silent stream again after silenceMs, even if the server never answered the request', async () => {
    const one = start({ socket: false });
    vi.advanceTimersByTime(1_000);
    expect([one.waits, one.streams[0]?.stopped]).toEqual([[0], 1]);
    await one.retry();
    expect(one.streams).toHaveLength(2);
    one.connect();
    one.send('1', '0');
    vi.advanceTimersByTime(999);
    expect(one.states).toEqual(['stale', 'catching up', 'live']);
    vi.advanceTimersByTime(1);
    expect(one.states).toEqual(['stale', 'catching up', 'live', 'stale']);
    await one.retry();
    expect(one.afters).toEqual(['0', '0', '1']);
  });
});

describe('faults of a stream', () => {
  test('the client withholds a frame with a server error, and requests the frame again', async () => {
    const one = start();
    one.connect();
    one.send('1', '0');
    const [before] = one.streams;
    one.last.sink.next(fault);
    expect([one.states.at(-1), one.waits, one.results.length]).toEqual(['stale', [0], 1]);
    // The client must ignore later frames of the old stream.
    one.send('2', '1');
    one.last.sink.complete();
    one.last.connected(true);
    expect([one.results.length, one.waits]).toEqual([1, [0]]);
    expect(before?.stopped).toBe(0);
    await one.retry();
    expect([one.afters, before?.stopped, one.streams[1]?.stopped]).toEqual([['0', '1'], 1, 0]);
  });

  test('the retry count grows with each failure, and begins at 0 again after a frame', async () => {
    const one = start();
    one.last.sink.next(fault);
    await one.retry();
    one.last.sink.error([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
    await one.retry();
    one.last.sink.complete();
    await one.retry();
    one.send('1', '0');
    one.last.sink.complete();
    expect(one.waits).toEqual([0, 1, 2, 0]);
  });

  test('after retryAttempts failed retries, the subscription fails with the reason of the last failure', async () => {
    for (const [retryAttempts, act, reason] of [
      [0, (sink: Sink) => sink.next(fault), fault.errors],
      [
        0,
        (sink: Sink) => sink.complete(),
        expect.objectContaining({ message: expect.stringContaining('being ended by a router or proxy') }),
      ],
    ] as const) {
      const one = start({ clientOptions: { retryAttempts } });
      act(one.last.sink);
      expect([one.ends, one.waits]).toEqual([[reason], []]);
    }
    const one = start({ socket: false, clientOptions: { retryAttempts: 1 } });
    one.last.sink.error('lost');
    await one.retry();
    expect(one.ends).toEqual([]);
    one.last.sink.error('lost again');
    expect(one.ends).toEqual(['lost again']);
    const silent = start({ socket: false, clientOptions: { retryAttempts: 0 } });
    vi.advanceTimersByTime(1_000);
    expect(silent.ends).toEqual([
      expect.objectContaining({ message: expect.stringContaining('for 1000 ms') }),
    ]);
  });

  test('after a lost frame the subscription resumes with a marked cursor (suffix against shared streams), and keeps the mark at later retries', async () => {
    const one = start();
    one.connect();
    one.send('1', '0');
    one.send('3', '2');
    expect([one.states.at(-1), one.results.length, one.waits]).toEqual(['catching up', 1, [0]]);
    await one.retry();
    expect(one.afters[1]).toMatch(/^1~/);
    one.connect();
    one.send('2', '1');
    const mark = String(one.afters[1]).slice(1);
    one.last.sink.complete();
    await one.retry();
    expect(one.afters[2]).toBe(`2${mark}`);
    const strict = start({ clientOptions: { retryAttempts: 0 } });
    strict.send('3', '2');
    expect(strict.ends).toEqual([
      expect.objectContaining({ message: expect.stringContaining('getting lost') }),
    ]);
  });

  test('a repetition of the newest frame is dropped; a repetition of an older frame also sets the state to `catching up`', () => {
    const one = start();
    one.connect();
    one.send('1', '0');
    one.send('2', '1');
    one.send('2', '1');
    expect([one.states, one.results.length]).toEqual([['catching up', 'live'], 2]);
    one.send('1', '0');
    expect([one.states.at(-1), one.results.length, one.waits]).toEqual(['catching up', 2, []]);
  });

  test('a frame without a cursor ends the subscription with an error', () => {
    const one = start();
    one.send('', '0');
    expect(one.ends).toEqual([
      expect.objectContaining({ message: expect.stringContaining('select `cursor`') }),
    ]);
    expect(one.results).toEqual([]);
  });

  test('a result whose data has no object at its root field (no frame) is passed to the caller unchanged', () => {
    const one = start();
    one.last.sink.next({ data: { four: 4 } });
    one.last.sink.next({ data: null });
    expect([one.results.length, one.ends]).toEqual([2, []]);
  });
});

describe('end of a subscription', () => {
  test('a refusal is passed to the caller and completes the subscription; over a socket the stream is stopped a little later', () => {
    const one = start();
    one.last.sink.next(refusal);
    expect([one.results, one.ends, one.last.stopped]).toEqual([[refusal], ['complete'], 0]);
    vi.advanceTimersByTime(1);
    expect(one.last.stopped).toBe(1);
    const stream = start({ socket: false });
    stream.last.sink.next(refusal);
    expect([stream.ends, stream.last.stopped]).toEqual([['complete'], 1]);
  });

  test('an error from the stock client ends a subscription over a WebSocket; over SSE, only a refusal by the server does', async () => {
    const one = start();
    one.last.sink.error('closed for good');
    expect(one.ends).toEqual(['closed for good']);
    const stream = start({ socket: false });
    stream.connect();
    stream.last.sink.error('reset');
    expect([stream.ends, stream.states, stream.last.stopped]).toEqual([[], ['catching up', 'stale'], 1]);
    const refused = start({ socket: false });
    refused.last.sink.error([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(refused.ends).toEqual([[{ extensions: { code: 'FORBIDDEN' } }]]);
  });

  test('unsubscribing stops the stream, the listeners and the timers, and completes the sink of the caller once', () => {
    const one = start();
    one.connect();
    one.send('1', '0', { __typename: 'StatusTransition' });
    expect(['connected', 'closed', 'pong'].map(one.countListeners)).toEqual([2, 2, 1]);
    one.stop();
    one.stop();
    one.send('2', '1');
    one.last.sink.error('late');
    expect(['connected', 'closed', 'pong'].map(one.countListeners)).toEqual([1, 1, 0]);
    expect([one.ends, one.last.stopped, vi.getTimerCount()]).toEqual([['complete'], 1, 0]);
    expect(one.results).toHaveLength(1);
  });

  test('unsubscribing during the pause before a retry ends the subscription, and no new stream is opened', async () => {
    const one = start();
    one.last.sink.complete();
    one.stop();
    await one.retry();
    expect([one.streams.length, one.ends]).toEqual([1, ['complete']]);
  });

  test('disposing of the client ends a subscription that waits for a retry, and a subscription whose stream then completes', async () => {
    const one = start();
    one.last.sink.complete();
    one.client.dispose();
    await one.retry();
    expect([one.streams.length, one.ends, one.log.disposed]).toEqual([1, ['complete'], 1]);
    const other = start();
    other.client.dispose();
    other.last.sink.complete();
    expect([other.ends, other.waits]).toEqual([['complete'], []]);
  });

  test('unsubscribing during the pause before a second retry ends the subscription, and no new stream is opened', async () => {
    const one = start({ socket: false });
    one.last.sink.next(fault);
    await one.retry();
    expect(one.streams).toHaveLength(2);
    one.last.sink.next(fault);
    one.stop();
    await one.retry();
    expect(one.streams).toHaveLength(2);
  });
});

describe('status of a subscription', () => {
  /** Subscribes, and collects the reported statuses as `state reason seconds-since-the-start`. */
  function watch(options: Parameters<typeof start>[0] = {}) {
    const startedAt = Date.now();
    const statuses: string[] = [];
    const onStatus = ({ state, reason, since }: FeedStatus) =>
      statuses.push(`${state} ${reason} ${(since.getTime() - startedAt) / 1000}`);
    return { ...start({ onStatus, ...options }), statuses };
  }

  test('each state is reported with its reason, and with the time since which it lasts', async () => {
    const one = watch();
    await vi.advanceTimersByTimeAsync(500);
    one.connect();
    one.send('1', '0', BEAT);
    await vi.advanceTimersByTimeAsync(500);
    one.hear('closed');
    await vi.advanceTimersByTimeAsync(500);
    one.connect(true);
    one.send('2', '1', BEAT);
    one.stop();

    expect(one.statuses).toEqual([
      'connecting CONNECTING 0',
      'catching up READING_MISSED 0.5',
      'live UP_TO_DATE 0.5',
      'stale CONNECTION_LOST 1',
      'catching up READING_MISSED 1.5',
      'live UP_TO_DATE 1.5',
      'over ENDED 1.5',
    ]);
  });

  test('lost frames and a fault of the server are told apart, and a new attempt keeps the state and its time', async () => {
    const one = watch({ socket: false });
    one.send('1', '0', BEAT);
    await vi.advanceTimersByTimeAsync(500);
    one.last.sink.next(fault);
    await vi.advanceTimersByTimeAsync(500);
    await one.retry();
    one.send('2', '1', BEAT);
    one.send('4', '3');

    expect(one.statuses.slice(1)).toEqual([
      'live UP_TO_DATE 0',
      'stale SERVER_FAULT 0.5',
      'live UP_TO_DATE 1',
      'catching up FRAMES_LOST 1',
    ]);
  });

  test('each subscription hears its own status through the listener `status`', () => {
    const one = start();
    const heard: string[] = [];
    one.client.subscribe(
      { query: PLAIN },
      { next() {}, error() {}, complete() {} },
      { status: ({ reason }: FeedStatus) => heard.push(reason) },
    );
    one.streams[0]?.connected(false);
    expect(heard).toEqual(['CONNECTING']);
    one.connect();
    expect(heard).toEqual(['CONNECTING', 'READING_MISSED']);
  });

  test('a refused subscription is over, and only a refused token is an end of the sign-in', () => {
    const onUnauthorized = vi.fn();
    const one = watch({ onUnauthorized });
    one.last.sink.next(refusal);
    expect(one.statuses.at(-1)).toBe('over ENDED 0');
    const other = watch({ onUnauthorized });
    expect(onUnauthorized).not.toHaveBeenCalled();
    other.last.sink.next({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    expect(other.statuses.at(-1)).toBe('over SIGN_IN_ENDED 0');
    expect(onUnauthorized).toHaveBeenCalledTimes(1);
  });
});

describe('network of the browser', () => {
  test('a WebSocket is closed and reported as OFFLINE the moment that the browser loses its network', () => {
    const browser = stubBrowser();
    const reasons: string[] = [];
    const one = start({ onStatus: ({ reason }) => reasons.push(reason) });
    one.connect();
    one.send('1', '0', BEAT);
    browser.goOffline();
    expect(one.log.terminated).toBe(1);
    one.hear('closed');
    expect(reasons.at(-1)).toBe('OFFLINE');
    expect(one.states.at(-1)).toBe('stale');
  });

  test('a WebSocket that was lost before the browser noticed it is then reported as OFFLINE', () => {
    const browser = stubBrowser();
    const reasons: string[] = [];
    const one = start({ onStatus: ({ reason }) => reasons.push(reason) });
    one.connect();
    one.hear('closed');
    expect(reasons.at(-1)).toBe('CONNECTION_LOST');
    browser.goOffline();
    expect(reasons.at(-1)).toBe('OFFLINE');
  });

  test('a stream of server-sent events is lost the moment that the network is, and opened again when it is back', async () => {
    const browser = stubBrowser();
    const one = start({ socket: false });
    one.send('1', '0', BEAT);
    browser.goOffline();
    expect([one.states.at(-1), one.streams.length, one.streams[0]?.stopped]).toEqual(['stale', 1, 1]);
    browser.goOnline();
    await vi.advanceTimersByTimeAsync(0);
    expect([one.streams.length, one.afters.at(-1)]).toEqual([2, '1']);
  });

  test('the pause before a retry of graphql-ws ends when the network is back', async () => {
    const browser = stubBrowser({ onLine: false });
    const one = start();
    const waiting = one.made[0]?.retryWait(5) as Promise<void>;
    let isOver = false;
    void waiting.then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect([isOver, one.waits]).toEqual([false, [5]]);
    browser.goOnline();
    await vi.advanceTimersByTimeAsync(0);
    expect(isOver).toBe(true);
  });

  test('a client that was disposed of no longer listens to the browser', () => {
    const browser = stubBrowser();
    const { client } = start();
    expect(browser.countListeners()).toBe(2);
    client.dispose();
    expect(browser.countListeners()).toBe(0);
  });
});

describe('end of the sign-in', () => {
  /** Connects with the client's parameters, and lets the server close the WebSocket with this code. */
  async function connectAndClose(
    made: Record<string, any> | undefined,
    hear: (event: string, closed?: object) => void,
    code: number,
  ) {
    const params = await made?.connectionParams();
    hear('closed', { code });
    return params;
  }

  test('a token that is refused three times and does not get newer ends the attempts; a newer one starts them again', async () => {
    let token = 'old';
    const one = start({ clientOptions: { connectionParams: async () => ({ token }) } });
    const [made] = one.made;
    for (let time = 0; time < 3; time += 1)
      expect(await connectAndClose(made, one.hear, 4403)).toEqual({ token: 'old' });

    await expect(made?.connectionParams()).rejects.toThrow(SignInEndedError);
    expect(made?.shouldRetry(new SignInEndedError(''))).toBe(false);
    token = 'new';
    expect(await connectAndClose(made, one.hear, 4403)).toEqual({ token: 'new' });
    expect(await made?.connectionParams()).toEqual({ token: 'new' });
  });

  test('a connection that is closed for another reason never ends the attempts', async () => {
    const one = start({ clientOptions: { connectionParams: { token: 'same' } } });
    const [made] = one.made;
    for (let time = 0; time < 9; time += 1) await connectAndClose(made, one.hear, 1012);
    expect(await made?.connectionParams()).toEqual({ token: 'same' });
    expect(made?.shouldRetry(new Error('closed'))).toBe(true);
  });

  test('all subscriptions of a WebSocket end with the error, and onUnauthorized is called once; after the next sign-in, once more', () => {
    const onUnauthorized = vi.fn();
    const one = start({ onUnauthorized });
    const ends: unknown[] = [];
    const sink = { next() {}, complete() {}, error: (error: unknown) => ends.push(error) };
    one.client.subscribe({ query: PLAIN }, sink);
    for (const { sink } of one.streams) sink.error(new SignInEndedError('over'));
    expect([...one.ends, ...ends]).toEqual([new SignInEndedError('over'), new SignInEndedError('over')]);
    expect(onUnauthorized).toHaveBeenCalledTimes(1);
    one.client.subscribe({ query: PLAIN }, sink);
    one.hear('connected');
    one.last.sink.error(new SignInEndedError('over'));
    expect(onUnauthorized).toHaveBeenCalledTimes(2);
  });

  test('a stream of server-sent events ends at the third answer 401 in a row; a frame in between begins the count again', async () => {
    const onUnauthorized = vi.fn();
    const one = start({ socket: false, onUnauthorized });
    const refuse = async () => {
      one.last.sink.error(Object.assign(new Error('refused'), { response: { status: 401 } }));
      await one.retry();
    };
    await refuse();
    await refuse();
    one.send('1', '0', BEAT);
    await refuse();
    await refuse();
    expect(onUnauthorized).not.toHaveBeenCalled();
    await refuse();
    expect(onUnauthorized).toHaveBeenCalledTimes(1);
    expect(one.ends).toEqual([new SignInEndedError('the token is no longer accepted')]);
  });
});
