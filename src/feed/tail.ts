import type { FeedEntry } from '../domain/session.ts';
import { detached } from '../telemetry/trace.ts';
import type { CursorExpiry } from './cursor.ts';
import { type Fingerprinted, fingerprintOf } from './fingerprint.ts';

/** A transition under its number in the log that is followed: 1, 2, 3 … without gaps. */
export type Entry = FeedEntry;

/** A log to follow: the feed, or one session's log. */
export interface NumberedLog {
  /** Reads entries from a number on, that number included, in order, at most `limit`. */
  readFrom(number: number, limit: number): Promise<Entry[]>;
  /** Reads the newest entries, in order, at most `limit`. */
  readNewest(limit: number): Promise<Entry[]>;
  /** Finds out why the log has nothing from a number on, though there was an entry under it. */
  explainLoss(): Promise<CursorExpiry>;
}

/** How far a reader of a log has come: the number of the newest entry that it has seen, and that entry's fingerprint. */
export interface Progress {
  /** 0: it has seen nothing. */
  readonly number: number;
  /** Null if it is not known. */
  readonly fingerprint: number | null;
}

/** What listens to a tail: the subscribers with one selection. */
export interface Listener {
  /** Takes new entries. Resolves once the subscribers that keep up have been sent them; never rejects. */
  hear(entries: readonly Entry[]): Promise<void>;
  /**
   * Learns, in order with the entries that it heard, that the log lost those after a number. `holds` tells whether a
   * subscriber that has come so far was shown nothing but what the log still has.
   */
  rewound(why: CursorExpiry, to: number, holds: (progress: Progress) => boolean): void;
  /** Counts the subscribers that keep up, and those that have been lagging for less than so many milliseconds. */
  pace(patienceMs: number): { live: number; lagging: number };
}

/** Entries that are passed on, and executed, together. */
const LIVE_PAGE = 100;
const REPLAY_PAGE = 500;
const RETRY_MS = 500;
/** If most subscribers lag, the machine or the network is saturated: the tail waits for them up to this long. */
const PATIENCE_MS = 250;
const PACE_LOOK_MS = 2;

/**
 * Follows the end of one log for all its subscribers on this process. The next page is read when most of them have been
 * sent the last one (backpressure by the majority); a slow minority does not delay the others.
 *
 * A log can go back: a promoted standby or a restored backup has lost the newest entries, and assigns their numbers
 * again. So each read starts with the newest entry that is known here (the anchor). If the log has another one under that
 * number, or none, the tail goes back to the newest entry that both have in common, and tells its listeners.
 */
export class Tail {
  readonly listeners = new Set<Listener>();
  readonly #log: NumberedLog;
  /** How many of the newest entries are kept in memory, so that clients that reconnect soon need no read of the log. */
  readonly #kept: number;
  readonly #onError: (error: unknown) => void;
  readonly #onRewound: (why: CursorExpiry) => void;
  /** The newest entries, without a gap up to the head. */
  #recent: readonly Entry[] = [];
  /** Entries that were handed over, by number. */
  readonly #given = new Map<number, Entry>();
  #warm: Promise<void> | null = null;
  #passingOn = false;
  #mayHaveGrown = false;
  /** When the server may have changed: until a read that began later, entries that are handed over are not trusted. */
  #doubtedAt = 0;
  /** When the newest read began that found the head in the log. */
  #verifiedAt = 0;
  /** Who waits for the next read, see `look`. */
  #looking: (() => void)[] = [];
  #stopped = false;

  constructor(
    log: NumberedLog,
    kept: number,
    on: { error: (error: unknown) => void; rewound: (why: CursorExpiry) => void },
  ) {
    this.#log = log;
    this.#kept = kept;
    this.#onError = on.error;
    this.#onRewound = on.rewound;
  }

  /** Number of the newest entry that is known here; 0 before there is any. */
  get head(): number {
    return this.#recent.at(-1)?.number ?? 0;
  }

  /** When the head was last seen to be the log's own, by the process's clock in milliseconds; 0 while that is in doubt. */
  get verifiedAt(): number {
    return this.#isDoubtful ? 0 : this.#verifiedAt;
  }

