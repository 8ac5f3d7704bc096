import type { FeedEntry } from '../domain/session.ts';
import { withoutTrace } from '../telemetry/trace.ts';
import type { CursorExpiryReason } from './cursor.ts';
import { type FingerprintedFields, getTransitionFingerprint } from './fingerprint.ts';

/**
 * Transition with its number in the followed log, 1, 2, 3 …: in the feed its position, in a session's log its
 * sequence.
 */
export type LogTailEntry = FeedEntry;

/** Log that subscribers can follow: the feed over all sessions, or one session's log. */
export interface FollowableLog {
  /** Reads at most `limit` entries in order, from entry `number` on (inclusive). */
  readFrom(number: number, limit: number): Promise<LogTailEntry[]>;
  /** Reads the newest entries, at most `limit`, in order. */
  readNewest(limit: number): Promise<LogTailEntry[]>;
  /**
   * Returns why the log has lost its newest entries: they were archived, or the log was rewound by a
   * failover.
   */
  explainLoss(): Promise<CursorExpiryReason>;
}

/**
 * Progress of a reader in a log: number and fingerprint (digest) of the newest entry that the reader has
 * seen.
 */
export interface LogReadProgress {
  /** 0 if the reader has seen no entry. */
  readonly number: number;
  /** Null if unknown, for example because the reader's cursor contains no fingerprint. */
  readonly fingerprint: number | null;
}

/** Listener of a log tail; implemented by subscriber groups. */
export interface LogTailListener {
  /** Publishes new entries. Resolves once every live subscriber has been sent the entries; never rejects. */
  publish(entries: readonly LogTailEntry[]): Promise<void>;
  /**
   * Called when the log has lost all entries after number `to`; handled after the earlier calls of `publish`.
   * `holds` tells whether the log still has all entries that a subscriber with the given progress was sent.
   */
  onRewind(why: CursorExpiryReason, to: number, holds: (progress: LogReadProgress) => boolean): void;
  /**
   * Counts the live subscribers, and the subscribers that have been lagging for less than `patienceMs`
   * milliseconds.
   */
  countSubscribers(patienceMs: number): { live: number; lagging: number };
}

/** Maximum number of entries that are read and published in one batch; groups execute a whole batch together. */
const LIVE_PAGE_SIZE = 100;
const REPLAY_PAGE_SIZE = 500;
const RETRY_MS = 500;
/**
 * If more subscribers lag (their sockets are full) than are live, the machine or the network is saturated:
 * the tail then pauses reading. A subscriber that has lagged for longer than this is not waited for.
 */
const MAX_WAIT_MS = 250;
const WAIT_POLL_INTERVAL_MS = 2;

/**
 * Reads the end of one log for all its subscribers in this process. The next page is read when at least half
 * of the live subscribers have been sent the last page (backpressure), so that a slow minority does not delay
 * the majority.
 *
 * A log can be rewound: a promoted standby or a restored backup lacks the newest entries, and assigns their
 * numbers again. Each read therefore starts at the newest known entry (the anchor). If the log has no entry
 * or a different entry under that number, the tail goes back to the newest entry that is both in memory and
 * in the log, and calls `onRewind` of its listeners.
 */
export class LogTail {
  readonly listeners = new Set<LogTailListener>();
  readonly #log: FollowableLog;
  /**
   * Maximum number of entries in `#recent`. Clients that reconnect soon are served from these entries without
   * a read of the log.
   */
  readonly #capacity: number;
  readonly #onError: (error: unknown) => void;
  readonly #onRewound: (why: CursorExpiryReason) => void;
  /** Newest entries of the log, without gaps. The last entry is the head. */
  #recent: readonly LogTailEntry[] = [];
  /**
   * Entries, by number, that were handed over by the transactions of this process that committed them, and
   * that are not published yet.
   */
  readonly #pushed = new Map<number, LogTailEntry>();
  #warm: Promise<void> | null = null;
  #isPublishing = false;
  #mayHaveGrown = false;
  /**
   * Time (`performance.now`) of the last sign that the database may have failed over. Handed-over entries are
   * published only after a read that began later, since the new server may assign numbers again.
   */
  #doubtedAt = 0;
  /**
   * Start (`performance.now`) of the newest read that found the head (the newest known entry) still in the
   * log.
   */
  #verifiedAt = 0;
  /** Resolve functions of `readEnd` calls that wait for the next read. */
  #endReadWaiters: (() => void)[] = [];
  #stopped = false;

