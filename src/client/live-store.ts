/** Live data for user interfaces: state that follows subscriptions, without any framework. */
import { classifyErrors, findFrame, type Payload, type Sink, type SubscriptionResult } from './frames.ts';
import { compareVersions, type Version } from './order.ts';
import type { FeedStatus } from './states.ts';
import { SignInEndedError } from './subscription.ts';
import type { TypedDocumentText } from './typed-document.ts';

/** Client that `resuming` has made, limited to what live data needs of it. */
export interface LiveClient {
  subscribe(payload: never, sink: never): () => void;
}

type Subscribe = (payload: Payload, sink: Sink, listeners?: object) => () => void;

/** After a change, the list is queried again at most this often, however many sessions change. */
const RELOAD_INTERVAL_MS = 500;
/** Error code of a cursor that names a part of the feed which is no longer stored. */
const CURSOR_EXPIRED = 'CURSOR_EXPIRED';
const RETRY_DELAY_MS = 3_000;

/** Status before the first answer. One object, so that user interfaces see no change. */
const CONNECTING: FeedStatus = { state: 'connecting', reason: 'CONNECTING', since: new Date(0) };

/** States from the best to the worst, for the state of several subscriptions together. */
const BY_TRUST: readonly FeedStatus['state'][] = ['live', 'catching up', 'connecting', 'stale', 'over'];

/**
 * State that is kept up to date while somebody listens to it. The first listener starts it; it stops after the last one
 * has left, unless another comes in the same tick.
 */
abstract class LiveStore<View extends { readonly status: FeedStatus }> {
  #view: View;
  readonly #listeners = new Set<() => void>();
  readonly #client: LiveClient | null;
  #isStarted = false;

  constructor(client: LiveClient | null, view: View) {
    this.#client = client;
    this.#view = view;
  }

  /** Returns the current state: the same object until something changes. */
  readonly get = (): View => this.#view;

  /** Calls `listener` after each change. Returns a function that stops that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#client && !this.#isStarted) {
      this.#isStarted = true;
      feedOf(this.#client).set(this, this.#view.status);
      this.start(this.#client.subscribe as Subscribe);
    }
    return () => {
      this.#listeners.delete(listener);
      // A listener that comes back in the same tick, as in React's Strict Mode, causes no second subscription.
      setTimeout(() => this.#stopIfUnused());
    };
  };

  protected abstract start(subscribe: Subscribe): void;
  protected abstract stop(): void;

  protected show(change: Partial<View>): void {
    if (!this.#isStarted) return;
    this.#view = { ...this.#view, ...change };
    if (change.status && this.#client) feedOf(this.#client).set(this, change.status);
    for (const listener of this.#listeners) listener();
  }

  #stopIfUnused(): void {
    if (this.#listeners.size > 0 || !this.#isStarted) return;
    this.#isStarted = false;
    if (this.#client) feedOf(this.#client).delete(this);
    this.stop();
  }
}

/** Session that a frame of a subscription may carry. */
export type SessionOf<Result> = Extract<Result[keyof Result], { session: unknown }>['session'];

export interface LiveSession<Session> {
  /** Newest state of the session; null until it is known. */
  readonly session: Session | null;
  readonly status: FeedStatus;
  /** Why the subscription has ended; null while it has not. */
  readonly error: unknown;
}

/** One session, kept up to date by a subscription to it. */
export class SessionStore<Result> extends LiveStore<LiveSession<SessionOf<Result>>> {
  readonly #payload: Payload;
  #leave = () => {};

  constructor(client: LiveClient | null, query: string, variables: object) {
    super(client, { session: null, status: CONNECTING, error: null });
    this.#payload = { query, variables };
  }

  protected start(subscribe: Subscribe): void {
    this.#leave = subscribe(
      this.#payload,
      {
        next: (result) => {
          const session = findSession<SessionOf<Result>>(result);
          if (session) this.show({ session });
          else if (result.errors && !findFrame(result)) this.show({ error: result.errors });
        },
        error: (error) => this.show({ error }),
        complete() {},
      },
      { status: (status: FeedStatus) => this.show({ status }) },
    );
  }

  protected stop(): void {
    this.#leave();
  }
}

/** Row of a list of sessions. */
interface Row extends Partial<Version> {
  readonly id: string;
}

/** Result of a query for a list, such as `VkycFloor`. */
export interface ListResult {
  readonly feedCursor: string;
  readonly sessions: {
    readonly nodes: readonly { readonly id: string }[];
    readonly totalCount?: number | null;
    readonly pageInfo?: { readonly hasNextPage: boolean };
  };
}

export interface LiveSessions<Session> {
  /** Sessions of the page, in the order of the list. */
  readonly sessions: readonly Session[];
  /** Number of sessions on all pages; null if it is unknown, or there are too many to count. */
  readonly totalCount: number | null;
  readonly hasNextPage: boolean;
  readonly status: FeedStatus;
  /**
   * Whether order, filter and count are those of the newest frame. After a frame they follow within a second; the rows
   * themselves are always new.
   */
  readonly isSettled: boolean;
  /** Why the list could not be loaded, or its subscription has ended; null if all is well. */
  readonly error: unknown;
}

export interface ListDocuments<List extends ListResult, Variables> {
  readonly list: TypedDocumentText<List, Variables>;
  /** Subscription `feed` with the sessions' rows, such as `VkycWatchFloor`. */
  readonly watch: string;
}

/**
 * First page of a list of sessions. Frames of the feed change its rows at once; order, filter and count come from the
 * gateway, which is asked again after changes, so that they are right for every filter.
 */
export class SessionListStore<List extends ListResult> extends LiveStore<
  LiveSessions<List['sessions']['nodes'][number]>
