import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/**
 * Budget of one subscription for executing frames. All subscriptions of a viewer (signed-in caller) draw on
 * one token bucket.
 */
export interface FrameBudget {
  /**
   * Maximum number of frames per call of `spend`. A larger batch would take so many tokens at once that the
   * viewer's other subscriptions wait too long.
   */
  readonly framesAtOnce: number;
  /**
   * Waits until the bucket holds the tokens for `frames` frames (backpressure, first come, first served) and
   * takes them. If `isOver` returns true (the subscription ended), resolves without taking tokens.
   */
  spend(frames: number, isOver: () => boolean): Promise<void>;
  /**
   * Takes the tokens for one live frame; returns false if the bucket does not hold enough now. Frames that
   * cost at most `MAX_FREE_FRAME_COST` are free.
   */
  trySpend(): boolean;
}

/** Budget without a limit: no frame waits. */
export const UNLIMITED_FRAME_BUDGET: FrameBudget = {
  framesAtOnce: Number.POSITIVE_INFINITY,
  spend: async () => {},
  trySpend: () => true,
};

/**
 * Live frames whose selection costs at most this much (see `graphql/cost.ts`) are free, because such a frame
 * is executed once for all subscribers with the same selection.
 */
export const MAX_FREE_FRAME_COST = 20;
/** Maximum total cost of the frames in one batch, from which `framesAtOnce` is computed. */
const MAX_BATCH_COST = 2_500;
/** Maximum time between two checks whether a subscription that waits for tokens has ended. */
const MAX_WAIT_MS = 1_000;
const MINUTE_MS = 60_000;
const MAX_BUCKETS = 100_000;

/**
 * Token bucket of one viewer: one token pays for one unit of query cost. `queue` settles after the last
 * queued call of `spend`; `waiting` counts those calls.
 */
interface Bucket {
  tokens: number;
  filledAtMs: number;
  waiting: number;
  queue: Promise<void>;
}

/**
 * Frame budgets of all viewers: each viewer has a token bucket that holds at most the tokens of one minute,
 * and refills within a minute.
 */
export class ViewerFrameBudgets {
  readonly #costPerMinute: number;
  /**
   * Token buckets by viewer id. A bucket that was not used for a minute is full again, so it is dropped and
   * created again on demand.
   */
  #buckets: LRUCache<string, Bucket> | null = null;

  /** `costPerMinute` is the query cost that each viewer may cause per minute; 0 means no limit. */
  constructor(costPerMinute: number) {
    this.#costPerMinute = costPerMinute;
  }

  /** Returns the budget of a subscription whose frames cost at most `frameCost` each. */
  of(viewerId: string, frameCost: number): FrameBudget {
    const capacity = this.#costPerMinute;
    if (capacity === 0) return UNLIMITED_FRAME_BUDGET;
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
        if (frameCost <= MAX_FREE_FRAME_COST) return true;
        const bucket = this.#bucketOf(viewerId);
        this.#refill(bucket);
        if (bucket.waiting > 0 || bucket.tokens < frameCost) return false;
        bucket.tokens -= frameCost;
        return true;
      },
    };
  }

  #bucketOf(viewerId: string): Bucket {
    // Created on first use: LRUCache allocates room for all its entries in advance, which would take longer
    // than the rest of the gateway's start.
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
