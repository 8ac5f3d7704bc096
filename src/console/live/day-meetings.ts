import type { FeedState } from 'vkyc-gateway/client';
import type { GatewayClient, GatewayError } from '../gateway/gateway.ts';
import {
  type MeetingStatus,
  type SessionChange,
  VkycMeetingSlots,
  type VkycMeetingSlotsQuery,
  VkycMeetings,
  type VkycMeetingsQuery,
  VkycWatchFloor,
} from '../operations.ts';
import { pickNewerRow, type Row } from './rows.ts';
import { Store } from './store.ts';

/** Meeting of the calendar, with its session. */
export type CalendarMeeting = VkycMeetingsQuery['meetings']['nodes'][number];

/** Time in which meetings can take place. */
export type Slot = NonNullable<VkycMeetingSlotsQuery['meetingSlots']>[number];

export interface DayMeetingsState {
  /** Meetings of the day by their start. Until `isComplete`, those of the pages that are loaded. */
  readonly meetings: readonly CalendarMeeting[];
  /** Number of meetings of the day; null if it is not known yet, or if there are too many to count. */
  readonly total: number | null;
  /** Slots of the day; null until `isComplete`, and in a deployment without working hours. */
  readonly slots: readonly Slot[] | null;
  /** Whether the whole day has been loaded. */
  readonly isComplete: boolean;
  readonly state: FeedState;
  readonly failure: GatewayError | null;
}

/** A moved meeting is left out: the meeting at the new time replaces it. */
const SHOWN_STATUSES: MeetingStatus[] = ['SCHEDULED', 'COMPLETED', 'MISSED', 'CANCELLED'];
const PAGE_SIZE = 50;
/** The day is loaded at most this often, however many meetings change. */
const RELOAD_INTERVAL_MS = 500;
const RETRY_DELAY_MS = 3_000;

/**
 * Data of the calendar: the meetings and slots between two moments. The day is loaded page by page, and loaded again
 * after a frame of the feed says that one of its meetings has changed.
 */
export class DayMeetingsStore extends Store<DayMeetingsState> {
  readonly #gateway: GatewayClient;
  readonly #from: string;
  readonly #to: string;
  #unwatch = () => {};
  #isLoading = false;
  /** Whether a meeting changed while the day was being loaded. */
  #isOutdated = false;
  #reloading: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  /** Identifies the time between `start` and `stop`. An answer that arrives after `stop` is ignored. */
  #run: object | null = null;

  constructor(gateway: GatewayClient, { from, to }: { readonly from: string; readonly to: string }) {
    super({
      meetings: [],
      total: null,
      slots: null,
      isComplete: false,
      state: 'catching up',
      failure: null,
    });
    this.#gateway = gateway;
    this.#from = from;
    this.#to = to;
  }

  start(): void {
    this.#run = {};
    void this.#begin(this.#run);
  }

  stop(): void {
    this.#run = null;
    this.#unwatch();
    clearTimeout(this.#reloading);
    clearTimeout(this.#retrying);
    this.#reloading = undefined;
  }

  /**
   * Loads the day, and subscribes to the feed from the cursor of the first page, so that no change during the loading
   * is missed. Called at the start, and after each FeedReset.
   */
  async #begin(run: object): Promise<void> {
    this.#unwatch();
    const cursor = await this.#load(run);
    if (this.#run !== run) return;
    if (cursor !== null) return this.#watch(run, cursor);
    this.show({ state: 'stale' });
    this.#retry(() => void this.#begin(run));
  }

  /** Loads the whole day. Returns the feed cursor of its first page; null if a query failed. */
  async #load(run: object): Promise<string | null> {
    this.#isLoading = true;
    this.#isOutdated = false;
    const range = { from: this.#from, to: this.#to };
    try {
      const [{ meetings, cursor }, { meetingSlots }] = await Promise.all([
        this.#loadMeetings(run, range),
        this.#gateway.query(VkycMeetingSlots, range),
      ]);
      if (this.#run === run)
        this.show({
          meetings,
          total: meetings.length,
          slots: meetingSlots,
          isComplete: true,
          failure: null,
        });
      return cursor;
    } catch (failure) {
      if (this.#run === run) this.show({ failure: failure as GatewayError });
      return null;
    } finally {
      this.#isLoading = false;
    }
  }

  /** Loads all pages. Shows them as they arrive, unless a complete day is shown. */
  async #loadMeetings(run: object, range: { from: string; to: string }) {
    const meetings: CalendarMeeting[] = [];
    let cursor: string | null = null;
    let after: string | null = null;
    do {
      const { feedCursor, meetings: page }: VkycMeetingsQuery = await this.#gateway.query(VkycMeetings, {
        ...range,
        first: PAGE_SIZE,
        after,
        filter: { status: SHOWN_STATUSES },
      });
      cursor ??= feedCursor;
      meetings.push(...page.nodes);
      after = page.pageInfo.hasNextPage && this.#run === run ? page.pageInfo.endCursor : null;
      if (this.#run === run && !this.view.isComplete)
        this.show({ meetings: [...meetings], total: page.totalCount });
    } while (after !== null);
    return { meetings, cursor };
  }

  #watch(run: object, after: string): void {
    this.#unwatch = this.#gateway.watch(
      VkycWatchFloor,
      { after },
      {
        next: ({ feed }) => {
          if (feed.__typename === 'StatusTransition') this.#apply(run, feed.session, feed.changes);
          else if (feed.__typename === 'FeedReset') void this.#begin(run);
        },
        onState: (state) => this.show({ state }),
        fail: (failure) => this.show({ failure, state: 'stale' }),
      },
    );
  }

  /** Shows the new state of a session, and loads the day again if one of its meetings has changed. */
  #apply(run: object, session: Row, changes: readonly SessionChange[]): void {
    const { meetings } = this.view;
    const isShown = meetings.some((each) => each.session.id === session.id);
    if (isShown)
      this.show({
        meetings: meetings.map((each) =>
          each.session.id === session.id ? { ...each, session: pickNewerRow(each.session, session) } : each,
        ),
      });
    const hasMoved = changes.some((change) => change === 'MEETINGS');
    if (hasMoved && (isShown || this.#isInRange(session.meeting?.startsAt))) this.#reload(run);
  }

  #isInRange(at: string | undefined): boolean {
    return at !== undefined && at >= this.#from && at < this.#to;
  }

  /** Loads the day again soon. Changes until then, and during a load, are covered by one load. */
  #reload(run: object): void {
    if (this.#isLoading) {
      this.#isOutdated = true;
      return;
    }
    this.#reloading ??= setTimeout(async () => {
      this.#reloading = undefined;
      const cursor = await this.#load(run);
      if (this.#run !== run) return;
      if (cursor === null) this.#retry(() => this.#reload(run));
      else if (this.#isOutdated) this.#reload(run);
    }, RELOAD_INTERVAL_MS);
  }

  #retry(load: () => void): void {
    if (this.view.failure?.isTransient) this.#retrying = setTimeout(load, RETRY_DELAY_MS);
  }
}
