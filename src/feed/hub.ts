import type { Logger } from 'pino';
import type { Database } from '../db/connection/client.ts';
import { hasFeedStart, readFeedFrom, readFeedHead } from '../db/sessions/feed.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import { findLogEnds } from '../db/sessions/transitions.ts';
import type { Clock, Doorbell } from '../domain/ports.ts';
import { createDeliveryObserver } from '../telemetry/deliveries.ts';
import type { FeedFigures } from '../telemetry/gauges.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { withoutTrace } from '../telemetry/trace.ts';
import { type CursorExpiry, expiredCursor, LOG_START, type LogPosition, positionAfter } from './cursor.ts';
import { getFingerprint } from './fingerprint.ts';
import { createLogQueries, type LogQueries } from './log-queries.ts';
import { type Entry, isSame, LogTail, type OrderedLog, progressTo } from './log-tail.ts';
import { POSITION_TIMEOUT_MS, PositionAssignment } from './position-assignment.ts';
import { createFrameResultCache } from './shared-execution.ts';
import { Subscriber } from './subscriber.ts';
import { SubscriberGroup } from './subscriber-group.ts';
import type { LogProgress, ResyncPoint, Subscription } from './subscription.ts';
import { SubscriptionHandle } from './subscription-handle.ts';

/** Notifications between replicas may get lost, so every followed log is also polled this often. */
const POLL_INTERVAL_MS = 2_000;
/**
 * Heartbeat interval. A subscriber that was sent nothing for one to two intervals gets a heartbeat: after 10 s at the
 * latest.
 */
const HEARTBEAT_INTERVAL_MS = 5_000;
/**
 * Heartbeats stop if no read has confirmed the log for this long: a heartbeat claims that nothing happened.
 */
const MAX_UNVERIFIED_MS = 3 * POLL_INTERVAL_MS;
/**
 * Followed logs detect the same rewind (a failover that lost the newest transitions) one after the other.
 * Detections within this time count as one and are logged once.
 */
const REWIND_DEBOUNCE_MS = 3 * POLL_INTERVAL_MS;
/**
 * Maximum number of newest transitions that each followed log keeps in memory. Less for a session, because
 * many sessions are followed and each has only a few dozen transitions.
 */
const MAX_RECENT = { all: 1_000, session: 100 };
/** Key of the global feed in `#followed`; all other keys are session ids. */
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
   * Schedules polls of the provider for the transitions that the database lost, see `#onRewound`. If it
   * rejects, the hub calls it again later.
   */
  readonly relearn?: () => Promise<void>;
}

/**
 * Per-process registry of the logs that are followed: one session's log, or the feed over all sessions. Each followed
 * log has one tail, which reads it, and a subscriber group for each distinct selection.
 */
export class Hub {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #relearn: () => Promise<void>;
  readonly #read: LogQueries;
  readonly #positions: PositionAssignment;
  readonly #followed = new Map<string, Followed>();
  readonly #resultCache = createFrameResultCache();
  readonly #stopListening: () => void;
  readonly #timers: NodeJS.Timeout[];
  /**
   * Start time of the database server that assigned the newest feed position handed over in this process.
   * Another start time reveals a failover or a restart.
   */
  #server: string | null = null;
  /**
   * Newest feed entry at the last poll. Every poll checks that the log still has it, so a rewind is detected even if the
   * feed has no subscriber.
   */
  #end: Entry | null = null;
  #rewoundAt = Number.NEGATIVE_INFINITY;
  #hasToRelearn = false;
  #polling: Promise<void> | null = null;
  #pollAgain = false;
  #stopped = false;

