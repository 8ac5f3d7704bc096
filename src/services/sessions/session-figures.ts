/**
 * Session statistics (numbers of sessions in a window of time). The numbers are counted for each answer; if
 * counting is slow, they are cached and refreshed in the background.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { type Count, isCanceled, type StatisticsPool } from '../../db/connection/statistics.ts';
import type { StatsWindow } from '../../db/sessions/session-stats.ts';
import type { Clock } from '../../domain/ports.ts';

/** Timeout of a count for which a client waits. Figures whose count takes longer are cached from then on. */
const LIVE_TIMEOUT_MS = 1_500;
/** Timeout of a background count, which refreshes cached figures. */
const BACKGROUND_TIMEOUT_MS = 120_000;
/**
 * Minimum age at which cached figures are counted again. If the last count was slow, the age is
 * CACHE_COST_FACTOR times its duration, so that counting takes at most a tenth of the time.
 */
const MIN_CACHE_MS = 30_000;
const CACHE_COST_FACTOR = 10;
/** Cached figures older than this are not returned. */
const MAX_CACHE_MS = 24 * 3_600_000;
/** Maximum number of cache entries; each holds one kind of figures for one window. */
const MAX_WINDOWS = 50;
/**
 * Maximum number of background counts that are queued or running. At this limit a query starts no further
 * count; a later query tries again.
 */
const MAX_WAITING = 10;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LONG_WINDOW_MS = 48 * HOUR_MS;

/** Figures, and the time for which they are correct. */
export interface Dated<Figures> {
  readonly figures: Figures;
  readonly asOf: Date;
}

/** Error for figures whose count takes long and has no cached result yet. The client should ask again later. */
export class FiguresPending extends Error {
  override readonly name = 'FiguresPending';
}

export interface FiguresAsked<Figures> {
  /** Name of the figures. The name and the window are the cache key. */
  readonly name: string;
  readonly window: StatsWindow;
  readonly count: (window: StatsWindow) => Count<Figures>;
  readonly now: Date;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal | null;
}

/** Cache entry: one kind of figures for one window. */
interface Kept {
  readonly key: string;
  dated: Dated<unknown> | null;
  tookMs: number;
  countedAtMs: number;
  counting: Promise<void> | null;
}

interface SessionFiguresOptions {
  readonly statistics: StatisticsPool;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SessionFigures {
  readonly #options: SessionFiguresOptions;
  /** Cache of figures that take too long to count while a client waits. */
  readonly #kept = new LRUCache<string, Kept>({ max: MAX_WINDOWS, ttl: MAX_CACHE_MS });
  #background: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: SessionFiguresOptions) {
    this.#options = options;
  }

  /**
   * Returns current figures. If counting is slow, returns cached figures of the window rounded to whole hours
   * (minutes for a short window). Figures of a customer's own sessions are never cached: if counting them is slow,
   * the call fails.
   *
   * @throws FiguresPending
   */
  async read<Figures>(asked: FiguresAsked<Figures>): Promise<Dated<Figures>> {
    const rounded = roundWindow(asked.window, asked.now);
    const key = JSON.stringify([asked.name, rounded]);
    const slow = this.#kept.get(key);
    if (slow) return this.#readKept(slow, { ...asked, window: rounded });
    const { statistics } = this.#options;
    try {
      const count = asked.count(asked.window);
      const figures = await statistics.count(count, { timeoutMs: LIVE_TIMEOUT_MS, signal: asked.signal });
      return { figures, asOf: asked.now };
    } catch (error) {
      if (!isCanceled(error) || asked.signal?.aborted || asked.window.verificationIds) throw error;
      const kept = this.#kept.get(key) ?? { key, dated: null, tookMs: 0, countedAtMs: 0, counting: null };
      this.#kept.set(key, kept);
      return this.#readKept(kept, { ...asked, window: rounded });
    }
  }

  async #readKept<Figures>(kept: Kept, asked: FiguresAsked<Figures>): Promise<Dated<Figures>> {
    const dueMs = kept.countedAtMs + Math.max(MIN_CACHE_MS, CACHE_COST_FACTOR * kept.tookMs);
    if (!kept.dated || performance.now() >= dueMs) this.#countInBackground(kept, asked);
    if (!kept.dated) await Promise.race([kept.counting, abortion(asked.signal)]);
    if (kept.dated) return kept.dated as Dated<Figures>;
    throw new FiguresPending('the figures are still being counted');
  }

  /**
   * Counts figures for the cache. Background counts run one after another, so that they use at most one
   * database connection.
   */
  #countInBackground<Figures>(kept: Kept, { name, window, count }: FiguresAsked<Figures>): void {
    if (kept.counting || this.#waiting >= MAX_WAITING) return;
    const { statistics, clock, log } = this.#options;
    this.#waiting += 1;
    const counting = this.#background.then(async () => {
      const since = performance.now();
      const asOf = clock.now();
      try {
        const figures = await statistics.count(count(window), {
          timeoutMs: BACKGROUND_TIMEOUT_MS,
          signal: null,
        });
        kept.dated = { figures, asOf };
      } catch (error) {
        log.warn(
          { err: error, figures: name },
          'could not count session figures; retrying at the next query',
        );
      }
      kept.countedAtMs = performance.now();
      kept.tookMs = kept.countedAtMs - since;
      // This count was fast, so the earlier slow count was an exception (a lock, a busy machine). The cache
      // entry is deleted, so that the next query counts live again.
      if (kept.dated && kept.tookMs < LIVE_TIMEOUT_MS / 2) this.#kept.delete(kept.key);
      kept.counting = null;
      this.#waiting -= 1;
    });
    kept.counting = counting;
    this.#background = counting;
  }
}

/** Returns a promise that rejects when the signal is aborted. */
function abortion(signal: AbortSignal | null): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/**
 * Rounds the bounds of a window down to whole hours or minutes. A window that ends now has different bounds in
 * every request; only rounded bounds can serve as a cache key.
 */
function roundWindow(window: StatsWindow, now: Date): StatsWindow {
  const length = (window.to ?? now).getTime() - (window.from?.getTime() ?? 0);
  const step = length > LONG_WINDOW_MS ? HOUR_MS : MINUTE_MS;
  const floor = (time: Date | null) => time && new Date(Math.floor(time.getTime() / step) * step);
  return { ...window, from: floor(window.from), to: floor(window.to) };
}