  get #isDoubtful(): boolean {
    return this.#doubtedAt > this.#verifiedAt;
  }

  /** Reads the newest entries, so that clients that reconnect soon find them in memory. Everything else waits for it. */
  warmUp(): Promise<void> {
    this.#warm ??= this.#readEnd();
    return this.#warm;
  }

  /** Notes that the log may have grown. Cheap, and safe to call too often. */
  wake(): void {
    this.#mayHaveGrown = true;
    this.#goOn();
  }

  /** Notes that the log may have been rewound: nothing counts as verified until it was read again. Does not read it. */
  doubt(): void {
    this.#doubtedAt = performance.now();
  }

  /** Notes that a read of the log that began at that moment found the head to be its end. */
  confirm(head: Progress, at: number): void {
    if (this.isAt(head)) this.#verifiedAt = Math.max(at, this.#verifiedAt);
  }

  /** Takes an entry that the log has: the next one is passed on without a read. */
  give(entry: Entry): void {
    if (entry.number <= this.head) {
      // Under this number another entry is known here: the numbers were assigned again.
      if (this.#contradicts(progressTo(entry))) this.#doubtAndRead();
      return;
    }
    if (this.#given.size < LIVE_PAGE) this.#given.set(entry.number, entry);
    else this.#mayHaveGrown = true;
    this.#goOn();
  }

  /** Whether a reader that has come so far has seen everything that is known here, and nothing else. */
  isAt({ number, fingerprint }: Progress): boolean {
    const newest = this.#recent.at(-1);
    if (!newest) return number === 0;
    return newest.number === number && (fingerprint === null || fingerprint === fingerprintOf(newest));
  }

  /**
   * Returns some entries after what a reader has seen, from memory or from the log; none if it is at the head.
   * `LOG_REWOUND`, `ARCHIVED`: it cannot go on, because the log has lost what it has seen. `STOPPED`: nothing comes.
   */
  async after(progress: Progress): Promise<readonly Entry[] | CursorExpiry | 'STOPPED'> {
    await this.warmUp();
    if (progress.number > this.head) await this.look();
    while (!this.#stopped) {
      const kept = this.#keptAfter(progress);
      if (kept) return kept;
      const read = await this.#readFrom(progress.number, REPLAY_PAGE);
      if (this.#stopped) break;
      const entries = afterAnchor(read, progress);
      if (typeof entries === 'string') return this.#explain(entries, read);
      if (this.#contradicts(progress)) this.#doubtAndRead();
      if (entries.length > 0) return entries;
      // The log ends here, and the tail does not know: its entries were lost, or it has not read so far yet.
      await this.look();
    }
    return 'STOPPED';
  }

  /** Resolves after the next read of the log's end, and what follows from it. */
  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#looking.push(resolve);
      this.wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#looked(this.#looking.splice(0));
  }

  async #readEnd(): Promise<void> {
    const began = performance.now();
    this.#recent = endOf(await this.#readPatiently(() => this.#log.readNewest(this.#kept)), this.#kept);
    this.#verifiedAt = began;
  }

  #goOn(): void {
    if (!this.#passingOn && !this.#stopped) void detached(() => this.#passOn());
  }

  async #passOn(): Promise<void> {
    this.#passingOn = true;
    try {
      await this.warmUp();
      while ((this.#mayHaveGrown || this.#given.size > 0) && !this.#stopped) {
        const entries = this.#takeGiven();
        if (entries.length > 0) await this.#add(entries);
        else if (this.#mayHaveGrown) await this.#readOn();
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#passingOn = false;
    }
  }

  /** Reads one page after the head. A doubt that arises while it is read remains. */
  async #readOn(): Promise<void> {
    const looking = this.#looking.splice(0);
    this.#mayHaveGrown = false;
    const [head, began] = [this.#recent.at(-1), performance.now()];
    const read = await this.#readFrom(head?.number ?? 0, LIVE_PAGE);
    const entries = afterAnchor(read, head ? progressTo(head) : NOTHING);
    if (this.#stopped) return this.#looked(looking);
    if (typeof entries === 'string') {
      await this.#rewind(await this.#explain(entries, read));
      return this.#looked(looking);
    }
    this.#verifiedAt = began;
    if (entries.length === LIVE_PAGE) this.#mayHaveGrown = true;
    const added = this.#add(entries);
    this.#looked(looking);
    await added;
  }

  #looked(looking: readonly (() => void)[]): void {
    for (const resolve of looking) resolve();
  }

  /** Takes the given entries that follow the head. What comes behind a gap is read, as is what fills the gap. */
  #takeGiven(): Entry[] {
    const taken: Entry[] = [];
    let number = this.head;
    for (
      let next = this.#given.get(number + 1);
      next && !this.#isDoubtful;
      next = this.#given.get(number + 1)
    ) {
      taken.push(next);
      number += 1;
    }
    for (const other of this.#given.keys()) this.#mayHaveGrown ||= other > number;
    this.#given.clear();
    return taken;
  }

  async #add(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    this.#recent = endOf([...this.#recent, ...entries], this.#kept);
    await this.#passedToMost(entries);
    await this.#waitForTheMany();
  }

  /** Goes back to the newest entry that the log still has: everything after it was lost. */
  async #rewind(why: CursorExpiry): Promise<void> {
    const known = this.#recent;
    const read = await this.#readPatiently(() => this.#log.readFrom(known[0]?.number ?? 1, known.length));
    let common = 0;
    while (common < known.length && isSame(known[common], read[common])) common += 1;
    this.#mayHaveGrown = true;
    // The read before came from a server that was on its way out.
    if (common === known.length) return;
    if (common > 0) this.#recent = known.slice(0, common);
    else await this.#readEnd();
    if (this.#stopped) return;
    this.#given.clear();
    const first = common > 0 ? (known[0] as Entry).number : Number.POSITIVE_INFINITY;
    // Older than all that is known here: whoever has come so far reads from the log, which is verified by its anchor.
    const holds = (progress: Progress) =>
      progress.number < first ? common > 0 : this.#keptAfter(progress) !== null;
    for (const listener of this.listeners) listener.rewound(why, this.head, holds);
    this.#onRewound(why);
  }

  #doubtAndRead(): void {
    this.doubt();
    this.wake();
  }

  /** A log that has nothing left where there was something is not told apart from a rewound one by its numbers. */
  #explain(why: CursorExpiry, read: readonly Entry[]): Promise<CursorExpiry> {
    return read.length > 0 ? Promise.resolve(why) : this.#patiently(() => this.#log.explainLoss(), why);
  }

  /** Returns entries after what a reader has seen, or null if they are not all in memory. */
  #keptAfter({ number, fingerprint }: Progress): readonly Entry[] | null {
    const first = this.#recent[0];
    if (number === 0) return first && first.number !== 1 ? null : this.#recent.slice(0, REPLAY_PAGE);
    const anchor = first && this.#recent[number - first.number];
    if (!anchor || (fingerprint !== null && fingerprintOf(anchor) !== fingerprint)) return null;
    const from = number - first.number + 1;
    return this.#recent.slice(from, from + REPLAY_PAGE);
  }

  /** Whether another entry is known here under the number of what a reader has seen, or the log ends before it. */
  #contradicts({ number, fingerprint }: Progress): boolean {
    const first = this.#recent[0];
    const known = first && this.#recent[number - first.number];
    return known !== undefined && fingerprint !== null && fingerprintOf(known) !== fingerprint;
  }

  /** Resolves when half of the subscribers that keep up have been sent the entries: slower ones delay nobody. */
  #passedToMost(entries: readonly Entry[]): Promise<void> {
    const listeners = [...this.listeners];
    const sizes = listeners.map((listener) => listener.pace(PATIENCE_MS).live);
    const all = sizes.reduce((total, size) => total + size, 0);
    return new Promise((resolve, reject) => {
      let [served, done] = [0, 0];
      for (const [index, listener] of listeners.entries())
        listener.hear(entries).then(() => {
          served += sizes[index] as number;
          done += 1;
          if ((all > 0 && served * 2 >= all) || done === listeners.length) resolve();
        }, reject);
      if (listeners.length === 0) resolve();
    });
  }

  async #waitForTheMany(): Promise<void> {
    for (;;) {
      let [live, lagging] = [0, 0];
      for (const listener of this.listeners) {
        const pace = listener.pace(PATIENCE_MS);
        live += pace.live;
        lagging += pace.lagging;
      }
      if (lagging <= live || this.#stopped) return;
      await pause(PACE_LOOK_MS);
    }
  }

  /** Reads the anchor with that number, if there is to be one, and so many entries after it. */
  #readFrom(anchor: number, limit: number): Promise<Entry[]> {
    return this.#readPatiently(() =>
      anchor === 0 ? this.#log.readFrom(1, limit) : this.#log.readFrom(anchor, limit + 1),
    );
  }

  #readPatiently(read: () => Promise<Entry[]>): Promise<Entry[]> {
    return this.#patiently(read, []);
  }

  /** Retries until the database answers: an outage is a delay for subscribers and not an end. */
  async #patiently<T>(read: () => Promise<T>, ifStopped: T): Promise<T> {
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

