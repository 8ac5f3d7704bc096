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
  /** Null: not read yet, or there is none. */
  readonly page: SessionDetails | null;
  /** There is no such session, or it is not this viewer's to see. */
  readonly missing: boolean;
  /** Oldest first, without gaps from the first of them. */
  readonly log: readonly Transition[];
  readonly hasOlder: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

const OLDER_PAGE_SIZE = 50;
const RETRY_DELAY_MS = 3_000;
/** What the gateway says of an id that is none of its own. */
const INVALID_ID_CODE = 'BAD_USER_INPUT';

/** One session: its page, kept true by its own feed. */
export class LiveSession extends Store<SessionView> {
  readonly #gateway: Gateway;
  readonly #id: string;
  #unwatch = () => {};
  /** From a start to its stop, and whether its page is being read, or wanted anew. */
  #life: { reading: boolean; wanted: boolean } | null = null;
  /** Snapshots that replaced what was shown. A page that was asked for before one may be of a log that is no more. */
  #snapshots = 0;

  constructor(gateway: Gateway, id: string) {
    super({ page: null, missing: false, log: [], hasOlder: false, state: 'catching up', failure: null });
    this.#gateway = gateway;
    this.#id = id;
  }

  /** Reads what there is, and follows it from there. */
  start(): void {
    this.#life = { reading: false, wanted: false };
    void this.#begin(this.#life);
  }

  /** Reads what came before the first transition that is shown. */
  async readOlder(): Promise<void> {
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

  /** Takes over what somebody's act has answered, before the feed tells of it. */
  take(session: Row & VkycSessionActionsFragment): void {
    const { page } = this.view;
    if (page && session.version >= page.version) this.show({ page: { ...page, ...session } });
  }

  stop(): void {
    this.#life = null;
    this.#unwatch();
  }

  async #begin(life: object): Promise<void> {
    await this.#refresh();
    const { page, log } = this.view;
    if (page && this.#life === life) this.#watch(log.at(-1)?.cursor ?? page.startCursor);
  }

  /**
   * What frames do not carry, personal data and words above all, is read anew after them: one reading at a time, and
   * until there is one, or it is sure that there is nothing to read.
   */
  async #refresh(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.wanted = true;
    if (life.reading) return;
    life.reading = true;
    while (life.wanted && this.#life === life) {
      life.wanted = false;
      await this.#readPage(life).catch(async (failure: GatewayError) => {
        if (failure.code === INVALID_ID_CODE) return this.show({ missing: true });
        this.show({ failure });
        life.wanted = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      });
    }
    life.reading = false;
  }

  async #readPage(life: object): Promise<void> {
    const snapshots = this.#snapshots;
    const { session } = await this.#gateway.query(VkycSession, { id: this.#id });
    if (this.#life !== life || this.#snapshots !== snapshots) return;
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

  /** Shows a snapshot in place of all that was shown: a failover may have lost transitions, and versions with them. */
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
            this.take(frame.session);
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

/** The fields that change with the version. */
const pickVersionedFields = (page: SessionDetails) => {
  const { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions } =
    page;
  return { version, disputed, statusInfo, statusSince, meeting, updatedAt, availableActions, blockedActions };
};

/** Each transition once, in the order of the log. */
function mergeTransitions(log: readonly Transition[], read: readonly Transition[]): readonly Transition[] {
  const known = new Set(log.map(({ sequence }) => sequence));
  const fresh = read.filter(({ sequence }) => !known.has(sequence));
  return fresh.length === 0 ? log : [...log, ...fresh].sort((one, other) => one.sequence - other.sequence);
}
