import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { feedAfter, isWholeFeed, newestInFeed, numberCommitted } from '../db/feed.ts';
import { findSessions, type SessionRow } from '../db/sessions.ts';
import type { Clock, Doorbell } from '../domain/ports.ts';
import { watchDelivery } from '../telemetry/deliveries.ts';
import type { FeedFigures } from '../telemetry/gauges.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { detached } from '../telemetry/trace.ts';
import { Audience } from './audience.ts';
import { CursorError, LOG_START, type LogPlace } from './cursor.ts';
import { Follower } from './follower.ts';
import { Lifetime } from './lifetime.ts';
import { createLogReaders, type LogReaders } from './readers.ts';
import { createLastingResults } from './shared-execution.ts';
import type { Anew, Subscriber } from './stream.ts';
import { type NumberedLog, Tail } from './tail.ts';

/** Doorbells may get lost: everything is looked at by itself this often. */
const LOOK_EVERY_MS = 2_000;
/** How soon to try again while another replica gives out positions, at first and in the end. */
const NUMBERING_RETRY_MS = { first: 3, last: 100 };
/** A committed transition that has no position after this long: nobody gives out positions any more. */
const NUMBERING_DEADLINE_MS = 10_000;
const NUMBERING_BATCH = 1_000;
/** Those to whom nothing was sent for one to two of these are told that there is nothing: every 10 s at the latest. */
const BEAT_MS = 5_000;
/** Who has not seen the log for so long cannot say that nothing happens. */
const BLIND_AFTER_MS = 3 * LOOK_EVERY_MS;
/** Of the newest transitions, for each log that is followed: a session has a few dozen, and many are followed. */
const KEPT = { all: 1_000, session: 100 };
/** The name of the log over all sessions, among those of single sessions. */
const ALL = 'all';

interface Followed {
  readonly tail: Tail;
  readonly audiences: Map<string, Audience>;
  readonly warm: Promise<void>;
}

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** From the log to its subscribers: of one session, or of all in the order of the feed. */
export class Hub {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #doorbell: Doorbell;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #read: LogReaders;
  readonly #followed = new Map<string, Followed>();
  readonly #lasting = createLastingResults();
  readonly #stopListening: () => void;
  readonly #timers: NodeJS.Timeout[];
  #pass: Promise<void> = Promise.resolve();
  #nextPass: Promise<void> | null = null;
  /** When the log was last seen, by the process's clock. */
  #seenAt = performance.now();
  #stopped = false;

  constructor({ db, clock, doorbell, log, metrics }: Parts) {
    this.#db = db;
    this.#clock = clock;
    this.#doorbell = doorbell;
    this.#log = log;
    this.#metrics = metrics;
    this.#read = createLogReaders(db);
    this.#stopListening = doorbell.listen({
      rung: (sessionId, _sequence, entry) => {
        const [session, all] = [this.#followed.get(sessionId)?.tail, this.#followed.get(ALL)?.tail];
        if (entry) {
          session?.give({ ...entry, number: entry.sequence });
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

  /** One session's transitions after a sequence. Needs nothing but that session's log. */
  followSession(session: SessionRow, after: number, subscriber: Subscriber, first?: Anew): Lifetime {
    const log: NumberedLog = { read: (number, limit) => this.#read.session(session, number, limit) };
    const from = { at: { sessionId: session.id, sequence: after }, number: after };
    return this.#follow(session.id, log, session.lastSequence, from, subscriber, first);
  }

  /** All sessions' transitions after a place in the log, in the order of the feed. */
  async followAll(
    from: { at: LogPlace; number: number },
    subscriber: Subscriber,
    first?: Anew,
  ): Promise<Lifetime> {
    const log: NumberedLog = { read: (number, limit) => feedAfter(this.#db, number, limit) };
    const head = this.#followed.get(ALL)?.tail.head ?? (await this.newest()).number;
    return this.#follow(ALL, log, head, from, subscriber, first);
  }

  /** The newest place in the order over all sessions: at or after everything that was committed before the call. */
  async newest(): Promise<{ at: LogPlace; number: number }> {
    await this.#number();
    const newest = await newestInFeed(this.#db);
    return newest ? { at: newest, number: newest.position } : { at: LOG_START, number: 0 };
  }

  /**
   * Where a place stands in the order over all sessions. One that was just recorded may have no position yet: it is
   * milliseconds away. Throws a `CursorError` where the log does not have it, or not all that came after it.
   */
  async positionOf(at: LogPlace): Promise<{ at: LogPlace; number: number }> {
    if (at.sessionId === LOG_START.sessionId) {
      if (!(await isWholeFeed(this.#db))) throw goneFromTheLog();
      return { at, number: 0 };
    }
    const transition = { sessionId: at.sessionId, sequence: Math.max(at.sequence, 1) };
    const deadline = performance.now() + NUMBERING_DEADLINE_MS;
    for (;;) {
      const position = await this.#read.position(transition);
      if (typeof position === 'number') return { at, number: at.sequence === 0 ? position - 1 : position };
      if (position === 'UNKNOWN') throw goneFromTheLog();
      if (this.#stopped || performance.now() > deadline)
        throw new Error('A transition was committed long ago and has no position');
      await this.#number();
    }
  }

  #follow(
    name: string,
    log: NumberedLog,
    head: number,
    from: { at: LogPlace; number: number },
    subscriber: Subscriber,
    first: Anew | undefined,
  ): Lifetime {
    const kind = name === ALL ? 'all' : 'session';
    let followed = this.#followed.get(name);
    if (!followed) {
      const tail = new Tail(log, head, KEPT[kind], this.#complain);
      followed = { tail, audiences: new Map(), warm: tail.warmUp() };
      this.#followed.set(name, followed);
    }
    const { tail, audiences, warm } = followed;
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
    const follower = new Follower(subscriber, from, { tail, audience, clock, metrics }, this.#reportFault);
    void warm.then(() => follower.start(first ?? null));
    // Somebody may have knocked before anybody listened.
    tail.wake();

    return new Lifetime(() => {
      follower.end();
      audience.members -= 1;
      if (audience.members > 0) return;
      audiences.delete(selection.key);
      tail.listeners.delete(audience);
      if (audiences.size > 0) return;
      tail.stop();
      this.#followed.delete(name);
    });
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
      this.#seenAt = performance.now();
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

  /** What doorbells did not tell, in three statements however many subscribers there are. */
  #look(): void {
    this.#followed.get(ALL)?.tail.wake();
    this.#number().catch(this.#complain);
    const watched = [...this.#followed.keys()].filter((name) => name !== ALL);
    if (watched.length === 0) return;
    findSessions(this.#db, watched)
      .then((rows) => {
        for (const row of rows) {
          const tail = this.#followed.get(row.id)?.tail;
          if (tail && tail.head < row.lastSequence) tail.wake();
        }
      })
      .catch(this.#complain);
  }

  #beat(): void {
    if (performance.now() - this.#seenAt > BLIND_AFTER_MS) return;
    const now = this.#clock.now();
    for (const { audiences } of this.#followed.values())
      for (const audience of audiences.values()) audience.beat(now).catch(this.#complain);
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

const goneFromTheLog = (): CursorError =>
  new CursorError(
    'EXPIRED',
    'The log no longer has what this cursor names: query again and go on from there.',
  );
