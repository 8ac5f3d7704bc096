import type { FeedState } from 'vkyc-gateway/client';
import type { GatewayClient, GatewayError } from '../gateway/gateway.ts';
import {
  type SessionOrder,
  VkycFloor,
  VkycFloorCounts,
  type VkycFloorCountsQuery,
  type VkycFloorQuery,
  VkycRows,
  VkycWatchFloor,
} from '../operations.ts';
import {
  appendPage,
  applyChangedRows,
  hasLeaseEnded,
  type List,
  type LocalSessionFilter,
  pickNewerRow,
  type Row,
} from './rows.ts';
import { Store } from './store.ts';

/** Numbers of open sessions by status, and by the party that has to act next. */
export type OpenSessionCounts = VkycFloorCountsQuery['sessionStats'];

export interface FloorState extends List {
  /**
   * Number of sessions on all pages. Null if the number is not known yet, or if there are too many sessions
   * for the gateway to count.
   */
  readonly total: number | null;
  readonly counts: OpenSessionCounts | null;
  readonly loading: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

const PAGE_SIZE = 100;
/**
 * Changes are collected for this long and rendered together, to save work when many sessions change at once.
 */
const SHOW_INTERVAL_MS = 100;
/**
 * Minimum interval between two queries of the counts. The counts are queried only after a session has
 * changed.
 */
const COUNT_INTERVAL_MS = 1_000;
const RETRY_DELAY_MS = 3_000;
/** Maximum number of ids that the gateway takes in one query. */
const MAX_IDS = 100;

/**
 * Data of the start page (the floor): the counts, and the filtered list of sessions. The list is loaded page
 * by page, and kept up to date by the feed (subscription to all sessions).
 */
export class FloorStore extends Store<FloorState> {
  readonly #gateway: GatewayClient;
  readonly #filter: LocalSessionFilter;
  readonly #order: SessionOrder;
  #cursor: string | null = null;
  /** Changed sessions that are not rendered yet, by id. */
  #changed = new Map<string, Row>();
  /**
   * Sessions that have changed since the query of a page was sent, by id; null while no page is being loaded.
   * The loaded page may contain older versions of these sessions.
   */
  #sincePage: Map<string, Row> | null = null;
  #showing: ReturnType<typeof setTimeout> | undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  #unwatch = () => {};
  /** Newest time of the gateway's clock that a frame has told, as an ISO string. */
  #now = '';
  /** Whether the subscription has lost its connection since it was live. */
  #wasStale = false;
  /**
   * Identifies the time between `start` and `stop`. An answer that arrives after `stop` finds another value
   * here, and is ignored.
   */
  #run: object | null = null;

  /** `counts` are the counts of the previous list, which are shown until the new counts have been loaded. */
  constructor(
    gateway: GatewayClient,
    filter: LocalSessionFilter,
    order: SessionOrder,
    counts: OpenSessionCounts | null = null,
  ) {
    super({
      rows: [],
      edge: null,
      total: null,
      counts,
      loading: false,
      state: 'catching up',
      failure: null,
    });
    this.#gateway = gateway;
    this.#filter = filter;
    this.#order = order;
  }

  /** Loads the first page, and subscribes to the feed from the cursor of that page. */
  start(): void {
    this.#run = {};
    void this.#load();
  }

