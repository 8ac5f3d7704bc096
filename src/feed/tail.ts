import type { FeedEntry } from '../domain/session.ts';
import { detached } from '../telemetry/trace.ts';

/** Its number is that in the log that is followed: 1, 2, 3 … without gaps. */
export type Entry = FeedEntry;

/** A log to follow. */
export interface NumberedLog {
  /** Entries after a number, in order, at most `limit`. */
  read(after: number, limit: number): Promise<Entry[]>;
}

/** Those to whom entries are passed on. */
export interface Listener {
  /** Resolves when all who keep up have been sent them. Never rejects for what a listener did. */
  hear(entries: readonly Entry[]): Promise<void>;
  /** How many keep up, and how many fell behind no longer ago than so many milliseconds. */
  pace(patienceMs: number): { live: number; lagging: number };
}

/** What is passed on, and executed, together. */
const LIVE_PAGE = 100;
const REPLAY_PAGE = 500;
const RETRY_MS = 500;
/** Where most are behind, it is the machine or the network that is full: they are waited for so long. */
const PATIENCE_MS = 250;
const PACE_LOOK_MS = 2;

/**
 * Follows the end of a log, once for all who listen to it. It goes at the pace of the many: the next page is read
 * when the last has been passed on, and a minority that is slow is not waited for.
 */
export class Tail {
  readonly listeners = new Set<Listener>();
  readonly #log: NumberedLog;
  /** How many of the newest entries are kept, so that nobody who was away for a moment has to read the log. */
  readonly #kept: number;
  readonly #onError: (error: unknown) => void;
  /** The newest entries, without a gap up to the head. */
  #recent: readonly Entry[] = [];
  #head: number;
  /** What was handed over, by number. */
  readonly #given = new Map<number, Entry>();
  #passingOn = false;
  #mayHaveGrown = false;
  #stopped = false;

  /** `head` is the number after which everything will be passed on. */
  constructor(log: NumberedLog, head: number, kept: number, onError: (error: unknown) => void) {
    this.#log = log;
    this.#kept = kept;
    this.#head = head;
    this.#onError = onError;
  }

  /** Number of the newest entry that is known here. */
  get head(): number {
    return this.#head;
  }

  /** Reads what came just before the head, so that those who come back soon find it here. */
  async warmUp(): Promise<void> {
    const first = this.#head;
    const before = await this.#readPatiently(Math.max(0, first - this.#kept), this.#kept);
    this.#recent = [...before.filter(({ number }) => number <= first), ...this.#recent].slice(-this.#kept);
  }

  /** Says that the log may have grown. Cheap, and safe to call too often. */
  wake(): void {
    this.#mayHaveGrown = true;
    this.#goOn();
  }

  /** Hands over an entry that the log has: it is passed on without being read where it is the next. */
  give(entry: Entry): void {
    if (entry.number <= this.#head) return;
    if (this.#given.size < LIVE_PAGE) this.#given.set(entry.number, entry);
    else this.#mayHaveGrown = true;
    this.#goOn();
  }

  /** Some entries after a number, kept here or from the log; none at the head. */
  async after(number: number): Promise<readonly Entry[]> {
    const missing = this.#head - number;
    if (missing <= 0) return [];
    if (missing > this.#recent.length) return this.#readPatiently(number, REPLAY_PAGE);
    return this.#recent.slice(-missing).slice(0, REPLAY_PAGE);
  }

  stop(): void {
    this.#stopped = true;
  }

  #goOn(): void {
    if (!this.#passingOn && !this.#stopped) void detached(() => this.#passOn());
  }

  async #passOn(): Promise<void> {
    this.#passingOn = true;
    try {
      while ((this.#mayHaveGrown || this.#given.size > 0) && !this.#stopped) {
        const entries = await this.#next();
        const newest = entries.at(-1);
        if (!newest) continue;
        this.#recent = [...this.#recent, ...entries].slice(-this.#kept);
        this.#head = newest.number;
        await this.#passedToMost(entries);
        await this.#waitForTheMany();
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#passingOn = false;
    }
  }

  /** A page of what comes after the head: what was handed over, or else from the log. */
  async #next(): Promise<readonly Entry[]> {
    const given = this.#takeGiven();
    if (given.length > 0 || !this.#mayHaveGrown) return given;
    this.#mayHaveGrown = false;
    const entries = await this.#readPatiently(this.#head, LIVE_PAGE);
    if (entries.length === LIVE_PAGE) this.#mayHaveGrown = true;
    return entries;
  }

  /** What comes behind a gap is read: it is in the log, as is what fills the gap. */
  #takeGiven(): Entry[] {
    const taken: Entry[] = [];
    let number = this.#head;
    for (let next = this.#given.get(number + 1); next; next = this.#given.get(number + 1)) {
      taken.push(next);
      number += 1;
    }
    for (const other of this.#given.keys()) this.#mayHaveGrown ||= other > number;
    this.#given.clear();
    return taken;
  }

  /** Resolves when half of those who keep up have been sent the entries: who takes longer holds nobody up. */
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

  /** A database that is away for a moment is waited for: subscribers only see a delay. */
  async #readPatiently(after: number, limit: number): Promise<Entry[]> {
    while (!this.#stopped) {
      try {
        return await this.#log.read(after, limit);
      } catch (error) {
        this.#onError(error);
        await pause(RETRY_MS);
      }
    }
    return [];
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