> {
  readonly #query: Payload;
  readonly #watch: string;
  #subscribe: Subscribe = () => () => {};
  #cancelQuery = () => {};
  #leave: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  /** Sessions that changed since the last query was sent, by id. Its answer may have older states of them. */
  #changed = new Map<string, Row>();

  constructor(client: LiveClient | null, { list, watch }: ListDocuments<List, never>, variables: object) {
    super(client, {
      sessions: [],
      totalCount: null,
      hasNextPage: false,
      status: CONNECTING,
      isSettled: false,
      error: null,
    });
    this.#query = { query: list, variables };
    this.#watch = watch;
  }

  protected start(subscribe: Subscribe): void {
    this.#subscribe = subscribe;
    this.#load();
  }

  protected stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isLoading = false;
    this.#cancelQuery();
    this.#leave?.();
    this.#leave = null;
  }

  #load(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cancelQuery();
    this.#isLoading = true;
    this.#changed = new Map();
    this.#cancelQuery = this.#subscribe(this.#query, {
      next: (result) => this.#take(result),
      error: (error) => this.#fail(error),
      complete() {},
    });
  }

  #take({ data, errors }: SubscriptionResult): void {
    const { sessions, feedCursor } = (data ?? {}) as Partial<ListResult>;
    if (!sessions || feedCursor === undefined) {
      this.#fail(errors);
      return;
    }
    this.#isLoading = false;
    const { totalCount = null, pageInfo } = sessions;
    this.show({
      sessions: sessions.nodes.map((row) => pickNewer(this.#changed.get(row.id), row)),
      hasNextPage: pageInfo?.hasNextPage ?? false,
      totalCount,
      isSettled: this.#changed.size === 0,
      error: null,
    });
    if (this.#changed.size > 0) this.#reloadSoon();
    this.#leave ??= this.#subscribe(
      { query: this.#watch, variables: { after: feedCursor } },
      {
        next: (result) => this.#follow(result),
        error: (error) => this.#watchEnded(error),
        complete() {},
      },
      { status: (status: FeedStatus) => this.show({ status }) },
    );
  }

  #follow(result: SubscriptionResult): void {
    const frame = findFrame(result);
    // Over server-sent events, a refusal comes as a result without a frame.
    if (!frame && result.errors) this.#watchEnded(result.errors);
    // After a failover, sessions may have lower versions than the rows: the list is taken as it then comes.
    if (frame?.__typename === 'FeedReset') this.#load();
    const row = findSession<Row>(result);
    if (!row) return;
    this.#changed.set(row.id, pickNewer(this.#changed.get(row.id), row));
    this.show({
      sessions: this.get().sessions.map((each) => (each.id === row.id ? pickNewer(row, each) : each)),
      isSettled: false,
    });
    if (!this.#isLoading) this.#reloadSoon();
  }

  /** Shows why the subscription has ended. If its cursor has expired, the list is loaded again, with a new cursor. */
  #watchEnded(error: unknown): void {
    this.#leave = null;
    this.show({ error, isSettled: false });
    const isExpired =
      Array.isArray(error) && error.some(({ extensions }) => extensions?.code === CURSOR_EXPIRED);
    if (isExpired) this.#timer ??= setTimeout(() => this.#load(), RETRY_DELAY_MS);
  }

  #reloadSoon(): void {
    this.#timer ??= setTimeout(() => this.#load(), RELOAD_INTERVAL_MS);
  }

  #fail(error: unknown): void {
    this.#isLoading = false;
    this.show({ error, isSettled: false });
    // A refusal would be repeated, and so would a sign-in that has ended.
    const isRefusal = Array.isArray(error) && classifyErrors({ errors: error }) !== 'FAULT';
    if (isRefusal || error instanceof SignInEndedError) return;
    this.#timer ??= setTimeout(() => this.#load(), RETRY_DELAY_MS);
  }
}

/** Returns the newer state of a row. If both are as new, returns `read`, which has the fields of the list. */
function pickNewer<Read extends Row>(changed: Row | undefined, read: Read): Read {
  const isNewer =
    typeof changed?.version === 'number' &&
    typeof read.version === 'number' &&
    compareVersions(toVersion(changed), toVersion(read)) > 0;
  return isNewer ? { ...read, ...changed } : read;
}

const toVersion = ({ version = 0, updatedAt = null }: Row): Version => ({ version, updatedAt });

const findSession = <Session>(result: SubscriptionResult): Session | undefined =>
  (findFrame(result) as { session?: Session } | null | undefined)?.session;

/** State of all subscriptions of a client together. */
export class Feed {
  readonly #statuses = new Map<object, FeedStatus>();
  readonly #listeners = new Set<() => void>();
  #worst: FeedStatus | null = null;

  set(owner: object, status: FeedStatus): void {
    this.#statuses.set(owner, status);
    this.#update();
  }

  delete(owner: object): void {
    this.#statuses.delete(owner);
    this.#update();
  }

  /** Returns the status of the subscription that is furthest from live; null without subscriptions. */
  readonly get = (): FeedStatus | null => this.#worst;

  /** Calls `listener` after each change. Returns a function that stops that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #update(): void {
    const byTrust = [...this.#statuses.values()].sort(
      (one, other) => BY_TRUST.indexOf(other.state) - BY_TRUST.indexOf(one.state),
    );
    const worst = byTrust[0] ?? null;
    if (worst === this.#worst) return;
    this.#worst = worst;
    for (const listener of this.#listeners) listener();
  }
}

const feeds = new WeakMap<LiveClient, Feed>();

/** Returns the state of all live data that uses a client. */
export function feedOf(client: LiveClient): Feed {
  const feed = feeds.get(client) ?? new Feed();
  feeds.set(client, feed);
  return feed;
}
