import type { FeedState } from 'vkyc-gateway/client';
import type { GatewayClient, GatewayError } from '../gateway/gateway.ts';
import {
  type SessionChange,
  VkycMoreMeetings,
  VkycMoreNotes,
  VkycSession,
  type VkycSessionActionsFragment,
  VkycSessionLog,
  type VkycSessionPageFragment,
  VkycSessionParts,
  type VkycSessionPartsQueryVariables,
  type VkycTransitionFragment,
  VkycWatchSession,
} from '../operations.ts';
import { hasLeaseEnded, type Row } from './rows.ts';
import { Store } from './store.ts';

export type SessionDetails = Omit<VkycSessionPageFragment, 'transitions'>;
export type Transition = VkycTransitionFragment;

/**
 * Part of the page that frames (results of the subscription) do not contain, so that it must be queried. Most parts
 * may contain personal data, which frames never contain.
 */
type Part = Exclude<keyof VkycSessionPartsQueryVariables, 'id'>;

/** Part to query after a frame that names this change; null if the frame itself contains all that may have changed. */
const CHANGED_PARTS: Readonly<Record<SessionChange, Part | null>> = {
  STATUS: null,
  MEETINGS: 'meetings',
  REVIEWS: 'reviews',
  NOTES: 'notes',
  ESCALATION: 'escalations',
  CLOSURE: 'closure',
  DISPUTE: 'disputes',
  REPLACEMENT: 'replacement',
  ASSIGNMENT: 'assignment',
  LABELS: 'labels',
  // The page does not show notifications.
  NOTIFICATIONS: null,
};

/** State of the time between `start` and `stop`: what must be queried. */
interface Run {
  /** Whether a query is running. The queries run one after another. */
  loading: boolean;
  /** Whether the whole page must be queried. */
  page: boolean;
  /** Parts that must be queried. */
  readonly parts: Set<Part>;
}

export interface LiveSessionState {
  /** The session; null if it is not loaded yet, or if `missing` is true. */
  readonly page: SessionDetails | null;
  /** True if the session does not exist, or the viewer may not see it. */
  readonly missing: boolean;
  /**
   * Transitions, oldest first, up to the newest transition and without gaps. Older transitions may not be
   * loaded.
   */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

/** Page sizes of what a button loads: the most that the gateway gives at once. */
const OLDER_PAGE_SIZE = 100;
const MORE_PAGE_SIZE = 100;
const RETRY_DELAY_MS = 3_000;
/** Error code of the gateway for a global id that it cannot decode. */
const INVALID_ID_CODE = 'BAD_USER_INPUT';

/** Data of the session page. A subscription to the session keeps the data up to date. */
export class LiveSessionStore extends Store<LiveSessionState> {
  readonly #gateway: GatewayClient;
  readonly #id: string;
  #unwatch = () => {};
  /** Null when stopped. */
  #run: Run | null = null;
  /**
   * Number of snapshots received. If the number changes during a query, the answer of the query is ignored,
   * because it may contain transitions that a failover has lost.
   */
  #snapshots = 0;

  constructor(gateway: GatewayClient, id: string) {
    super({ page: null, missing: false, log: [], hasOlder: false, state: 'catching up', failure: null });
    this.#gateway = gateway;
    this.#id = id;
  }

  /** Loads the session, and then subscribes to it after its newest loaded transition. */
  start(): void {
    this.#run = { loading: false, page: false, parts: new Set() };
    void this.#load(this.#run);
  }

  /** Loads a page of transitions that are older than the transitions shown. */
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