  constructor({ db, clock, doorbell, log, metrics, relearn = async () => {} }: Dependencies) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#metrics = metrics;
    this.#relearn = relearn;
    this.#read = createLogQueries(db);
    this.#positions = new PositionAssignment({
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
        // The transaction that recorded the transition usually assigned its feed position too, so the feed
        // can be read right away.
        all?.wake();
        this.#positions.assignSoon();
      },
      onGap: () => this.#poll(),
    });
    this.#timers = [
      setInterval(() => this.#poll(), POLL_INTERVAL_MS),
      setInterval(() => this.#sendHeartbeats(), HEARTBEAT_INTERVAL_MS),
    ];
    this.#poll();
  }

  /**
   * Subscribes to one session's transitions after a place in its log. They are sent without waiting for feed
   * positions.
   */
  followSession(
    session: SessionRow,
    after: LogPosition,
    subscription: Subscription,
    first?: ResyncPoint,
  ): SubscriptionHandle {
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

  /** Subscribes to the transitions of all sessions after a place in the feed, in feed order. */
  async followAll(
    from: LogProgress,
    subscription: Subscription,
    first?: ResyncPoint,
  ): Promise<SubscriptionHandle> {
    const head = this.#followed.get(ALL)?.tail.head ?? (await this.newest()).number;
    return this.#follow(ALL, this.#read.feed, head, from, subscription, first);
  }

  /** Returns the end of the feed. Every transition that was committed before the call is at or before it. */
  async newest(): Promise<LogProgress> {
    await this.#positions.assign();
    const [newest] = await readFeedHead(this.#db, 1);
    return newest ? { at: positionAfter(newest), ...progressTo(newest) } : FEED_START;
  }

  /**
   * Returns the feed position of a place in a session's log. A transition that was just recorded may have no
   * position yet; this waits the few milliseconds until it has one.
   * @throws CursorError if the log has no transition or another one at that place, or later transitions were
   * archived
   */
  async positionOf(at: LogPosition): Promise<LogProgress> {
    if (at.sessionId === LOG_START.sessionId) {
      if (!(await hasFeedStart(this.#db))) throw expiredCursor('ARCHIVED');
      return FEED_START;
    }
    const deadline = performance.now() + POSITION_TIMEOUT_MS;
    for (;;) {
      const found = await this.#read.findPlaced({ ...at, sequence: Math.max(at.sequence, 1) });
      if (!found) throw expiredCursor(await this.#read.explainLoss(at.sessionId));
      if (at.fingerprint !== null && at.fingerprint !== getFingerprint(found))
        throw expiredCursor('LOG_REWOUND');
      if (found.archived) throw expiredCursor('ARCHIVED');
      const { position } = found;
      if (position !== null) {
        // The transition has another position than the cursor says, so the entries before it may not be those that the
        // client saw.
        if (at.position !== null && at.position !== position) throw expiredCursor('LOG_REWOUND');
        if (at.sequence > 0) return { at, number: position, fingerprint: getFingerprint(found) };
        const before = position - 1;
        const [anchor] = await readFeedFrom(this.#db, before, 1);
        const isThere = anchor?.number === before;
        return { at, number: before, fingerprint: isThere ? getFingerprint(anchor) : null };
      }
      if (this.#stopped || performance.now() > deadline)
        throw new Error('a committed transition still has no feed position: no replica assigns positions');
      await this.#positions.assign();
    }
  }

  #follow(
    name: string,
    log: OrderedLog,
    head: number,
    from: LogProgress,
    subscription: Subscription,
    first: ResyncPoint | undefined,
  ): SubscriptionHandle {
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
    let group = groups.get(selection.key);
    if (!group) {
      group = new SubscriberGroup(
        selection,
        createDeliveryObserver({ log: kind, clock, metrics }),
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
    const handle = new SubscriptionHandle(() => {
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
    // Transitions may have been announced before this log was followed, so read its end once.
    tail.wake();
    return handle;
  }

  /** Returns the numbers of subscribers for the metrics, and the newest position that was passed on to them. */
  figures(): FeedFigures {
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
   * Polls every followed log: for entries whose notification was lost, and for a rewind. Takes a few statements,
   * however many logs and subscribers there are.
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
    const found = await findLogEnds(this.#db, known);
    const ends = new Map(found.map((end) => [end.sessionId, end]));
    for (const [name, { tail }] of watched) {
      const end = ends.get(name);
      const isEnd = end?.known?.sequence === end?.lastSequence;
      if (end?.known && isEnd) tail.confirm(progressTo({ ...end.known, number: end.lastSequence }), began);
      // The log has grown, was rewound or was archived; the tail's own read tells which.
      if (tail.verifiedAt < began) tail.wake();
    }
  }

  async #pollFeed(): Promise<void> {
    this.#followed.get(ALL)?.tail.wake();
    if (this.#hasToRelearn) await this.#tryToRelearn();
    // Read the new end before checking the old one: if the database server changes between the two reads, the
    // next poll will not find the end that was read here, and so detects the rewind.
    const [newest] = await readFeedHead(this.#db, 1);
    const known = this.#end;
    const [found] = known ? await readFeedFrom(this.#db, known.number, 1) : [];
    this.#end = newest ?? null;
    // If the known entry was archived, the read returns a later entry instead: that is no rewind.
    if (known && !isSame(known, found) && !(found && found.number > known.number))
      this.#onRewound('LOG_REWOUND');
  }

  /**
   * Called after a new database connection was made, which may lead to another server: no log counts as verified until
   * it was read again.
   */
  reconnected(): void {
    this.#doubtAll();
    this.#poll();
  }

  /**
   * Detects a failover from the server that assigned a position. Entries that are handed over by their
   * transaction are not read from the log, so no read would notice that another server assigned their numbers
   * again.
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

  #sendHeartbeats(): void {
    const blindBefore = performance.now() - MAX_UNVERIFIED_MS;
    for (const { tail, groups } of this.#followed.values()) {
      if (tail.verifiedAt < blindBefore) continue;
      for (const group of groups.values()) group.sendHeartbeats(this.#clock).catch(this.#complain);
    }
  }

  /**
   * Handles a rewind that a followed log detected: writes one log message for all logs, and schedules polls,
   * because the provider still knows what the database lost.
   */
  readonly #onRewound = (why: CursorExpiry): void => {
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
    if (!this.#stopped) this.#log.warn({ err: error }, 'could not read or number the feed; retrying');
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

const FEED_START: LogProgress = { at: LOG_START, number: 0, fingerprint: null };
