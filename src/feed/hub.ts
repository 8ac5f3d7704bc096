import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { feedFrom, isWholeFeed, newestInFeed, numberCommitted } from '../db/feed.ts';
import type { SessionRow } from '../db/sessions.ts';
import { findLogEnds } from '../db/transitions.ts';
import type { Clock, Doorbell } from '../domain/ports.ts';
import { watchDelivery } from '../telemetry/deliveries.ts';
import type { FeedFigures } from '../telemetry/gauges.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { detached } from '../telemetry/trace.ts';
import { Audience } from './audience.ts';
import { type CursorExpiry, expiredCursor, LOG_START, type LogPlace, placeAfter } from './cursor.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Follower } from './follower.ts';
import { Lifetime } from './lifetime.ts';
import { createLogReaders, type LogReaders } from './readers.ts';
import { createLastingResults } from './shared-execution.ts';
import type { Anew, LogProgress, Subscriber } from './stream.ts';
import { type Entry, isSame, type NumberedLog, progressTo, Tail } from './tail.ts';

/** Doorbells may get lost: everything is looked at by itself this often. */
const LOOK_EVERY_MS = 2_000;
/** How soon to try again while another replica gives out positions, at first and in the end. */
const NUMBERING_RETRY_MS = { first: 3, last: 100 };
/** A committed transition that has no position after this long: nobody gives out positions any more. */
const NUMBERING_DEADLINE_MS = 10_000;
const NUMBERING_BATCH = 1_000;
/** Those to whom nothing was sent for one to two of these are told that there is nothing: every 10 s at the latest. */
const BEAT_MS = 5_000;
/** Heartbeats stop if the log was not verified for this long: a heartbeat claims that nothing happened. */
const BLIND_AFTER_MS = 3 * LOOK_EVERY_MS;
/** All logs that are followed find out about the same rewind within this time: it is reported once. */
const ONE_REWIND_MS = 3 * LOOK_EVERY_MS;
/** Of the newest transitions, for each log that is followed: a session has a few dozen, and many are followed. */
const KEPT = { all: 1_000, session: 100 };
/** The name of the log over all sessions, among those of single sessions. */
const ALL = 'all';

interface Followed {
  readonly tail: Tail;
  readonly audiences: Map<string, Audience>;
}

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Plans to learn again what the database lost, see `onRewound`. Rejects if it has to be tried again. */
  readonly relearn?: () => Promise<void>;
}

/** From the log to its subscribers: of one session, or of all in the order of the feed. */
export class Hub {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #doorbell: Doorbell;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #relearn: () => Promise<void>;
  readonly #read: LogReaders;
  readonly #followed = new Map<string, Followed>();
  readonly #lasting = createLastingResults();
  readonly #stopListening: () => void;
  readonly #timers: NodeJS.Timeout[];
  #pass: Promise<void> = Promise.resolve();
  #nextPass: Promise<void> | null = null;
  /** The server that assigned the newest position that was handed over here. */
  #server: string | null = null;
  /** The feed's end at the last look: whether it is still in the log is looked at although nobody follows the feed. */
  #end: Entry | null = null;
  #rewoundAt = Number.NEGATIVE_INFINITY;
  #hasToRelearn = false;
  #lookingAtLogs: Promise<void> | null = null;
  #looksAgain = false;
  #stopped = false;