  constructor(
    log: FollowableLog,
    kept: number,
    on: { error: (error: unknown) => void; rewound: (why: CursorExpiryReason) => void },
  ) {
    this.#log = log;
    this.#capacity = kept;
    this.#onError = on.error;
    this.#onRewound = on.rewound;
  }

  /** Number of the newest known entry; 0 if there is none. */
  get head(): number {
    return this.#recent.at(-1)?.number ?? 0;
  }

  /**
   * Start (`performance.now`) of the newest read that found the head (the newest known entry) still in the
   * log; 0 if the database may have failed over since.
   */
  get verifiedAt(): number {
    return this.#isDoubtful ? 0 : this.#verifiedAt;
  }

  get #isDoubtful(): boolean {
    return this.#doubtedAt > this.#verifiedAt;
  }

  /**
   * Reads the newest entries of the log into memory, once. All other work of the tail waits for this read.
   */
  warmUp(): Promise<void> {
    this.#warm ??= this.#loadRecent();
    return this.#warm;
  }

  /**
   * Notes that the log may have grown, and starts a read unless one is running. Cheap, so callers may call
   * this method more often than needed.
   */
  wake(): void {
    this.#mayHaveGrown = true;
    this.#publishSoon();
  }

  /**
   * Notes that the log may have been rewound (failover): no entry counts as verified until the next read.
   * Does not start a read.
   */
  markDoubtful(): void {
    this.#doubtedAt = performance.now();
  }

  /** Notes that a read by the caller, begun at `at`, found `head` to be the newest entry of the log. */
  confirm(head: LogReadProgress, at: number): void {
    if (this.isAt(head)) this.#verifiedAt = Math.max(at, this.#verifiedAt);
  }

  /**
   * Accepts an entry from the transaction that has just committed it. If the entry directly follows the
   * newest known entry, it is published without a read of the log.
   */
  push(entry: LogTailEntry): void {
    if (entry.number <= this.head) {
      // The tail knows a different entry under this number: the log was rewound (failover), and the number
      // assigned again.
      if (this.#contradicts(createReadProgress(entry))) this.#doubtAndRead();
      return;
    }
    if (this.#pushed.size < LIVE_PAGE_SIZE) this.#pushed.set(entry.number, entry);
    else this.#mayHaveGrown = true;
    this.#publishSoon();
  }

  /** Whether the newest entry that the reader has seen is the head of this tail. */
  isAt({ number, fingerprint }: LogReadProgress): boolean {
    const newest = this.#recent.at(-1);
    if (!newest) return number === 0;
    return (
      newest.number === number && (fingerprint === null || fingerprint === getTransitionFingerprint(newest))
    );
  }

  /**
   * Returns some entries after a reader's progress, from memory or from the log; none if the reader has seen
   * the head. `LOG_REWOUND` or `ARCHIVED`: the log has lost entries that the reader has seen or needs next,
   * so the reader cannot continue. `STOPPED`: the tail has stopped.
   */
  async after(progress: LogReadProgress): Promise<readonly LogTailEntry[] | CursorExpiryReason | 'STOPPED'> {
    await this.warmUp();
    if (progress.number > this.head) await this.readEnd();
    while (!this.#stopped) {
      const kept = this.#recentAfter(progress);
      if (kept) return kept;
      const read = await this.#readFrom(progress.number, REPLAY_PAGE_SIZE);
      if (this.#stopped) break;
      const entries = afterAnchor(read, progress);
      if (typeof entries === 'string') return this.#explain(entries, read);
      if (this.#contradicts(progress)) this.#doubtAndRead();
      if (entries.length > 0) return entries;
      // The log has no entry after the reader's, but the tail's newest entry differs from the reader's:
      // entries were lost, or the tail has not read this far yet. Reading the end tells which.
      await this.readEnd();
    }
    return 'STOPPED';
  }

  /**
   * Requests a read of the log's end, and resolves after that read. If the log lost entries (failover),
   * resolves once the tail has gone back to the newest entry that is left.
   */
  readEnd(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#endReadWaiters.push(resolve);
      this.wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#resolveWaiters(this.#endReadWaiters.splice(0));
  }

  async #loadRecent(): Promise<void> {
    const began = performance.now();
    this.#recent = takeNewest(
      await this.#readWithRetry(() => this.#log.readNewest(this.#capacity)),
      this.#capacity,
    );
    this.#verifiedAt = began;
  }

  #publishSoon(): void {
    if (!this.#isPublishing && !this.#stopped) void withoutTrace(() => this.#publishAll());
  }

  async #publishAll(): Promise<void> {
    this.#isPublishing = true;
    try {
      await this.warmUp();
      while ((this.#mayHaveGrown || this.#pushed.size > 0) && !this.#stopped) {
        const entries = this.#takePushed();
        if (entries.length > 0) await this.#add(entries);
        else if (this.#mayHaveGrown) await this.#readNextPage();
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isPublishing = false;
    }
  }

  /**
   * Reads one page of entries after the newest known entry, and publishes them. If a failover is suspected
   * while the read runs, the log stays in doubt until a read that begins later.
   */
  async #readNextPage(): Promise<void> {
    const looking = this.#endReadWaiters.splice(0);
    this.#mayHaveGrown = false;
    const [head, began] = [this.#recent.at(-1), performance.now()];
    const read = await this.#readFrom(head?.number ?? 0, LIVE_PAGE_SIZE);
    const entries = afterAnchor(read, head ? createReadProgress(head) : NOTHING);
    if (this.#stopped) return this.#resolveWaiters(looking);
    if (typeof entries === 'string') {
      await this.#rewind(await this.#explain(entries, read));
      return this.#resolveWaiters(looking);
    }
    this.#verifiedAt = began;
    if (entries.length === LIVE_PAGE_SIZE) this.#mayHaveGrown = true;
    const added = this.#add(entries);
    this.#resolveWaiters(looking);
    await added;
  }

  #resolveWaiters(looking: readonly (() => void)[]): void {
    for (const resolve of looking) resolve();
  }

  /**
   * Takes the handed-over entries that follow the newest known entry without a gap. The others are dropped,
   * and read from the log instead.
   */
  #takePushed(): LogTailEntry[] {
    const taken: LogTailEntry[] = [];
    let number = this.head;
    for (
      let next = this.#pushed.get(number + 1);
      next && !this.#isDoubtful;
      next = this.#pushed.get(number + 1)
    ) {
      taken.push(next);
      number += 1;
    }
    for (const other of this.#pushed.keys()) this.#mayHaveGrown ||= other > number;
    this.#pushed.clear();
    return taken;
  }

  async #add(entries: readonly LogTailEntry[]): Promise<void> {
    if (entries.length === 0) return;
    this.#recent = takeNewest([...this.#recent, ...entries], this.#capacity);
    await this.#publishToMost(entries);
    await this.#waitForLaggingMajority();
  }

  /**
   * Handles a rewind (failover): goes back to the newest known entry that the log still has, and tells the
   * listeners that all later entries were lost.
   */
  async #rewind(why: CursorExpiryReason): Promise<void> {
    const known = this.#recent;
    const read = await this.#readWithRetry(() => this.#log.readFrom(known[0]?.number ?? 1, known.length));
    let common = 0;
    while (common < known.length && isSameLogEntry(known[common], read[common])) common += 1;
    this.#mayHaveGrown = true;
    // All known entries are in the log after all: the read that missed an entry was answered by a server that
    // was shutting down.
    if (common === known.length) return;
    if (common > 0) this.#recent = known.slice(0, common);
    else await this.#loadRecent();
    if (this.#stopped) return;
    this.#pushed.clear();
    const first = common > 0 ? (known[0] as LogTailEntry).number : Number.POSITIVE_INFINITY;
    // For a reader whose progress is older than `#recent` it is unknown whether its entries were lost: its
    // next read of the log finds out, by the anchor.
    const holds = (progress: LogReadProgress) =>
      progress.number < first ? common > 0 : this.#recentAfter(progress) !== null;
    for (const listener of this.listeners) listener.onRewind(why, this.head, holds);
    this.#onRewound(why);
  }

  #doubtAndRead(): void {
    this.markDoubtful();
    this.wake();
  }

  /**
   * Returns why entries are missing. An empty read does not tell whether the entries were archived or the log
   * was rewound; then `explainLoss` tells.
   */
  #explain(why: CursorExpiryReason, read: readonly LogTailEntry[]): Promise<CursorExpiryReason> {
    return read.length > 0 ? Promise.resolve(why) : this.#retry(() => this.#log.explainLoss(), why);
  }

  /**
   * Returns entries after a reader's progress from memory; null if memory does not reach back that far, or
   * has a different entry than the reader has seen.
   */
  #recentAfter({ number, fingerprint }: LogReadProgress): readonly LogTailEntry[] | null {
    const first = this.#recent[0];
    if (number === 0) return first && first.number !== 1 ? null : this.#recent.slice(0, REPLAY_PAGE_SIZE);
    const anchor = first && this.#recent[number - first.number];
    if (!anchor || (fingerprint !== null && getTransitionFingerprint(anchor) !== fingerprint)) return null;
    const from = number - first.number + 1;
    return this.#recent.slice(from, from + REPLAY_PAGE_SIZE);
  }

  /**
   * Whether the tail has a different entry under the reader's number than the one that the reader has seen.
   */
  #contradicts({ number, fingerprint }: LogReadProgress): boolean {
    const first = this.#recent[0];
    const known = first && this.#recent[number - first.number];
    return known !== undefined && fingerprint !== null && getTransitionFingerprint(known) !== fingerprint;
  }

  /**
   * Publishes entries. Resolves when at least half of the live subscribers have been sent the entries, so
   * that the slower half does not delay the faster half.
   */
  #publishToMost(entries: readonly LogTailEntry[]): Promise<void> {
    const listeners = [...this.listeners];
    const sizes = listeners.map((listener) => listener.countSubscribers(MAX_WAIT_MS).live);
    const all = sizes.reduce((total, size) => total + size, 0);
    return new Promise((resolve, reject) => {
      let [served, done] = [0, 0];
      for (const [index, listener] of listeners.entries())
        listener.publish(entries).then(() => {
          served += sizes[index] as number;
          done += 1;
          if ((all > 0 && served * 2 >= all) || done === listeners.length) resolve();
        }, reject);
      if (listeners.length === 0) resolve();
    });
  }

  async #waitForLaggingMajority(): Promise<void> {
    for (;;) {
      let [live, lagging] = [0, 0];
      for (const listener of this.listeners) {
        const pace = listener.countSubscribers(MAX_WAIT_MS);
        live += pace.live;
        lagging += pace.lagging;
      }
      if (lagging <= live || this.#stopped) return;
      await pause(WAIT_POLL_INTERVAL_MS);
    }
  }

  /**
   * Reads the anchor (the newest known entry) and at most `limit` entries after it. Anchor 0: reads from the
   * first entry on.
   */
  #readFrom(anchor: number, limit: number): Promise<LogTailEntry[]> {
    return this.#readWithRetry(() =>
      anchor === 0 ? this.#log.readFrom(1, limit) : this.#log.readFrom(anchor, limit + 1),
    );
  }

  #readWithRetry(read: () => Promise<LogTailEntry[]>): Promise<LogTailEntry[]> {
    return this.#retry(read, []);
  }

  /**
   * Repeats a read until it succeeds or the tail stops: subscribers see a database outage as a delay, and
   * their subscriptions do not end.
   */
  async #retry<T>(read: () => Promise<T>, ifStopped: T): Promise<T> {
    while (!this.#stopped) {
      try {
        return await read();
      } catch (error) {
        this.#onError(error);
        await pause(RETRY_MS);
      }
    }
    return ifStopped;
  }
}

