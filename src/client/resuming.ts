import { findSubscriptionVariableDefinitions } from './document.ts';
import type { Payload, Sink } from './frames.ts';
import { watchNetwork } from './network.ts';
import { createTokenWatch } from './sign-in.ts';
import type { FeedState, FeedStatus } from './states.ts';
import {
  type ConnectionListeners,
  createNotResumableError,
  ResumingSubscription,
  SignInEndedError,
  type SubscriptionClient,
} from './subscription.ts';

export type { FeedReason, FeedState, FeedStatus } from './states.ts';
export { SignInEndedError } from './subscription.ts';
export type { TypedDocumentText } from './typed-document.ts';

/**
 * Common interface of the clients of graphql-ws and graphql-sse. Only the graphql-ws client has `on` and
 * `terminate`.
 */
interface StockClient {
  subscribe(payload: Payload, sink: Sink, listeners?: ConnectionListeners): () => void;
  on?(event: string, heard: (closed: { readonly code?: number }) => void): () => void;
  terminate?(): void;
  dispose(): unknown;
}

export interface ResumingOptions {
  /**
   * Called when the state of a subscription changes, with the payload (query and variables) of the
   * subscription.
   */
  readonly onState?: (state: FeedState, payload: Payload) => void;
  /** Called when the state of a subscription changes, or the reason of its state. */
  readonly onStatus?: (status: FeedStatus, payload: Payload) => void;
  /**
   * Called once when the server no longer accepts the token, and the application has no newer one. Every subscription
   * then ends: over a WebSocket with a `SignInEndedError`. Sign in again, and subscribe anew.
   */
  readonly onUnauthorized?: () => void;
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
  {
    onState = () => {},
    onStatus = () => {},
    onUnauthorized = () => {},
    silenceMs = 25_000,
    quietMs = 2_000,
  }: ResumingOptions = {},
): ReturnType<Create> {
  const network = watchNetwork();
  const given = {
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: (_error: unknown) => true,
    retryWait: backOff,
    retry: backOff,
    keepAlive: 10_000,
    connectionAckWaitTimeout: silenceMs,
    connectionParams: undefined as unknown,
    ...(options as object),
  };
  const tokens = createTokenWatch(given.connectionParams);
  const full = {
    ...given,
    shouldRetry: (error: unknown) => !(error instanceof SignInEndedError) && given.shouldRetry(error),
    retryWait: (retries: number) => network.unlessOnline(given.retryWait(retries)),
    connectionParams: tokens.connectionParams,
  };
  const made = createClient(full as never) as unknown as StockClient;
  // A graphql-sse client does not report which subscription lost its connection. Therefore its own retries
  // are off, and each `ResumingSubscription` retries by itself.
  const stock = made.terminate
    ? made
    : (createClient({ ...full, retryAttempts: 0 } as never) as unknown as StockClient);

  const connection = { disposed: false, open: false, isUnauthorized: false };
  const { on, terminate } = stock;
  on?.('connected', () => {
    Object.assign(connection, { open: true, isUnauthorized: false });
    tokens.noteAccepted();
  });
  on?.('closed', (closed) => {
    connection.open = false;
    tokens.noteClose(closed);
  });
  if (terminate) network.onOffline(terminate);
  const wait = terminate ? given.retryWait : given.retry;
  const shared: SubscriptionClient = {
    subscribe: stock.subscribe,
    get disposed() {
      return connection.disposed;
    },
    get offline() {
      return network.offline;
    },
    onOffline: network.onOffline,
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
    wait: (retries) => network.unlessOnline(wait(retries)),
  };

  /** Tells the application only once, although every subscription ends. */
  function onSignInEnded(): void {
    if (connection.isUnauthorized) return;
    connection.isUnauthorized = true;
    onUnauthorized();
  }

  function subscribe(payload: Payload, sink: Sink, listeners: ConnectionListeners = {}): () => void {
    const variables = findSubscriptionVariableDefinitions(payload);
    if (variables === undefined) return stock.subscribe(payload, sink, listeners);
    // Only a WebSocket says when it is connected. Over server-sent events, a new subscription is a new attempt.
    if (!on) connection.isUnauthorized = false;
    const settings = { onState, onStatus, onSignInEnded, silenceMs, quietMs };
    const subscription = new ResumingSubscription(payload, sink, listeners, shared, settings);
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
    network.dispose();
    return stock.dispose();
  }

  function iterate(): never {
    throw new Error('iterate() cannot resume after a cursor: use subscribe().');
  }

  return { ...stock, subscribe, iterate, dispose } as unknown as ReturnType<Create>;
}
