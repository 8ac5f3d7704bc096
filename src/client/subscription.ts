import { selectsHeartbeats } from './document.ts';
import {
  classifyErrors,
  type Frame,
  findFrame,
  type Payload,
  type Sink,
  type SubscriptionResult,
} from './frames.ts';
import { StreamPositionTracker } from './position.ts';
import {
  type FeedReason,
  type FeedState,
  type FeedStatus,
  NEXT_STATE,
  REASON_BY_STATE,
  REPORTED_STATE_BY_STATE,
  type SubscriptionEvent,
  type SubscriptionState,
} from './states.ts';

export interface ConnectionListeners {
  connected?(again: boolean): void;
  /** Called when the state of this subscription changes, or the reason of its state. */
  status?(status: FeedStatus): void;
}

/** Error of a subscription that has ended because the server no longer accepts its token. */
export class SignInEndedError extends Error {
  override readonly name = 'SignInEndedError';
}

/** Number of times that a refused token is tried again: the application may be about to renew it. */
export const MAX_REFUSED_RETRIES = 2;

/** The parts of a graphql-ws or graphql-sse client that a subscription uses. */
export interface SubscriptionClient {
  subscribe(payload: Payload, sink: Sink, listeners: ConnectionListeners): () => void;
  /**
   * WebSocket that all subscriptions share; undefined for server-sent events, where each subscription has its
   * own connection.
   */
  readonly socket: SharedWebSocket | undefined;
  readonly disposed: boolean;
  /** Whether the browser reports that it has no network. */
  readonly offline: boolean;
  readonly retryAttempts: number;
  /** Calls `lose` when the browser reports that it has no network. Returns a function that stops that. */
  onOffline(lose: () => void): () => void;
  /**
   * Waits before a retry. `retries` is the number of earlier retries since the last usable frame: 0 before
   * the first retry.
   */
  wait(retries: number): Promise<void>;
}

export interface SharedWebSocket {
  readonly open: boolean;
  /** Interval of pings in milliseconds; 0 if no pings are sent. */
  readonly keepAlive: number;
  on(event: 'connected' | 'closed' | 'pong', heard: () => void): () => void;
  terminate(): void;
}

export interface SubscriptionSettings {
  readonly onState: (state: FeedState, payload: Payload) => void;
  readonly onStatus: (status: FeedStatus, payload: Payload) => void;
  /** Called when the subscription ends because the server no longer accepts its token. */
  readonly onSignInEnded: () => void;
  readonly silenceMs: number;
  readonly quietMs: number;
}

/**
 * One subscription. It subscribes again after its last cursor whenever the connection is lost, or a router or
 * proxy loses frames.
 */
