import type { Logger } from 'pino';
import type { Database } from '../db/connection/client.ts';
import { type DeadlineCursor, findOverdueSessions } from '../db/sessions/deadlines.ts';
import { isFeedComplete, readFeedFrom, readNewestFeedEntries } from '../db/sessions/feed.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import { readLogEnds } from '../db/sessions/transitions.ts';
import type { Clock, Doorbell } from '../domain/ports.ts';
import { createTransitionDeliveryMeter } from '../telemetry/deliveries.ts';
import type { SubscriberFigures } from '../telemetry/gauges.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { withoutTrace } from '../telemetry/trace.ts';
import {
  type CursorExpiryReason,
  createExpiredCursorError,
  FEED_START_POSITION,
  getPositionAfter,
  type LogPosition,
} from './cursor.ts';
import { SubscriptionEndIterator } from './ending-iterator.ts';
import { getTransitionFingerprint } from './fingerprint.ts';
import { createLogQueries, type LogQueries } from './log-queries.ts';
import {
  createReadProgress,
  type FollowableLog,
  isSameLogEntry,
  LogTail,
  type LogTailEntry,
} from './log-tail.ts';
import { POSITION_ASSIGNMENT_TIMEOUT_MS, PositionAssigner } from './position-assignment.ts';
import { createFrameResultCache } from './shared-execution.ts';
import { Subscriber } from './subscriber.ts';
import { SubscriberGroup } from './subscriber-group.ts';
import type { LogSubscription, ResyncPoint, SubscriberProgress } from './subscription.ts';

/**
 * Poll interval of every followed log (a log with subscribers): a notification from another replica may get
 * lost, and polling then finds the new entries.
 */
const POLL_INTERVAL_MS = 2_000;
/**
 * Interval of the heartbeat timer. A subscriber that was sent nothing during one full interval gets a
 * heartbeat, so 5 to 10 s after its last frame.
 */
const HEARTBEAT_INTERVAL_MS = 5_000;
/** Interval at which sessions whose deadline has passed are looked for. */
const DEADLINE_INTERVAL_MS = 1_000;
/** Maximum number of passed deadlines that are read at once; the others follow at the next interval. */
const MAX_DEADLINES = 500;
/** Id after all others: the place after every session with the same deadline. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/**
 * Heartbeats stop if no read of the log has succeeded for this long: a heartbeat claims that nothing
 * happened, and without reads the gateway cannot know that.
 */
const MAX_UNVERIFIED_MS = 3 * POLL_INTERVAL_MS;
/**
 * A rewind (a failover lost the newest transitions) is detected by each followed log separately. Detections
 * within this time count as one rewind, so that it is logged and counted once.
 */
const REWIND_DEBOUNCE_MS = 3 * POLL_INTERVAL_MS;
/**
 * Maximum number of newest transitions kept in memory: for the feed over all sessions (`all`), and for each
 * followed session. The limit of a session is lower, because many sessions are followed and each has only a
 * few dozen transitions.
 */
const MAX_RECENT = { all: 1_000, session: 100 };
/** Key of the feed over all sessions in `#followed`; every other key is a session id. */
const ALL = 'all';

interface Followed {
  readonly tail: LogTail;
  readonly groups: Map<string, SubscriberGroup>;
}

interface Dependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly log: Logger;
  readonly metrics?: Metrics;
  /**
   * Schedules polls of the provider after the database lost transitions (failover or restore), see
   * `#onRewound`. If this function rejects, the hub calls it again at its next poll of the logs.
   */
  readonly relearn?: () => Promise<void>;
}

/**
 * Per-process registry of the followed logs: a session's log, or the feed over all sessions. Each followed
 * log has one tail, which reads the log, and one subscriber group for each distinct selection of fields.
 */
export class Hub {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #relearn: () => Promise<void>;
  readonly #read: LogQueries;
  readonly #positions: PositionAssigner;
  readonly #followed = new Map<string, Followed>();
  readonly #resultCache = createFrameResultCache();
  readonly #stopListening: () => void;
  readonly #timers: NodeJS.Timeout[];
  /**
   * Start time of the database server on which this process last assigned a feed position. A different start
   * time means that the server failed over or restarted.
   */
  #server: string | null = null;
  /**
   * Newest feed entry at the last poll. Every poll checks that the feed still contains this entry, so a
   * rewind (entries lost in a failover) is detected even if the feed has no subscriber.
   */
  #end: LogTailEntry | null = null;
  #rewoundAt = Number.NEGATIVE_INFINITY;
  #hasToRelearn = false;
  #polling: Promise<void> | null = null;
  #pollAgain = false;
  #stopped = false;
  /** Cursor up to which passed deadlines were sent to subscribers; null if no subscriber asked for deadlines. */
  #told: DeadlineCursor | null = null;
  #passing: Promise<void> | null = null;