  constructor({ db, clock, doorbell, log, metrics, relearn = async () => {} }: Parts) {
    this.#db = db;
    this.#clock = clock;
    this.#doorbell = doorbell;
    this.#log = log;
    this.#metrics = metrics;
    this.#relearn = relearn;
    this.#read = createLogReaders(db);
    this.#stopListening = doorbell.listen({
      rung: (sessionId, _sequence, entry) => {
        const [session, all] = [this.#followed.get(sessionId)?.tail, this.#followed.get(ALL)?.tail];
        if (entry) {
          this.#compareServer(entry.server);
          session?.give({ ...entry, number: entry.sequence, position: null });
          all?.give(entry);
          return;
        }
        session?.wake();
        // Most have their positions by the commit that is rung for.
        all?.wake();
        this.#number().catch(this.#complain);
      },
      missed: () => this.#look(),
    });
    this.#timers = [setInterval(() => this.#look(), LOOK_EVERY_MS), setInterval(() => this.#beat(), BEAT_MS)];
    this.#look();
  }

  /** One session's transitions after a place in its log. Needs nothing but that log. */
  followSession(session: SessionRow, after: LogPlace, subscriber: Subscriber, first?: Anew): Lifetime {
    const from = { at: after, number: after.sequence, fingerprint: after.fingerprint };
    return this.#follow(
      session.id,
      this.#read.session(session),
      session.lastSequence,
      from,
      subscriber,
      first,
    );
  }

  /** All sessions' transitions after a place in the log, in the order of the feed. */
  async followAll(from: LogProgress, subscriber: Subscriber, first?: Anew): Promise<Lifetime> {
    const head = this.#followed.get(ALL)?.tail.head ?? (await this.newest()).number;
    return this.#follow(ALL, this.#read.feed, head, from, subscriber, first);
  }

  /** The newest place in the order over all sessions: at or after everything that was committed before the call. */
  async newest(): Promise<LogProgress> {
    await this.#number();
    const [newest] = await newestInFeed(this.#db, 1);
    return newest ? { at: placeAfter(newest), ...progressTo(newest) } : FEED_START;
  }

  /**
   * Where a place stands in the order over all sessions. One that was just recorded may have no position yet: it is
   * milliseconds away.
   * @throws CursorError if the log has another transition there or none, or not all that came after it
   */
  async positionOf(at: LogPlace): Promise<LogProgress> {
    if (at.sessionId === LOG_START.sessionId) {
      if (!(await isWholeFeed(this.#db))) throw expiredCursor('ARCHIVED');
      return FEED_START;
    }
    const deadline = performance.now() + NUMBERING_DEADLINE_MS;
    for (;;) {
      const found = await this.#read.findPlaced({ ...at, sequence: Math.max(at.sequence, 1) });
      if (!found) throw expiredCursor(await this.#read.explainLoss(at.sessionId));
      if (at.fingerprint !== null && at.fingerprint !== fingerprintOf(found))
        throw expiredCursor('LOG_REWOUND');
      if (found.archived) throw expiredCursor('ARCHIVED');
      const { position } = found;
      if (position !== null) {
        // It was assigned another position since: what stands before it may not be what its reader has seen.
        if (at.position !== null && at.position !== position) throw expiredCursor('LOG_REWOUND');
        if (at.sequence > 0) return { at, number: position, fingerprint: fingerprintOf(found) };
        const before = position - 1;
        const [anchor] = await feedFrom(this.#db, before, 1);
        const isThere = anchor?.number === before;
        return { at, number: before, fingerprint: isThere ? fingerprintOf(anchor) : null };
      }
      if (this.#stopped || performance.now() > deadline)
        throw new Error('A transition was committed long ago and has no position');
      await this.#number();
    }
  }

  #follow(
    name: string,
    log: NumberedLog,
    head: number,
    from: LogProgress,
    subscriber: Subscriber,
    first: Anew | undefined,
  ): Lifetime {
    const kind = name === ALL ? 'all' : 'session';
    let followed = this.#followed.get(name);
    if (!followed) {
      const tail = new Tail(log, KEPT[kind], { error: this.#complain, rewound: this.#onRewound });
      followed = { tail, audiences: new Map() };
      this.#followed.set(name, followed);
    }
    const { tail, audiences } = followed;
    const { selection } = subscriber;
    const [clock, metrics] = [this.#clock, this.#metrics];
    metrics?.subscriptions.inc({ log: kind, from: from.number < head ? 'past' : 'now' });
    let audience = audiences.get(selection.key);
    if (!audience) {
      audience = new Audience(selection, watchDelivery({ log: kind, clock, metrics }), this.#lasting);
      audiences.set(selection.key, audience);
      tail.listeners.add(audience);
    }
    audience.members += 1;
    const follower = new Follower(
      subscriber,
      from,
      { tail, audience, clock, metrics },
      { fault: this.#reportFault, expiry: (error) => lifetime.fail(error) },
    );
    const lifetime = new Lifetime(() => {
      follower.end();
      audience.members -= 1;
      if (audience.members > 0) return;
      audiences.delete(selection.key);
      tail.listeners.delete(audience);
      if (audiences.size > 0) return;
      tail.stop();
      this.#followed.delete(name);
    });
    void tail.warmUp().then(() => follower.start(first ?? null));
    // It may have been rung for before anybody listened.
    tail.wake();
    return lifetime;
  }

  /** How many follow what, and how far it was passed on. */
  figures(): FeedFigures {
    const figures = { subscribers: { session: 0, all: 0 }, live: 0, lagging: 0 };
    for (const [name, { audiences }] of this.#followed)
      for (const audience of audiences.values()) {
        const { live, lagging } = audience.pace(Number.POSITIVE_INFINITY);
        figures.subscribers[name === ALL ? 'all' : 'session'] += audience.members;
        figures.live += live;
        figures.lagging += lagging;
      }
    return { ...figures, passedOn: this.#followed.get(ALL)?.tail.head ?? null };
  }

  /**
   * Gives positions to what was committed without any, and rings for it, as whoever records rings for what has its
   * position by the commit. Callers share passes: one that is under way may have looked too early, so it is the next that
   * counts, however many come after it.
   */
  #number(): Promise<void> {
    this.#nextPass ??= this.#pass.then(() => {
      this.#nextPass = null;
      const pass = detached(() => this.#numberAll());
      this.#pass = pass.catch(() => {});
      return pass;
    });
    return this.#nextPass;
  }

  async #numberAll(): Promise<void> {
    const deadline = performance.now() + NUMBERING_DEADLINE_MS;
    let retryMs = NUMBERING_RETRY_MS.first;
    let hadToWait = false;
    while (!this.#stopped) {
      const numbered = await numberCommitted(this.#db, NUMBERING_BATCH);
      // Whoever was at it may be of a release that did not ring for what it gave positions to.
      if (hadToWait) this.#followed.get(ALL)?.tail.wake();
      for (const entry of numbered ?? []) this.#doorbell.ring(entry.sessionId, entry.sequence, entry);
      if (numbered !== null && numbered.length < NUMBERING_BATCH) return;
      if (numbered !== null) continue;
      if (performance.now() > deadline)
        throw new Error('Another replica holds the numbering, and does not go on');
      hadToWait = true;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      retryMs = Math.min(retryMs * 2, NUMBERING_RETRY_MS.last);
    }
  }

  /**
   * Looks at every log that is followed: at what doorbells did not announce, and at whether the log still has what was
   * passed on. Takes a few statements however many logs and subscribers there are.
   */
  #look(): void {
    this.#number().catch(this.#complain);
    if (this.#lookingAtLogs) {
      this.#looksAgain = true;
      return;
    }
    this.#looksAgain = false;
    this.#lookingAtLogs = detached(() => Promise.all([this.#lookAtSessions(), this.#lookAtFeed()]))
      .catch(this.#complain)
      .then(() => {
        this.#lookingAtLogs = null;
        if (this.#looksAgain && !this.#stopped) this.#look();
      });
  }

  async #lookAtSessions(): Promise<void> {
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
      // It has grown, was rewound or archived: which of these, its own read tells.
      if (tail.verifiedAt < began) tail.wake();
    }
  }

  async #lookAtFeed(): Promise<void> {
    this.#followed.get(ALL)?.tail.wake();
    if (this.#hasToRelearn) await this.#tryToRelearn();
    // In this order: if the server changes in between, the next look misses the end that was read first.
    const [newest] = await newestInFeed(this.#db, 1);
    const known = this.#end;
    const [found] = known ? await feedFrom(this.#db, known.number, 1) : [];
    this.#end = newest ?? null;
    // An archived one leaves a gap with something behind it.
    if (known && !isSame(known, found) && !(found && found.number > known.number))
      this.#onRewound('LOG_REWOUND');
  }

  /**
   * Notes that a connection to the database was made, perhaps to another server: nothing counts as verified until it was
   * read again.
   */
  reconnected(): void {
    this.#doubtAll();
    this.#look();
  }

  /** Entries that are handed over are not read, so that no anchor shows that another server assigned their numbers. */
  #compareServer(server: string | undefined): void {
    if (server === undefined || server === this.#server) return;
    const isFirst = this.#server === null;
    this.#server = server;
    if (!isFirst) this.#doubtAll();
  }

  #doubtAll(): void {
    for (const { tail } of this.#followed.values()) tail.doubt();
  }

  #beat(): void {
    const blindBefore = performance.now() - BLIND_AFTER_MS;
    for (const { tail, audiences } of this.#followed.values()) {
      if (tail.verifiedAt < blindBefore) continue;
      for (const audience of audiences.values()) audience.beat(this.#clock).catch(this.#complain);
    }
  }

  /** The database lost transitions: those that the provider knows of are asked of it again. */
  readonly #onRewound = (why: CursorExpiry): void => {
    const now = performance.now();
    if (why !== 'LOG_REWOUND' || this.#stopped || now - this.#rewoundAt < ONE_REWIND_MS) return;
    this.#rewoundAt = now;
    this.#metrics?.rewinds.inc();
    this.#log.error(
      'the database lost transitions that subscribers were shown (failover or restore); they are resynced, and the provider is asked again',
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
    if (!this.#stopped) this.#log.warn({ err: error }, 'the feed could not be read; it will be tried again');
  };

  readonly #reportFault = (error: unknown): void => {
    this.#log.error({ err: error }, 'a subscription failed; its client is made to come back');
  };

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    for (const timer of this.#timers) clearInterval(timer);
    for (const { tail } of this.#followed.values()) tail.stop();
    await this.#pass;
  }
}

const FEED_START: LogProgress = { at: LOG_START, number: 0, fingerprint: null };