const NOTHING: LogReadProgress = { number: 0, fingerprint: null };

/** Returns the progress of a reader that has seen the log up to `entry`. */
export const createReadProgress = (
  entry: FingerprintedFields & { readonly number: number },
): LogReadProgress => ({
  number: entry.number,
  fingerprint: getTransitionFingerprint(entry),
});

/** Whether two entries have the same number and fingerprint. */
export const isSameLogEntry = (known: LogTailEntry | undefined, read: LogTailEntry | undefined): boolean =>
  known !== undefined &&
  read !== undefined &&
  known.number === read.number &&
  getTransitionFingerprint(known) === getTransitionFingerprint(read);

/**
 * Returns the newest entries, at most `limit`, back to the newest gap in their numbers; archived entries
 * leave gaps.
 */
function takeNewest(entries: readonly LogTailEntry[], limit: number): readonly LogTailEntry[] {
  let from = entries.length - 1;
  const least = Math.max(0, entries.length - limit);
  while (from > least && entries[from - 1]?.number === (entries[from] as LogTailEntry).number - 1) from -= 1;
  return entries.slice(Math.max(0, from));
}

/**
 * Returns the entries that follow the reader's newest entry in a read that began at that entry; or the reason
 * why the reader cannot continue.
 */
function afterAnchor(
  read: readonly LogTailEntry[],
  { number, fingerprint }: LogReadProgress,
): readonly LogTailEntry[] | CursorExpiryReason {
  if (number === 0) return read;
  const [first] = read;
  if (!first) return 'LOG_REWOUND';
  if (first.number === number)
    return fingerprint === null || getTransitionFingerprint(first) === fingerprint
      ? read.slice(1)
      : 'LOG_REWOUND';
  // The reader's newest entry is gone, but later entries exist. Numbers are assigned without gaps, so only
  // archiving can have removed that entry.
  return fingerprint === null && first.number === number + 1 ? read : 'ARCHIVED';
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