  /** Loads the next page, unless a page is already being loaded or there is no next page. */
  async loadMore(): Promise<void> {
    if (this.view.loading || !this.view.edge) return;
    const since = new Map<string, Row>();
    this.#sincePage = since;
    this.show({ loading: true });
    const page = await this.#queryPage(PAGE_SIZE, this.#cursor).catch((failure: GatewayError) => failure);
    // Ignores the page after `stop` or a FeedReset, because it then belongs to a list that is no longer
    // shown.
    if (!this.#run || this.#sincePage !== since) return;
    this.#sincePage = null;
    if (page instanceof Error) return this.show({ failure: page, loading: false });
    const rows = appendPage(this.view.rows, page.sessions.nodes, since);
    this.show({ rows, failure: null, loading: false, ...this.#toListState(page.sessions) });
  }

  /** Shows the result of the viewer's own mutation immediately, without waiting for the feed. */
  applyResult(row: Row): void {
    this.#queueChange(row);
  }

  stop(): void {
    this.#run = null;
    this.#sincePage = null;
    this.#unwatch();
    clearTimeout(this.#showing);
    clearTimeout(this.#counting);
    clearTimeout(this.#retrying);
  }

  /**
   * Loads the first page and the counts, and subscribes to the feed. Called at the start, and after each
   * FeedReset (the gateway's message that the stream cannot be resumed).
   */
  async #load(): Promise<void> {
    const run = this.#run;
    this.#unwatch();
    this.#sincePage = null;
    // Drops changes that are not rendered yet: after a failover, their transitions may not exist any more.
    this.#changed = new Map();
    this.show({ loading: true });
    try {
      const [{ feedCursor, sessions }] = await Promise.all([
        this.#queryPage(PAGE_SIZE, null),
        this.#queryCounts(),
      ]);
      if (this.#run !== run) return;
      this.show({ rows: sessions.nodes, failure: null, loading: false, ...this.#toListState(sessions) });
      this.#watch(feedCursor);
    } catch (failure) {
      if (this.#run !== run) return;
      this.show({ failure: failure as GatewayError, loading: false, state: 'stale' });
      if ((failure as GatewayError).isTransient)
        this.#retrying = setTimeout(() => this.#load(), RETRY_DELAY_MS);
    }
  }

  #toListState({
    nodes,
    pageInfo,
    totalCount,
  }: VkycFloorQuery['sessions']): Pick<FloorState, 'edge' | 'total'> {
    this.#cursor = pageInfo.endCursor;
    return { edge: pageInfo.hasNextPage ? (nodes.at(-1) ?? null) : null, total: totalCount };
  }

  #queryPage(first: number, after: string | null) {
    return this.#gateway.query(VkycFloor, { first, after, filter: this.#filter, orderBy: this.#order });
  }

  #watch(after: string): void {
    this.#unwatch = this.#gateway.watch(
      VkycWatchFloor,
      { after },
      {
        next: ({ feed }) => {
          if (feed.__typename === 'StatusTransition') {
            this.#now = feed.recordedAt;
            this.#queueChange(feed.session);
          } else if (feed.__typename === 'DeadlinePassed') this.#queueChange(feed.session);
          else if (feed.__typename === 'Heartbeat') {
            this.#now = feed.serverTime;
            void this.#requeryLeases();
          } else if (feed.__typename === 'FeedReset') void this.#load();
        },
        onState: (state) => {
          this.show({ state });
          if (state === 'stale') this.#wasStale = true;
          if (state === 'live' && this.#wasStale) {
            this.#wasStale = false;
            // Deadlines that passed without a connection are not replayed.
            if (this.#filter.overdue) void this.#load();
          }
        },
        fail: (failure) => this.show({ failure, state: 'stale' }),
      },
    );
  }

  #queueChange(row: Row): void {
    for (const changes of [this.#changed, this.#sincePage])
      changes?.set(row.id, pickNewerRow(changes.get(row.id), row));
    this.#showing ??= setTimeout(() => this.#showChanges(), SHOW_INTERVAL_MS);
    this.#counting ??= setTimeout(() => this.#recount(), COUNT_INTERVAL_MS);
  }

  #showChanges(): void {
    this.#showing = undefined;
    const rows = applyChangedRows(this.view, this.#changed, this.#filter, this.#order);
    this.#changed = new Map();
    this.show({ rows });
  }

  async #recount(): Promise<void> {
    try {
      const [{ sessions }] = await Promise.all([this.#queryPage(1, null), this.#queryCounts()]);
      this.show({ total: sessions.totalCount });
      await this.#requeryLeases();
    } catch {
      // Ignores a failed query, because the next change causes another query.
    } finally {
      this.#counting = undefined;
    }
  }

  /** Queries the rows whose lease has ended, because neither the end of a lease nor its renewal by a claim is a frame. */
  async #requeryLeases(): Promise<void> {
    const run = this.#run;
    const ended = this.view.rows.filter((row) => hasLeaseEnded(row, this.#now));
    if (ended.length === 0) return;
    const ids = ended.slice(0, MAX_IDS).map(({ id }) => id);
    const answer = await this.#gateway.query(VkycRows, { ids }).catch(() => null);
    // A failed query is repeated after the next heartbeat.
    if (!answer || this.#run !== run) return;
    for (const node of answer.nodes) if (node && 'version' in node) this.#queueChange(node);
  }

  async #queryCounts(): Promise<void> {
    const { sessionStats } = await this.#gateway.query(VkycFloorCounts, {});
    this.show({ counts: sessionStats });
  }
}
