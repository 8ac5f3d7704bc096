import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** Budget of one subscription for executing frames. All subscriptions of a viewer share what it takes from. */
export interface FrameBudget {
  /** Frames that may be executed after one payment; more would hold back the viewer's other subscriptions. */
  readonly framesAtOnce: number;
  /**
   * Pays for frames, and waits until the budget allows it (backpressure): the first to wait is the first to go on.
   * Returns without paying once `isOver` returns true.
   */
  spend(frames: number, isOver: () => boolean): Promise<void>;
  /** Pays for one live frame if the budget allows it now. Light frames are free. */
  trySpend(): boolean;
}

/** Pays for everything at once. */
export const UNLIMITED_FRAMES: FrameBudget = {
  framesAtOnce: Number.POSITIVE_INFINITY,
  spend: async () => {},
  trySpend: () => true,
};

/** Live frames up to this cost are free: they are executed once for all subscribers with the same selection. */
export const LIGHT_FRAME_COST = 20;
/** Highest cost that is paid at once. */
const MAX_BATCH_COST = 2_500;
/** A subscription that ended while it waited is noticed after this long at the latest. */
const MAX_WAIT_MS = 1_000;
const MINUTE_MS = 60_000;
const MAX_BUCKETS = 100_000;

/** Token bucket of one viewer. */
interface Bucket {
  tokens: number;
  filledAtMs: number;
  waiting: number;
  queue: Promise<void>;
}

/** Budgets for frames: a token bucket for each viewer, which holds and refills the cost of a minute. */
export class FrameBudgets {
  readonly #costPerMinute: number;
  /** A bucket that was not used for a minute is full, and need not be kept. */
  #buckets: LRUCache<string, Bucket> | null = null;

  /** `costPerMinute` 0: no limit. */
  constructor(costPerMinute: number) {
    this.#costPerMinute = costPerMinute;
  }

  /** Returns the budget of a subscription whose frames cost at most `frameCost` each. */
  of(viewerId: string, frameCost: number): FrameBudget {
    const capacity = this.#costPerMinute;
    if (capacity === 0) return UNLIMITED_FRAMES;
    return {
      framesAtOnce: Math.max(1, Math.floor(Math.min(MAX_BATCH_COST, capacity / 2) / frameCost)),
      spend: (frames, isOver) => {
        const bucket = this.#bucketOf(viewerId);
        bucket.waiting += 1;
        bucket.queue = bucket.queue
          .then(() => this.#take(bucket, Math.min(capacity, frames * frameCost), isOver))
          .finally(() => {
            bucket.waiting -= 1;
          });
        return bucket.queue;
      },
      trySpend: () => {
        if (frameCost <= LIGHT_FRAME_COST) return true;
        const bucket = this.#bucketOf(viewerId);
        this.#refill(bucket);
        if (bucket.waiting > 0 || bucket.tokens < frameCost) return false;
        bucket.tokens -= frameCost;
        return true;
      },
    };
  }

  #bucketOf(viewerId: string): Bucket {
    // Not before it is needed: the cache reserves the room for all its entries, which takes longer than the rest of a
    // start.
    this.#buckets ??= new LRUCache({ max: MAX_BUCKETS, ttl: MINUTE_MS, updateAgeOnGet: true });
    const known = this.#buckets.get(viewerId);
    if (known) return known;
    const full = {
      tokens: this.#costPerMinute,
      filledAtMs: performance.now(),
      waiting: 0,
      queue: Promise.resolve(),
    };
    this.#buckets.set(viewerId, full);
    return full;
  }

  async #take(bucket: Bucket, cost: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#refill(bucket);
      const missing = cost - bucket.tokens;
      if (missing <= 0) {
        bucket.tokens -= cost;
        return;
      }
      const waitMs = Math.ceil((missing / this.#costPerMinute) * MINUTE_MS);
      await wait(Math.min(waitMs, MAX_WAIT_MS), undefined, { ref: false });
    }
  }

  #refill(bucket: Bucket): void {
    const now = performance.now();
    const added = ((now - bucket.filledAtMs) / MINUTE_MS) * this.#costPerMinute;
    bucket.tokens = Math.min(this.#costPerMinute, bucket.tokens + added);
    bucket.filledAtMs = now;
  }
}