  constructor({ db, clock, doorbell, log, metrics, relearn = async () => {} }: Dependencies) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#metrics = metrics;
    this.#relearn = relearn;
    this.#read = createLogQueries(db);
    this.#positions = new PositionAssigner({
      ...{ db, doorbell },
      onAssignedElsewhere: () => this.#followed.get(ALL)?.tail.wake(),
      onError: this.#complain,
    });
    this.#stopListening = doorbell.listen({
      onRing: (sessionId, _sequence, entry) => {
        const [session, all] = [this.#followed.get(sessionId)?.tail, this.#followed.get(ALL)?.tail];
        if (entry) {
          this.#compareServer(entry.server);
          session?.push({ ...entry, number: entry.sequence, position: null });
          all?.push(entry);
          return;
        }
        session?.wake();
        // The transaction that recorded the transition usually assigned its feed position too, so the tail
        // can read the feed right away.
        all?.wake();
        this.#positions.assignSoon();
      },
      onGap: () => this.#poll(),
    });
    this.#timers = [
      setInterval(() => this.#poll(), POLL_INTERVAL_MS),
      setInterval(() => this.#sendHeartbeats(), HEARTBEAT_INTERVAL_MS),
      setInterval(() => this.#lookForDeadlines(), DEADLINE_INTERVAL_MS),
    ];
    this.#poll();
  }

  /**
   * Subscribes to the transitions of one session that follow `after`, a place in the session's log.
   * Transitions are sent without waiting for their feed positions, which a single session's log does not
   * need.
   */
  followSession(
    session: SessionRow,
    after: LogPosition,
    subscription: LogSubscription,
    first?: ResyncPoint,
  ): SubscriptionEndIterator {
    const from = { at: after, number: after.sequence, fingerprint: after.fingerprint };
    return this.#follow(
      session.id,
      this.#read.session(session),
      session.lastSequence,
      from,
      subscription,
      first,
    );
  }

  /** Subscribes to the transitions of all sessions that follow `from`, a place in the feed, in feed order. */
  async followAll(
    from: SubscriberProgress,
    subscription: LogSubscription,
    first?: ResyncPoint,
  ): Promise<SubscriptionEndIterator> {
    const head = this.#followed.get(ALL)?.tail.head ?? (await this.newest()).number;
    return this.#follow(ALL, this.#read.feed, head, from, subscription, first);
  }

  /**
   * Returns the end of the feed. Assigns outstanding feed positions first, so that every transition committed
   * before the call is included.
   */
  async newest(): Promise<SubscriberProgress> {
    await this.#positions.assign();
    const [newest] = await readNewestFeedEntries(this.#db, 1);
    return newest ? { at: getPositionAfter(newest), ...createReadProgress(newest) } : FEED_START;
  }

  /**
   * Returns the feed position of `at`, a place in a session's log. A transition that was just recorded may
   * have no position yet; then this method waits until one is assigned, usually a few milliseconds.
   * @throws CursorError if the log has no transition or a different one at that place, or if later
   * transitions were archived
   */
  async positionOf(at: LogPosition): Promise<SubscriberProgress> {
    if (at.sessionId === FEED_START_POSITION.sessionId) {
      if (!(await isFeedComplete(this.#db))) throw createExpiredCursorError('ARCHIVED');
      return FEED_START;
    }
    const deadline = performance.now() + POSITION_ASSIGNMENT_TIMEOUT_MS;
    for (;;) {
      const found = await this.#read.findPlaced({ ...at, sequence: Math.max(at.sequence, 1) });
      if (!found) throw createExpiredCursorError(await this.#read.explainLoss(at.sessionId));
      if (at.fingerprint !== null && at.fingerprint !== getTransitionFingerprint(found))
        throw createExpiredCursorError('LOG_REWOUND');
      if (found.archived) throw createExpiredCursorError('ARCHIVED');
      const { position } = found;
      if (position !== null) {
        // The transition has another feed position than the cursor says: positions were assigned again after
        // a failover, so the client may have seen other entries before this one.
        if (at.position !== null && at.position !== position) throw createExpiredCursorError('LOG_REWOUND');
        if (at.sequence > 0) return { at, number: position, fingerprint: getTransitionFingerprint(found) };
        const before = position - 1;
        const [anchor] = await readFeedFrom(this.#db, before, 1);
        const isThere = anchor?.number === before;
        return { at, number: before, fingerprint: isThere ? getTransitionFingerprint(anchor) : null };
      }
      if (this.#stopped || performance.now() > deadline)
        throw new Error('a committed transition still has no feed position: no replica assigns positions');
      await this.#positions.assign();
    }
  }

  #follow(
    name: string,
    log: FollowableLog,
    head: number,
    from: SubscriberProgress,
    subscription: LogSubscription,
    first: ResyncPoint | undefined,
  ): SubscriptionEndIterator {
    const kind = name === ALL ? 'all' : 'session';
    let followed = this.#followed.get(name);
    if (!followed) {
      const tail = new LogTail(log, MAX_RECENT[kind], { error: this.#complain, rewound: this.#onRewound });
      followed = { tail, groups: new Map() };
      this.#followed.set(name, followed);
    }
    const { tail, groups } = followed;
    const { selection } = subscription;
    const [clock, metrics] = [this.#clock, this.#metrics];
    metrics?.subscriptions.inc({ log: kind, from: from.number < head ? 'past' : 'now' });
    // Deadlines that pass from now on are sent. Without subscribers that asked for deadlines, none is read.
    if (subscription.wantsDeadline) this.#told ??= { at: clock.now(), id: LAST_ID };
    let group = groups.get(selection.key);
    if (!group) {
      group = new SubscriberGroup(
        selection,
        createTransitionDeliveryMeter({ log: kind, clock, metrics }),
        this.#resultCache,
      );
      groups.set(selection.key, group);
      tail.listeners.add(group);
    }
    group.size += 1;
    const subscriber = new Subscriber(
      subscription,
      from,
      { tail, group, clock, metrics },
      { fault: this.#reportFault, expiry: (error) => handle.fail(error) },
    );
    const handle = new SubscriptionEndIterator(() => {
      subscriber.end();
      group.size -= 1;
      if (group.size > 0) return;
      groups.delete(selection.key);
      tail.listeners.delete(group);
      if (groups.size > 0) return;
      tail.stop();
      this.#followed.delete(name);
    });
    void tail.warmUp().then(() => subscriber.start(first ?? null));
    // Notifications that came before this log was followed had no listener, so read the end of the log once.
    tail.wake();
    return handle;
  }

  /**
   * Returns figures for the metrics: the numbers of subscribers, and `passedOn`, the newest feed position
   * that the feed's tail has published.
   */
  figures(): SubscriberFigures {
    const figures = { subscribers: { session: 0, all: 0 }, live: 0, lagging: 0 };
    for (const [name, { groups }] of this.#followed)
      for (const group of groups.values()) {
        const { live, lagging } = group.countSubscribers(Number.POSITIVE_INFINITY);
        figures.subscribers[name === ALL ? 'all' : 'session'] += group.size;
        figures.live += live;
        figures.lagging += lagging;
      }
    return { ...figures, passedOn: this.#followed.get(ALL)?.tail.head ?? null };
  }

  /**
   * Polls every followed log for entries whose notification was lost, and for a rewind (entries lost in a
   * failover). Costs a few statements, however many logs and subscribers there are.
   */
  #poll(): void {
    this.#positions.assignSoon();
    if (this.#polling) {
      this.#pollAgain = true;
      return;
    }
    this.#pollAgain = false;
    this.#polling = withoutTrace(() => Promise.all([this.#pollSessions(), this.#pollFeed()]))
      .catch(this.#complain)
      .then(() => {
        this.#polling = null;
        if (this.#pollAgain && !this.#stopped) this.#poll();
      });
  }

  async #pollSessions(): Promise<void> {
    const watched = [...this.#followed].filter(([name]) => name !== ALL);
    if (watched.length === 0) return;
    const began = performance.now();
    const known = watched.map(([sessionId, { tail }]) => ({ sessionId, sequence: tail.head }));
    const found = await readLogEnds(this.#db, known);
    const ends = new Map(found.map((end) => [end.sessionId, end]));
    for (const [name, { tail }] of watched) {
      const end = ends.get(name);
      const isEnd = end?.known?.sequence === end?.lastSequence;
      if (end?.known && isEnd)
        tail.confirm(createReadProgress({ ...end.known, number: end.lastSequence }), began);
      // The log has grown, was rewound or was archived; the tail reads it to find out which.
      if (tail.verifiedAt < began) tail.wake();
    }
  }

  async #pollFeed(): Promise<void> {
    this.#followed.get(ALL)?.tail.wake();
    if (this.#hasToRelearn) await this.#tryToRelearn();
    // Read the new end of the feed before checking the old one: if a failover happens between the two reads,
    // the next poll does not find the end that was read here, and so detects the rewind.
    const [newest] = await readNewestFeedEntries(this.#db, 1);
    const known = this.#end;
    const [found] = known ? await readFeedFrom(this.#db, known.number, 1) : [];
    this.#end = newest ?? null;
    // If retention archived the known entry, the read returns a later entry instead, which is not a rewind.
    if (known && !isSameLogEntry(known, found) && !(found && found.number > known.number))
      this.#onRewound('LOG_REWOUND');
  }

  /**
   * Called after a database connection was opened, which may lead to another server (failover): no log counts
   * as verified until it has been read again.
   */
  reconnected(): void {
    this.#doubtAll();
    this.#poll();
  }

  /**
   * Detects a failover by the start time of the server that assigned a feed position. Entries that a
   * transaction of this process hands over are not read from the log, so no read would notice that the new
   * server assigns numbers a second time.
   */
  #compareServer(server: string | undefined): void {
    if (server === undefined || server === this.#server) return;
    const isFirst = this.#server === null;
    this.#server = server;
    if (!isFirst) this.#doubtAll();
  }

  #doubtAll(): void {
    for (const { tail } of this.#followed.values()) tail.markDoubtful();
  }

  /**
   * Sends each deadline that has passed since this method last ran to the subscribers that asked for deadlines. Reads
   * nothing if there are none.
   */
  async #passDeadlines(): Promise<void> {
    const groups = [...this.#followed].flatMap(([name, followed]) =>
      [...followed.groups.values()].map((group) => ({ name, group })),
    );
    const wanting = groups.filter(({ group }) => group.deadlineMembers.size > 0);
    if (wanting.length === 0) this.#told = null;
    if (!this.#told) return;
    const now = this.#clock.now();
    const passed = await findOverdueSessions(this.#db, this.#told, now, MAX_DEADLINES);
    const last = passed.at(-1);
    this.#told =
      passed.length === MAX_DEADLINES && last ? { at: last.dueAt, id: last.id } : { at: now, id: LAST_ID };
    for (const { name, group } of wanting) {
      const ofLog = name === ALL ? passed : passed.filter(({ id }) => id === name);
      if (ofLog.length > 0) await group.passDeadlines(ofLog);
    }
  }

  #lookForDeadlines(): void {
    if (this.#passing) return;
    this.#passing = withoutTrace(() => this.#passDeadlines())
      .catch((error) => {
        if (!this.#stopped) this.#log.warn({ err: error }, 'could not read passed deadlines; retrying');
      })
      .finally(() => {
        this.#passing = null;
      });
  }

  #sendHeartbeats(): void {
    const blindBefore = performance.now() - MAX_UNVERIFIED_MS;
    for (const { tail, groups } of this.#followed.values()) {
      if (tail.verifiedAt < blindBefore) continue;
      for (const group of groups.values()) group.sendHeartbeats(this.#clock).catch(this.#complain);
    }
  }

  /**
   * Handles a rewind (the database lost transitions) that a followed log detected: writes one error for all
   * followed logs, and schedules polls of the provider, which still knows the state that the database lost.
   */
  readonly #onRewound = (why: CursorExpiryReason): void => {
    const now = performance.now();
    if (why !== 'LOG_REWOUND' || this.#stopped || now - this.#rewoundAt < REWIND_DEBOUNCE_MS) return;
    this.#rewoundAt = now;
    this.#metrics?.rewinds.inc();
    this.#log.error(
      'database lost transitions that subscribers had received (failover or restore); resyncing and polling the provider',
    );
    this.#hasToRelearn = true;
    this.#tryToRelearn().catch(this.#complain);
  };

  async #tryToRelearn(): Promise<void> {
    this.#hasToRelearn = false;
    try {
      await this.#relearn();
    } catch (error) {
      this.#hasToRelearn = true;
      throw error;
    }
  }

  readonly #complain = (error: unknown): void => {
    if (!this.#stopped)
      this.#log.warn({ err: error }, 'could not read the logs or assign feed positions; retrying');
  };

  readonly #reportFault = (error: unknown): void => {
    this.#log.error(
      { err: error },
      'a subscription failed; closing its connection so that the client resumes',
    );
  };

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    for (const timer of this.#timers) clearInterval(timer);
    for (const { tail } of this.#followed.values()) tail.stop();
    await this.#positions.stop();
  }
}

const FEED_START: SubscriberProgress = { at: FEED_START_POSITION, number: 0, fingerprint: null };