const NOTHING: Progress = { number: 0, fingerprint: null };

/** Returns how far a reader has come that has seen an entry and everything before it. */
export const progressTo = (entry: Fingerprinted & { readonly number: number }): Progress => ({
  number: entry.number,
  fingerprint: fingerprintOf(entry),
});

/** Whether what was read under a number is what is known under it. */
export const isSame = (known: Entry | undefined, read: Entry | undefined): boolean =>
  known !== undefined &&
  read !== undefined &&
  known.number === read.number &&
  fingerprintOf(known) === fingerprintOf(read);

/** Returns the newest entries, at most so many, as far back as there is no gap: archived ones leave gaps. */
function endOf(entries: readonly Entry[], limit: number): readonly Entry[] {
  let from = entries.length - 1;
  const least = Math.max(0, entries.length - limit);
  while (from > least && entries[from - 1]?.number === (entries[from] as Entry).number - 1) from -= 1;
  return entries.slice(Math.max(0, from));
}

/** Returns what follows the anchor in a read that starts with it, or why the reader cannot go on. */
function afterAnchor(
  read: readonly Entry[],
  { number, fingerprint }: Progress,
): readonly Entry[] | CursorExpiry {
  if (number === 0) return read;
  const [first] = read;
  if (!first) return 'LOG_REWOUND';
  if (first.number === number)
    return fingerprint === null || fingerprintOf(first) === fingerprint ? read.slice(1) : 'LOG_REWOUND';
  // The anchor itself is gone. Numbers are assigned without gaps: only archiving takes entries away before others.
  return fingerprint === null && first.number === number + 1 ? read : 'ARCHIVED';
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
