import { variablesOf } from './document.ts';
import type { Payload, Sink } from './frames.ts';
import type { FeedState } from './states.ts';
import { type Connection, type Listeners, notResumable, ResumingSubscription } from './subscription.ts';

export type { FeedState } from './states.ts';

/** What the clients of graphql-ws and graphql-sse have in common; `on` and `terminate` are those of graphql-ws. */
interface StockClient {
  subscribe(payload: Payload, sink: Sink, listeners?: Listeners): () => void;
  on?(event: string, heard: () => void): () => void;
  terminate?(): void;
  dispose(): unknown;
}

export interface ResumingOptions {
  /** Is told of each change of a subscription's state, with the object that was subscribed with. */
  readonly onState?: (state: FeedState, payload: Payload) => void;
  /** Connections on which nothing was heard for so long are given up. */
  readonly silenceMs?: number;
  /** Without heartbeats, a subscription is live when nothing of the past came for so long. */
  readonly quietMs?: number;
}

/** Exponential backoff with full jitter, in milliseconds: up to a second at first, up to 30 in the end. */
export const backoffMs = (retries: number): number => Math.random() * Math.min(30_000, 1_000 * 2 ** retries);
const backOff = (retries: number) => new Promise<void>((resolve) => setTimeout(resolve, backoffMs(retries)));

/**
 * Makes the stock client of graphql-ws or graphql-sse (distinct connections), whose subscriptions retry for ever and go
 * on after their last `cursor`. Give a first `$after`, so that nothing before it is missed. Select `previousCursor`
 * beside `cursor`, so that frames which routers and proxies lose are asked for again, and repeated ones are dropped.
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
  // graphql-sse does not tell whose connection is lost: its retries are made by the subscriptions themselves.
  const stock = made.terminate
    ? made
    : (createClient({ ...full, retryAttempts: 0 } as never) as unknown as StockClient);

  const connection = { disposed: false, open: false };
  const { on, terminate } = stock;
  on?.('connected', () => Object.assign(connection, { open: true }));
  on?.('closed', () => Object.assign(connection, { open: false }));
  const shared: Connection = {
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

  function subscribe(payload: Payload, sink: Sink, listeners: Listeners = {}): () => void {
    const variables = variablesOf(payload);
    if (variables === undefined) return stock.subscribe(payload, sink, listeners);
    const subscription = new ResumingSubscription(payload, sink, listeners, shared, {
      onState,
      silenceMs,
      quietMs,
    });
    if (/\$after\b/.test(variables)) subscription.begin();
    else
      queueMicrotask(() =>
        subscription.fail(notResumable('declare the variable $after and hand it on as `after`')),
      );
    return () => subscription.leave();
  }

  function dispose(): unknown {
    connection.disposed = true;
    return stock.dispose();
  }

  function iterate(): never {
    throw new Error('Use subscribe(): iterate() of the stock client knows nothing of cursors.');
  }

  return { ...stock, subscribe, iterate, dispose } as unknown as ReturnType<Create>;
}
