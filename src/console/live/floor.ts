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

/** Where all open sessions are. */
export type Counts = VkycFloorCountsQuery['sessionStats'];

export interface FloorView extends List {
  /** On all pages; null where that is unknown, or more than is worth counting. */
  readonly total: number | null;
  readonly counts: Counts | null;
  readonly reading: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

const PAGE_SIZE = 100;
/** Changes are shown together this often: more would be a waste of the eye and of the processor. */
const SHOW_INTERVAL_MS = 100;
/** Counts are asked for at most this often, and only after something changed. */
const COUNT_INTERVAL_MS = 1_000;
const RETRY_DELAY_MS = 3_000;

/** The sessions of the floor that a filter lets through, kept true by the feed over all sessions. */
export class Floor extends Store<FloorView> {
  readonly #gateway: Gateway;
  readonly #filter: RowFilter;
  readonly #order: SessionOrder;
  #cursor: string | null = null;
  /** What the feed has told and is not shown yet. */
  #changed = new Map<string, Row>();
  /** What the feed has told while a page was on its way, which may be older. */
  #sincePage: Map<string, Row> | null = null;
  #showing: ReturnType<typeof setTimeout> | undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  #unwatch = () => {};
  /** From a start to its stop: what comes back from the gateway later is of another life. */
  #life: object | null = null;

  /** `counts`: what was known before, to be shown until it is asked for anew. */
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

  /** Reads what there is, and follows it from there. */
  start(): void {
    this.#life = {};
    void this.#begin();
  }

  /** Reads one page more, unless one is being read or there is none. */
  async readMore(): Promise<void> {
    if (this.view.reading || !this.view.edge) return;
    const since = new Map<string, Row>();
    this.#sincePage = since;
    this.show({ reading: true });
    const page = await this.#page(PAGE_SIZE, this.#cursor).catch((failure: GatewayError) => failure);
    // Somebody may have begun anew meanwhile: the page belongs to a list that is gone.
    if (!this.#life || this.#sincePage !== since) return;
    this.#sincePage = null;
    if (page instanceof Error) return this.show({ failure: page, reading: false });
    const rows = appendPage(this.view.rows, page.sessions.nodes, since);
    this.show({ rows, failure: null, reading: false, ...this.#read(page.sessions) });
  }

  /** Takes over what somebody's act has answered, before the feed tells of it. */
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

  /** Reads and follows the floor from the beginning, at the start and after each reset of the feed. */
  async #begin(): Promise<void> {
    const life = this.#life;
    this.#unwatch();
    this.#sincePage = null;
    // After a failover some of it may never have been.
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
      // The next change asks again.
    } finally {
      this.#counting = undefined;
    }
  }

  async #count(): Promise<void> {
    const { sessionStats } = await this.#gateway.query(VkycFloorCounts, {});
    this.show({ counts: sessionStats });
  }
}
