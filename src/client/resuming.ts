import { findSubscriptionVariableDefinitions } from './document.ts';
import type { Payload, Sink } from './frames.ts';
import type { FeedState } from './states.ts';
import {
  type ConnectionListeners,
  createNotResumableError,
  ResumingSubscription,
  type SubscriptionClient,
} from './subscription.ts';

export type { FeedState } from './states.ts';

/**
 * Common interface of the clients of graphql-ws and graphql-sse. Only the graphql-ws client has `on` and
 * `terminate`.
 */
interface StockClient {
  subscribe(payload: Payload, sink: Sink, listeners?: ConnectionListeners): () => void;
  on?(event: string, heard: () => void): () => void;
  terminate?(): void;
  dispose(): unknown;
}

export interface ResumingOptions {
  /**
   * Called when the state of a subscription changes, with the payload (query and variables) of the
   * subscription.
   */
  readonly onState?: (state: FeedState, payload: Payload) => void;
  /** A connection on which nothing arrives for this many milliseconds is closed and opened again. */
  readonly silenceMs?: number;
  /**
   * A subscription that selects no heartbeats counts as live once no past frame has arrived for this many
   * milliseconds.
   */
  readonly quietMs?: number;
}

/**
 * Returns the delay before a retry in milliseconds: exponential backoff with full jitter, from up to 1 s
 * before the first retry to up to 30 s.
 */
export const backoffMs = (retries: number): number => Math.random() * Math.min(30_000, 1_000 * 2 ** retries);
const backOff = (retries: number) => new Promise<void>((resolve) => setTimeout(resolve, backoffMs(retries)));

/**
 * Creates a client of graphql-ws or graphql-sse (distinct connections mode) whose subscriptions retry forever
 * and resume after their last `cursor`. Declare `$after` in every subscription, so that transitions before
 * the first frame can be requested again. Select `previousCursor` next to `cursor`, so that frames lost by
 * routers and proxies are requested again, and repeated frames are dropped.
 */
export function resuming<Create extends (options: never) => { subscribe: unknown }>(
  createClient: Create,
  options: Parameters<Create>[0],
  { onState = () => {}, silenceMs = 25_000, quietMs = 2_000 }: ResumingOptions = {},
): ReturnType<Create> {
  const full = {
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: backOff,
    retry: backOff,
    keepAlive: 10_000,
    connectionAckWaitTimeout: silenceMs,
    ...(options as object),
  };
  const made = createClient(full as never) as unknown as StockClient;
  // A graphql-sse client does not report which subscription lost its connection. Therefore its own retries
  // are off, and each `ResumingSubscription` retries by itself.
  const stock = made.terminate
    ? made
    : (createClient({ ...full, retryAttempts: 0 } as never) as unknown as StockClient);

  const connection = { disposed: false, open: false };
  const { on, terminate } = stock;
  on?.('connected', () => Object.assign(connection, { open: true }));
  on?.('closed', () => Object.assign(connection, { open: false }));
  const shared: SubscriptionClient = {
    subscribe: stock.subscribe,
    get disposed() {
      return connection.disposed;
    },
    socket:
      on && terminate
        ? {
            get open() {
              return connection.open;
            },
            keepAlive: full.keepAlive,
            on,
            terminate,
          }
        : undefined,
    retryAttempts: full.retryAttempts,
    wait: terminate ? full.retryWait : full.retry,
  };

  function subscribe(payload: Payload, sink: Sink, listeners: ConnectionListeners = {}): () => void {
    const variables = findSubscriptionVariableDefinitions(payload);
    if (variables === undefined) return stock.subscribe(payload, sink, listeners);
    const subscription = new ResumingSubscription(payload, sink, listeners, shared, {
      onState,
      silenceMs,
      quietMs,
    });
    if (/\$after\b/.test(variables)) subscription.begin();
    else
      queueMicrotask(() =>
        subscription.fail(
          createNotResumableError('declare the variable $after and pass it to the argument `after`'),
        ),
      );
    return () => subscription.leave();
  }

  function dispose(): unknown {
    connection.disposed = true;
    return stock.dispose();
  }

  function iterate(): never {
    throw new Error('iterate() cannot resume after a cursor: use subscribe().');
  }

  return { ...stock, subscribe, iterate, dispose } as unknown as ReturnType<Create>;
}
