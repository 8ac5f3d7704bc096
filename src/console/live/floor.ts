import type { FeedState } from 'vkyc-gateway/client';
import type { Gateway, GatewayError } from '../gateway/gateway.ts';
import {
  type SessionOrder,
  VkycFloor,
  VkycFloorCounts,
  type VkycFloorCountsQuery,
  type VkycFloorQuery,
  VkycWatchFloor,
} from '../operations.ts';
import { appendPage, applyChanges, type List, pickNewer, type Row, type RowFilter } from './rows.ts';
import { Store } from './store.ts';

/** Numbers of open sessions by status and by waiting party. */
export type Counts = VkycFloorCountsQuery['sessionStats'];

export interface FloorView extends List {
  /** Number of sessions on all pages; null if unknown, or if there are too many to count. */
  readonly total: number | null;
  readonly counts: Counts | null;
  readonly reading: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

const PAGE_SIZE = 100;
/** Changes are collected this long and rendered at once, to save work when many sessions change. */
const SHOW_INTERVAL_MS = 100;
/** Counts are queried at most this often, and only after a change. */
const COUNT_INTERVAL_MS = 1_000;
const RETRY_DELAY_MS = 3_000;

/** Filtered list of sessions, loaded page by page and kept up to date by the feed of all sessions. */
export class Floor extends Store<FloorView> {
  readonly #gateway: Gateway;
  readonly #filter: RowFilter;
  readonly #order: SessionOrder;
  #cursor: string | null = null;
  /** Changed sessions that are not rendered yet, by id. */
  #changed = new Map<string, Row>();
  /** Sessions that changed while a page was being loaded: the page may hold older versions of them. */
  #sincePage: Map<string, Row> | null = null;
  #showing: ReturnType<typeof setTimeout> | undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  #unwatch = () => {};
  /** Token of the period from `start` to `stop`. Answers that arrive after it are dropped (stale response). */
  #life: object | null = null;

  /** `counts` of the previous list, shown until new ones have been loaded. */
  constructor(gateway: Gateway, filter: RowFilter, order: SessionOrder, counts: Counts | null = null) {
    super({
      rows: [],
      edge: null,
      total: null,
      counts,
      reading: false,
      state: 'catching up',
      failure: null,
    });
    this.#gateway = gateway;
    this.#filter = filter;
    this.#order = order;
  }

  /** Loads the first page and subscribes from its cursor. */
  start(): void {
    this.#life = {};
    void this.#begin();
  }

  /** Loads the next page, unless one is being loaded or there is none. */
  async readMore(): Promise<void> {
    if (this.view.reading || !this.view.edge) return;
    const since = new Map<string, Row>();
    this.#sincePage = since;
    this.show({ reading: true });
    const page = await this.#page(PAGE_SIZE, this.#cursor).catch((failure: GatewayError) => failure);
    // After a stop or a feed reset the page belongs to a list that is no longer shown.
    if (!this.#life || this.#sincePage !== since) return;
    this.#sincePage = null;
    if (page instanceof Error) return this.show({ failure: page, reading: false });
    const rows = appendPage(this.view.rows, page.sessions.nodes, since);
    this.show({ rows, failure: null, reading: false, ...this.#read(page.sessions) });
  }

  /** Shows the result of the viewer's own mutation before the feed reports it. */
  take(row: Row): void {
    this.#note(row);
  }

  stop(): void {
    this.#life = null;
    this.#sincePage = null;
    this.#unwatch();
    clearTimeout(this.#showing);
    clearTimeout(this.#counting);
    clearTimeout(this.#retrying);
  }

  /** Loads the list from its beginning and subscribes: at the start and after each FeedReset. */
  async #begin(): Promise<void> {
    const life = this.#life;
    this.#unwatch();
    this.#sincePage = null;
    // A failover may have lost transitions, so changes that were collected before it are dropped.
    this.#changed = new Map();
    this.show({ reading: true });
    try {
      const [{ feedCursor, sessions }] = await Promise.all([this.#page(PAGE_SIZE, null), this.#count()]);
      if (this.#life !== life) return;
      this.show({ rows: sessions.nodes, failure: null, reading: false, ...this.#read(sessions) });
      this.#watch(feedCursor);
    } catch (failure) {
      if (this.#life !== life) return;
      this.show({ failure: failure as GatewayError, reading: false, state: 'stale' });
      if ((failure as GatewayError).isTransient)
        this.#retrying = setTimeout(() => this.#begin(), RETRY_DELAY_MS);
    }
  }

  #read({ nodes, pageInfo, totalCount }: VkycFloorQuery['sessions']): Pick<FloorView, 'edge' | 'total'> {
    this.#cursor = pageInfo.endCursor;
    return { edge: pageInfo.hasNextPage ? (nodes.at(-1) ?? null) : null, total: totalCount };
  }

  #page(first: number, after: string | null) {
    return this.#gateway.query(VkycFloor, { first, after, filter: this.#filter, orderBy: this.#order });
  }

  #watch(after: string): void {
    this.#unwatch = this.#gateway.watch(
      VkycWatchFloor,
      { after },
      {
        next: ({ feed }) => {
          if (feed.__typename === 'StatusTransition') this.#note(feed.session);
          else if (feed.__typename === 'FeedReset') void this.#begin();
        },
        onState: (state) => this.show({ state }),
        fail: (failure) => this.show({ failure, state: 'stale' }),
      },
    );
  }

  #note(row: Row): void {
    for (const told of [this.#changed, this.#sincePage]) told?.set(row.id, pickNewer(told.get(row.id), row));
    this.#showing ??= setTimeout(() => this.#showChanges(), SHOW_INTERVAL_MS);
    this.#counting ??= setTimeout(() => this.#recount(), COUNT_INTERVAL_MS);
  }

  #showChanges(): void {
    this.#showing = undefined;
    const rows = applyChanges(this.view, this.#changed, this.#filter, this.#order);
    this.#changed = new Map();
    this.show({ rows });
  }

  async #recount(): Promise<void> {
    try {
      const [{ sessions }] = await Promise.all([this.#page(1, null), this.#count()]);
      this.show({ total: sessions.totalCount });
    } catch {
      // The next change triggers another query.
    } finally {
      this.#counting = undefined;
    }
  }

  async #count(): Promise<void> {
    const { sessionStats } = await this.#gateway.query(VkycFloorCounts, {});
    this.show({ counts: sessionStats });
  }
}