  /** Loads a page of meetings that are older than the meetings shown. */
  async loadMoreMeetings(): Promise<void> {
    const after = this.view.page?.meetings.pageInfo.endCursor;
    if (!after) return;
    await this.#loadMore(async (id) => {
      const { session } = await this.#gateway.query(VkycMoreMeetings, { id, first: MORE_PAGE_SIZE, after });
      const shown = this.view.page?.meetings;
      return session && shown ? { meetings: appendNodes(shown, session.meetings) } : {};
    });
  }

  /** Loads a page of notes that are older than the notes shown. */
  async loadMoreNotes(): Promise<void> {
    const after = this.view.page?.notes?.pageInfo.endCursor;
    if (!after) return;
    await this.#loadMore(async (id) => {
      const { session } = await this.#gateway.query(VkycMoreNotes, { id, first: MORE_PAGE_SIZE, after });
      const shown = this.view.page?.notes;
      return session?.notes && shown ? { notes: appendNodes(shown, session.notes) } : {};
    });
  }

  async #loadMore(query: (id: string) => Promise<Partial<SessionDetails>>): Promise<void> {
    const run = this.#run;
    try {
      const more = await query(this.#id);
      const { page } = this.view;
      if (page && this.#run === run) this.show({ page: { ...page, ...more } });
    } catch (failure) {
      if (this.#run === run) this.show({ failure: failure as GatewayError });
    }
  }

  /** Shows the result of the viewer's own mutation immediately, without waiting for the feed. */
  applyResult(session: Row & VkycSessionActionsFragment): void {
    const { page } = this.view;
    if (page && session.version >= page.version) this.show({ page: { ...page, ...session } });
  }

  stop(): void {
    this.#run = null;
    this.#unwatch();
  }

  async #load(run: object): Promise<void> {
    await this.#refresh('PAGE');
    const { page, log } = this.view;
    if (page && this.#run === run) this.#watch(log.at(-1)?.cursor ?? page.startCursor);
  }

  /**
   * Queries the whole page, or some parts of it. Parts that are requested while a query runs are queried together
   * after it. A failed query is retried.
   */
  async #refresh(needed: 'PAGE' | readonly Part[]): Promise<void> {
    const run = this.#run;
    if (!run) return;
    if (needed === 'PAGE') run.page = true;
    else for (const part of needed) run.parts.add(part);
    if (run.loading) return;
    run.loading = true;
    while ((run.page || run.parts.size > 0) && this.#run === run) {
      const { page } = run;
      const parts = [...run.parts];
      run.page = false;
      run.parts.clear();
      await (page ? this.#queryPage(run) : this.#queryParts(run, parts)).catch(
        async (failure: GatewayError) => {
          if (failure.code === INVALID_ID_CODE) return this.show({ missing: true });
          this.show({ failure });
          run.page ||= page;
          for (const part of parts) run.parts.add(part);
          await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
        },
      );
    }
    run.loading = false;
  }

  async #queryPage(run: Run): Promise<void> {
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
      page: {
        ...page,
        ...(known && known.version > page.version ? pickVersionedFields(known) : {}),
        ...keepLoaded(known, page),
      },
      hasOlder: (log[0]?.sequence ?? 1) > 1,
    });
  }

  async #queryParts(run: Run, parts: readonly Part[]): Promise<void> {
    const snapshots = this.#snapshots;
    const wanted = Object.fromEntries(parts.map((part) => [part, true]));
    const { session } = await this.#gateway.query(VkycSessionParts, { id: this.#id, ...wanted });
    if (this.#run !== run || this.#snapshots !== snapshots) return;
    if (!session) return this.show({ missing: true, failure: null });
    const { page } = this.view;
    if (page) this.show({ failure: null, page: { ...page, ...session, ...keepLoaded(page, session) } });
  }

  /**
   * Replaces the data shown by a snapshot. Nothing is merged, because after a failover transitions may be
   * gone and the version may be lower.
   */
  #replace(session: Row & VkycSessionActionsFragment): void {
    this.#snapshots += 1;
    const { page } = this.view;
    this.show({ log: [], hasOlder: false, ...(page ? { page: { ...page, ...session } } : {}) });
  }

  /** Queries the page again when the lease has ended, which is no frame, but changes what the viewer may do. */
  #onHeartbeat(serverTime: string): void {
    const { page } = this.view;
    if (page && hasLeaseEnded(page, serverTime)) void this.#refresh('PAGE');
  }

  #watch(after: string): void {
    this.#unwatch = this.#gateway.watch(
      VkycWatchSession,
      { sessionId: this.#id, after },
      {
        next: ({ sessionLive: frame }) => {
          // The subscription does not select deadlines, so that none is sent.
          if (frame.__typename === 'DeadlinePassed') return;
          if (frame.__typename === 'Heartbeat') return this.#onHeartbeat(frame.serverTime);
          if (frame.__typename === 'SessionSnapshot') {
            this.#replace(frame.session);
            return void this.#refresh('PAGE');
          }
          const parts = findStaleParts(this.view.page, frame);
          this.applyResult(frame.session);
          this.show({ log: mergeTransitions(this.view.log, [frame]) });
          void this.#refresh(parts);
        },
        onState: (state) => this.show({ state }),
        fail: (failure) => this.show({ failure, state: 'stale' }),
      },
    );
  }
}

/**
 * Returns the parts of the page that a frame says have changed. The link is not among the changes of a frame: a new
 * link has a new expiry time.
 */
function findStaleParts(
  page: SessionDetails | null,
  { changes, session }: Pick<Transition, 'changes'> & { session: Row },
): readonly Part[] {
  // A later release may name changes that this page does not show.
  const parts = changes.flatMap((change) => CHANGED_PARTS[change] ?? []);
  return page?.linkExpiresAt === session.linkExpiresAt ? parts : [...parts, 'link'];
}

/** Page of a list, with the number of entries on all pages. */
interface Listed<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number | null;
}

/** Appends a page to the entries shown. An entry that was added while the page was loaded moves no other entry. */
function appendNodes<Node extends { readonly id: string }, List extends Listed<Node>>(
  shown: List & Listed<Node>,
  more: List & Listed<Node>,
): List {
  const present = new Set(shown.nodes.map(({ id }) => id));
  return { ...more, nodes: [...shown.nodes, ...more.nodes.filter(({ id }) => !present.has(id))] };
}

/** Returns the lists of a new answer together with the later pages that the user had loaded. */
function keepLoaded(
  known: SessionDetails | null,
  read: Partial<Pick<SessionDetails, 'meetings' | 'notes'>>,
): Partial<Pick<SessionDetails, 'meetings' | 'notes'>> {
  return {
    ...(read.meetings && { meetings: withLaterPages(known?.meetings, read.meetings) }),
    ...(read.notes && { notes: withLaterPages(known?.notes, read.notes) }),
  };
}

function withLaterPages<Node extends { readonly id: string }, List extends Listed<Node>>(
  known: (List & Listed<Node>) | null | undefined,
  read: List & Listed<Node>,
): List {
  if (!known || known.nodes.length <= read.nodes.length) return read;
  const present = new Set(read.nodes.map(({ id }) => id));
  const later = known.nodes.filter(({ id }) => !present.has(id));
  return { ...read, nodes: [...read.nodes, ...later], pageInfo: known.pageInfo };
}

/** Returns those fields of a session that change only together with its version. */
const pickVersionedFields = (page: SessionDetails) => {
  const { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions } =
    page;
  return { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions };
};

/**
 * Merges loaded transitions into the log. Each transition occurs once, and the log is ordered by `sequence`.
 */
function mergeTransitions(log: readonly Transition[], read: readonly Transition[]): readonly Transition[] {
  const known = new Set(log.map(({ sequence }) => sequence));
  const fresh = read.filter(({ sequence }) => !known.has(sequence));
  return fresh.length === 0 ? log : [...log, ...fresh].sort((one, other) => one.sequence - other.sequence);
}
