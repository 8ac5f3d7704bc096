/** A log whose entries are numbered without gaps. */
export interface NumberedLog<Entry> {
  /** Entries after a number, in order, at most `limit`. */
  read(after: number, limit: number): Promise<Entry[]>;
  numberOf(entry: Entry): number;
}

const PAGE = 500;
const RETRY_MS = 500;
/** What may wait for one subscriber in memory; one that is further behind reads from the log at its own pace. */
const LIVE_BUFFER = 1_000;

/**
 * Follows the end of a log once, for any number of subscribers. Nobody misses or repeats an entry: each keeps the
 * number of its last, reads from the log up to the live stream, and goes back to the log where that was too fast.
 */
export class Tail<Entry> {
  readonly #log: NumberedLog<Entry>;
  readonly #onError: (error: unknown) => void;
  readonly #live = new Set<LiveQueue<Entry>>();
  /** Number of the newest entry that was passed on; what is newer, live subscribers will still get. */
  #head = -1;
  #reading = false;
  #readAgain = false;

  constructor(log: NumberedLog<Entry>, onError: (error: unknown) => void) {
    this.#log = log;
    this.#onError = onError;
  }

  get head(): number {
    return this.#head;
  }

  /** Says that the log may have grown. Cheap, and safe to call too often. */
  wake(): void {
    this.#readAgain = true;
    if (!this.#reading && this.#live.size > 0) void this.#passOn();
  }

  async #passOn(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#readAgain && this.#live.size > 0) {
        this.#readAgain = false;
        const entries = await this.#log.read(this.#head, PAGE);
        for (const entry of entries) {
          this.#head = this.#log.numberOf(entry);
          for (const queue of this.#live) queue.push(entry);
        }
        if (entries.length === PAGE) this.#readAgain = true;
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#reading = false;
    }
  }

  /** Everything after a number: first from the log, then as it comes. Ends when it is returned. */
  follow(after: number): AsyncIterableIterator<Entry> {
    const queue = new LiveQueue<Entry>();
    const entries = this.#entriesAfter(after, queue);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => entries.next(),
      // A generator that waits cannot be returned: the queue has to end first.
      return: () => {
        queue.close();
        return entries.return(undefined);
      },
    };
  }

  async *#entriesAfter(after: number, queue: LiveQueue<Entry>): AsyncGenerator<Entry, undefined> {
    let last = after;
    try {
      while (!queue.closed) {
        const page = await this.#readPatiently(last, queue);
        for (const entry of page) {
          last = this.#log.numberOf(entry);
          yield entry;
        }
        if (page.length === PAGE || last < this.#head) continue;

        // No await between this and the check above: nothing can pass by unseen.
        if (this.#live.size === 0) this.#head = last;
        this.#live.add(queue);
        // Somebody may have knocked while nobody was listening.
        if (this.#readAgain) this.wake();
        for (let entry = await queue.next(); entry; entry = await queue.next()) {
          const number = this.#log.numberOf(entry);
          if (number <= last) continue;
          last = number;
          yield entry;
        }
        this.#live.delete(queue);
        queue.reopen();
      }
    } finally {
      this.#live.delete(queue);
    }
    return undefined;
  }

  /** A database that is away for a moment is waited for: the subscriber only sees a delay. */
  async #readPatiently(last: number, queue: LiveQueue<Entry>): Promise<Entry[]> {
    while (!queue.closed) {
      try {
        return await this.#log.read(last, PAGE);
      } catch (error) {
        this.#onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return [];
  }
}

/** What waits for one live subscriber. Overflowing, it ends early, and the subscriber goes back to the log. */
class LiveQueue<Entry> {
  closed = false;
  #entries: Entry[] = [];
  #overflowed = false;
  #wake: (() => void) | null = null;

  push(entry: Entry): void {
    if (this.#overflowed) return;
    if (this.#entries.length >= LIVE_BUFFER) {
      this.#overflowed = true;
      this.#entries = [];
    } else {
      this.#entries.push(entry);
    }
    this.#wake?.();
  }

  /** The next entry, or null at the end: closed or overflowed. */
  async next(): Promise<Entry | null> {
    while (!this.closed && !this.#overflowed && this.#entries.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    if (this.closed || this.#overflowed) return null;
    return this.#entries.shift() ?? null;
  }

  reopen(): void {
    this.#entries = [];
    this.#overflowed = false;
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }
}
