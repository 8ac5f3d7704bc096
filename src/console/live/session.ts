import type { FeedState } from 'vkyc-gateway/client';
import type { Gateway, GatewayError } from '../gateway/gateway.ts';
import {
  VkycSession,
  type VkycSessionActionsFragment,
  VkycSessionLog,
  type VkycSessionPageFragment,
  type VkycTransitionFragment,
  VkycWatchSession,
} from '../operations.ts';
import type { Row } from './rows.ts';
import { Store } from './store.ts';

export type SessionDetails = Omit<VkycSessionPageFragment, 'transitions'>;
export type Transition = VkycTransitionFragment;

export interface SessionView {
  /** Null if not loaded yet, or if `missing`. */
  readonly page: SessionDetails | null;
  /** The session does not exist, or the viewer may not see it. */
  readonly missing: boolean;
  /** Transitions, oldest first. There is no gap between the first one shown and the newest. */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

const OLDER_PAGE_SIZE = 50;
const RETRY_DELAY_MS = 3_000;
/** Error code for an id that the gateway cannot decode. */
const INVALID_ID_CODE = 'BAD_USER_INPUT';

/** Data of the session page, kept up to date by the subscription to that session. */
export class LiveSession extends Store<SessionView> {
  readonly #gateway: Gateway;
  readonly #id: string;
  #unwatch = () => {};
  /** Run from `start` to `stop`: whether the page is being loaded, and whether it has to be loaded again. */
  #run: { loading: boolean; again: boolean } | null = null;
  /** Number of snapshots received. A query sent before the newest one may return transitions that a failover lost. */
  #snapshots = 0;

  constructor(gateway: Gateway, id: string) {
    super({ page: null, missing: false, log: [], hasOlder: false, state: 'catching up', failure: null });
    this.#gateway = gateway;
    this.#id = id;
  }

  /** Loads the page and subscribes from its newest transition. */
  start(): void {
    this.#run = { loading: false, again: false };
    void this.#load(this.#run);
  }

  /** Loads the transitions before the first one shown. */
  async loadOlder(): Promise<void> {
    const before = this.view.log[0]?.cursor;
    try {
      const { session } = await this.#gateway.query(VkycSessionLog, {
        id: this.#id,
        last: OLDER_PAGE_SIZE,
        before: before ?? null,
      });
      if (!session) return;
      const { nodes, pageInfo } = session.transitions;
      this.show({ log: mergeTransitions(this.view.log, nodes), hasOlder: pageInfo.hasPreviousPage });
    } catch (failure) {
      this.show({ failure: failure as GatewayError });
    }
  }

  /** Shows the result of the viewer's own mutation before the feed reports it. */
  applyResult(session: Row & VkycSessionActionsFragment): void {
    const { page } = this.view;
    if (page && session.version >= page.version) this.show({ page: { ...page, ...session } });
  }

  stop(): void {
    this.#run = null;
    this.#unwatch();
  }

  async #load(run: object): Promise<void> {
    await this.#refresh();
    const { page, log } = this.view;
    if (page && this.#run === run) this.#watch(log.at(-1)?.cursor ?? page.startCursor);
  }

  /**
   * Loads the page again after a frame, since frames leave out personal data and free text. Calls during a running query
   * are merged into one more query; a failed query is retried.
   */
  async #refresh(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    run.again = true;
    if (run.loading) return;
    run.loading = true;
    while (run.again && this.#run === run) {
      run.again = false;
      await this.#queryPage(run).catch(async (failure: GatewayError) => {
        if (failure.code === INVALID_ID_CODE) return this.show({ missing: true });
        this.show({ failure });
        run.again = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      });
    }
    run.loading = false;
  }

  async #queryPage(run: object): Promise<void> {
    const snapshots = this.#snapshots;
    const { session } = await this.#gateway.query(VkycSession, { id: this.#id });
    if (this.#run !== run || this.#snapshots !== snapshots) return;
    if (!session) return this.show({ missing: true, failure: null });
    const { transitions, ...page } = session;
    const known = this.view.page;
    const log = mergeTransitions(this.view.log, transitions.nodes);
    this.show({
      failure: null,
      log,
      page: known && known.version > page.version ? { ...page, ...pickVersionedFields(known) } : page,
      hasOlder: (log[0]?.sequence ?? 1) > 1,
    });
  }

  /** Replaces what is shown by a snapshot: after a failover transitions may be gone and the version lower. */
  #replace(session: Row & VkycSessionActionsFragment): void {
    this.#snapshots += 1;
    const { page } = this.view;
    this.show({ log: [], hasOlder: false, ...(page ? { page: { ...page, ...session } } : {}) });
  }

  #watch(after: string): void {
    this.#unwatch = this.#gateway.watch(
      VkycWatchSession,
      { sessionId: this.#id, after },
      {
        next: ({ sessionLive: frame }) => {
          if (frame.__typename === 'Heartbeat') return;
          if (frame.__typename === 'SessionSnapshot') this.#replace(frame.session);
          else {
            this.applyResult(frame.session);
            this.show({ log: mergeTransitions(this.view.log, [frame]) });
          }
          void this.#refresh();
        },
        onState: (state) => this.show({ state }),
        fail: (failure) => this.show({ failure, state: 'stale' }),
      },
    );
  }
}

/** Picks the fields that change with the version. */
const pickVersionedFields = (page: SessionDetails) => {
  const { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions } =
    page;
  return { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions };
};

/** Merges transitions into the log: each once, ordered by `sequence`. */
function mergeTransitions(log: readonly Transition[], read: readonly Transition[]): readonly Transition[] {
  const known = new Set(log.map(({ sequence }) => sequence));
  const fresh = read.filter(({ sequence }) => !known.has(sequence));
  return fresh.length === 0 ? log : [...log, ...fresh].sort((one, other) => one.sequence - other.sequence);
}