export class ResumingSubscription {
  readonly #payload: Payload;
  readonly #sink: Sink;
  readonly #listeners: ConnectionListeners;
  readonly #connection: SubscriptionClient;
  readonly #settings: SubscriptionSettings;
  /**
   * Request that graphql-ws sends again at each reconnect. Every frame updates its variable `after`, so that
   * the new stream resumes after that frame.
   */
  readonly #request: Payload & { variables: { after?: unknown } };
  readonly #position: StreamPositionTracker;
  readonly #hasHeartbeats: boolean;
  #state: SubscriptionState = 'OPENING';
  #badge: FeedState | null = null;
  #status: FeedStatus | null = null;
  /** Number of the current stream. Callbacks of streams with an earlier number are ignored. */
  #stream = 0;
  #stop = () => {};
  #unlisten: (() => void)[] = [];
  /** Number of streams that have failed in a row, since the last usable frame. */
  #failures = 0;
  /** Number of streams in a row that the server has answered with HTTP 401, over server-sent events. */
  #refusals = 0;
  /** Whether a frame of the current stream, such as a heartbeat, has shown that all past frames were sent. */
  #greeted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    payload: Payload,
    sink: Sink,
    listeners: ConnectionListeners,
    connection: SubscriptionClient,
    settings: SubscriptionSettings,
  ) {
    this.#payload = payload;
    this.#sink = sink;
    this.#listeners = listeners;
    this.#connection = connection;
    this.#settings = settings;
    this.#request = { ...payload, variables: { ...payload.variables } };
    this.#position = new StreamPositionTracker((this.#request.variables.after as string | undefined) ?? null);
    this.#hasHeartbeats = selectsHeartbeats(payload);
  }

  begin(): void {
    const { socket } = this.#connection;
    this.#report();
    this.#unlisten = [this.#connection.onOffline(() => this.#goOffline())];
    if (socket)
      this.#unlisten.push(
        socket.on('connected', () => this.#connected()),
        socket.on('closed', () => this.#become('LOSS')),
        // If the subscription selects no heartbeats, only the answers to pings show that a quiet connection
        // is alive.
        socket.on('pong', () => !this.#hasHeartbeats && this.#state === 'LIVE' && this.#become('NEWS')),
      );
    this.#open();
  }

  leave(): void {
    this.#end(() => this.#sink.complete());
  }

  fail(why: unknown): void {
    this.#end(() => this.#sink.error(why), why instanceof SignInEndedError);
  }

  #become(event: SubscriptionEvent, reason?: FeedReason): void {
    this.#state = NEXT_STATE[this.#state][event];
    clearTimeout(this.#timer);
    if (this.#state !== 'CATCHING_UP') this.#settled();
    const silenceMs = this.#silenceMs();
    if (this.#state === 'CATCHING_UP' && !this.#hasHeartbeats)
      this.#timer = setTimeout(() => this.#become('QUIET'), this.#settings.quietMs);
    else if (silenceMs) this.#timer = setTimeout(() => this.#giveUpSilent(), silenceMs);
    this.#report(reason);
    const badge = REPORTED_STATE_BY_STATE[this.#state];
    if (badge === null || badge === this.#badge) return;
    this.#badge = badge;
    this.#settings.onState(badge, this.#payload);
  }

  /** Reports the state with its reason, if either has changed. A new attempt to connect changes neither. */
  #report(
    reason: FeedReason = this.#connection.offline && this.#state === 'LOST'
      ? 'OFFLINE'
      : REASON_BY_STATE[this.#state],
  ): void {
    const last = this.#status;
    if (last && this.#state === 'OPENING') return;
    const state = REPORTED_STATE_BY_STATE[this.#state] ?? (this.#state === 'OVER' ? 'over' : 'connecting');
    if (last?.state === state && last.reason === reason) return;
    this.#status = { state, reason, since: last?.state === state ? last.since : new Date() };
    this.#settings.onStatus(this.#status, this.#payload);
    this.#listeners.status?.(this.#status);
  }

  /** Returns the maximum number of milliseconds without a frame in the current state; 0 for no limit. */
  #silenceMs(): number {
    const { socket } = this.#connection;
    const { silenceMs } = this.#settings;
    // graphql-ws has a timeout for connecting itself, so no limit is needed here.
    if (this.#state === 'OPENING') return socket ? 0 : silenceMs;
    if (this.#state !== 'CATCHING_UP' && this.#state !== 'LIVE') return 0;
    if (this.#hasHeartbeats) return silenceMs;
    return socket?.keepAlive ? silenceMs + socket.keepAlive : 0;
  }

  #open(): void {
    this.#stream += 1;
    const stream = this.#stream;
    const ifPresent =
      <Args extends unknown[]>(act: (...args: Args) => void) =>
      (...args: Args): void => {
        if (stream === this.#stream && this.#state !== 'OVER') act(...args);
      };
    this.#request.variables.after = this.#position.after ?? this.#request.variables.after;
    // The previous stream is stopped only after the new one has started: otherwise graphql-ws would close the
    // WebSocket in between, because nothing uses it.
    const stopLast = this.#stop;
    this.#become('SUBSCRIBED');
    this.#stop = this.#connection.subscribe(
      this.#request,
      {
        next: ifPresent((result: SubscriptionResult) => this.#next(result)),
        error: ifPresent((why: unknown) => this.#error(why)),
        complete: ifPresent(() => this.#completed()),
      },
      {
        ...this.#listeners,
        connected: ifPresent((again: boolean) => {
          this.#connected();
          this.#listeners.connected?.(again);
        }),
      },
    );
    stopLast();
    if (this.#connection.socket?.open) this.#connected();
  }

  #connected(): void {
    this.#greeted = false;
    this.#become('CONNECTED');
  }

  #next(result: SubscriptionResult): void {
    const meaning = classifyErrors(result);
    const frame = findFrame(result);
    if (meaning === 'FAULT') this.#retry('FAULT', result.errors);
    else if (meaning === 'REFUSAL') this.#refuse(result);
    else if (frame) this.#take(frame, result);
    else this.#sink.next(result);
  }

  #refuse(result: SubscriptionResult): void {
    const stop = this.#stop;
    // The server ends the stream right after its refusal. graphql-ws would count that end twice if the stream
    // were stopped here before that end arrives, so the stop is delayed.
    if (this.#connection.socket) this.#stop = () => void setTimeout(stop);
    this.#end(
      () => {
        this.#sink.next(result);
        this.#sink.complete();
      },
      result.errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED'),
    );
  }

  #take(frame: Frame, result: SubscriptionResult): void {
    const { cursor } = frame;
    if (!cursor) {
      this.fail(createNotResumableError('select `cursor` on every type that it may send'));
      return;
    }
    const isNewest = cursor === this.#position.cursor;
    switch (this.#position.take({ ...frame, cursor })) {
      case 'NEXT':
        this.#request.variables.after = this.#position.after;
        this.#failures = 0;
        this.#refusals = 0;
        this.#become(this.#isPast(frame, result) ? 'PAST' : 'NEWS');
        this.#sink.next(result);
        break;
      case 'REPEATED':
        // A router that reopens a stream sends all earlier frames again, so new frames may still follow this
        // repeated one.
        if (!isNewest) this.#become('PAST');
        break;
      case 'GAP':
        this.#position.keepApart();
        this.#retry(
          'GAP',
          new Error('frames of this subscription keep getting lost: a router or proxy drops them'),
        );
    }
  }

  /**
   * Whether more past frames may follow this frame. The server marks past frames in `extensions`, but routers
   * drop that mark. Therefore, if frames have a `__typename`, a new stream counts as past until its first
   * heartbeat, or for `quietMs` if it is too busy for heartbeats.
   */
  #isPast({ __typename }: Frame, { extensions }: SubscriptionResult): boolean {
    if (extensions?.replay) {
      this.#settled();
      return true;
    }
    if (__typename === undefined || __typename === 'Heartbeat' || !this.#hasHeartbeats) this.#greeted = true;
    if (!this.#greeted) this.#settling ??= setTimeout(() => this.#settle(), this.#settings.quietMs);
    return !this.#greeted;
  }

  #settle(): void {
    this.#greeted = true;
    this.#become('QUIET');
  }

  #settled(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }

  #error(why: unknown): void {
    const errors = Array.isArray(why) ? why : null;
    if (errors && classifyErrors({ errors }) === 'FAULT') this.#retry('FAULT', why);
    // graphql-ws retries lost connections itself, so its errors are final. graphql-sse reports every lost
    // connection as an error, so a single error leads to a retry here.
    else if (errors || this.#connection.socket) this.fail(why);
    else if (getHttpStatus(why) !== 401) this.#lose(why);
    else if (this.#refusals < MAX_REFUSED_RETRIES) {
      this.#refusals += 1;
      this.#lose(why);
    } else this.fail(new SignInEndedError('the token is no longer accepted', { cause: why }));
  }

  /** Of a WebSocket, the client closes the connection itself when the network is lost. */
  #goOffline(): void {
    if (this.#state === 'LOST') this.#report();
    else if (!this.#connection.socket && this.#silenceMs()) this.#lose(new Error('the browser is offline'));
  }

  /**
   * Handles a stream that ended without an error. The gateway never ends a stream this way, so a router or
   * proxy did, unless the client was disposed of.
   */
  #completed(): void {
    if (this.#connection.disposed) this.leave();
    else
      this.#retry(
        'FAULT',
        new Error('the stream of this subscription keeps being ended by a router or proxy'),
      );
  }

  /**
   * Replaces a connection that delivered nothing for `silenceMs`: it is dead without having been closed, as after
   * the computer or the browser was asleep (sleep, standby) or changed its network.
   */
  #giveUpSilent(): void {
    const { socket } = this.#connection;
    if (socket) socket.terminate();
    else this.#lose(new Error(`this subscription received nothing for ${this.#settings.silenceMs} ms`));
  }

  #lose(why: unknown): void {
    this.#retry('LOSS', why);
    this.#stop();
  }

  /**
   * Abandons the current stream, and subscribes again after a delay. After `retryAttempts` failures in a row,
   * ends the subscription with the error.
   */
  #retry(event: 'GAP' | 'FAULT' | 'LOSS', why: unknown): void {
    this.#stream += 1;
    const stream = this.#stream;
    this.#become(event);
    if (this.#failures >= this.#connection.retryAttempts) {
      this.fail(why);
      return;
    }
    this.#failures += 1;
    void this.#connection.wait(this.#failures - 1).then(() => {
      if (stream !== this.#stream || this.#state === 'OVER') return;
      if (this.#connection.disposed) this.leave();
      else this.#open();
    });
  }

  #end(tell: () => void, hasSignInEnded = false): void {
    if (this.#state === 'OVER') return;
    this.#become('END', hasSignInEnded ? 'SIGN_IN_ENDED' : undefined);
    this.#stop();
    for (const unlisten of this.#unlisten) unlisten();
    tell();
    if (hasSignInEnded) this.#settings.onSignInEnded();
  }
}

/** Returns the HTTP status of an error of graphql-sse, if it has one. */
const getHttpStatus = (error: unknown): number | undefined =>
  (error as { response?: { status?: number } } | null)?.response?.status;

export const createNotResumableError = (remedy: string): Error =>
  new Error(`This subscription cannot be resumed: ${remedy}.`);
