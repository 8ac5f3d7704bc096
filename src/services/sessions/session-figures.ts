/**
 * Session statistics (numbers of sessions in a window of time): counted for each answer or, if counting is slow,
 * stored in the database for all replicas and refreshed in the background.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Database } from '../../db/connection/client.ts';
import {
  isQueryCanceled,
  type RunCountStatement,
  type StatisticsPool,
  type StatsDatabase,
} from '../../db/connection/statistics.ts';
import {
  deleteFiguresOfWindow,
  findFreshFigures,
  type StoredFigures,
  type StoredFiguresRequest,
  storeFigures,
  tryLockFiguresSeries,
} from '../../db/sessions/session-figures.ts';
import type { StatsFilter } from '../../db/sessions/session-stats.ts';
import type { Clock } from '../../domain/ports.ts';

/**
 * Version of the way in which figures are counted and stored. A release with another version neither uses nor replaces
 * the figures of the last release.
 */
const VERSION = 1;

/** Timeout of a count that a client waits for. If it is exceeded, the figures are counted in the background. */
const LIVE_TIMEOUT_MS = 1_500;
/**
 * Fractions of `LIVE_TIMEOUT_MS`. A count that takes at least `SLOW_FROM` is slow: its figures are stored. Stored
 * figures whose count takes less than `FAST_BELOW` are deleted. The gap between the two prevents alternation
 * (hysteresis).
 */
const SLOW_FROM = 0.5;
const FAST_BELOW = 0.25;
/** Timeout of a count in the background, which refreshes stored figures. */
const BACKGROUND_TIMEOUT_MS = 900_000;
/**
 * Stored figures are counted again after this long, or after `REFRESH_COST_FACTOR` times the duration of their count,
 * whichever is longer.
 */
const MIN_REFRESH_MS = 30_000;
const REFRESH_COST_FACTOR = 10;
/** Maximum number of background counts of this process that are queued or running. Further counts are not begun. */
const MAX_COUNTING = 10;
/** Interval at which to look for the result of a count that another replica carries out. */
const LOCK_POLL_INTERVAL_MS = 500;
/** Maximum number of failed counts that are remembered. */
const MAX_FAILURES = 50;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LONG_WINDOW_MS = 48 * HOUR_MS;
/**
 * Maximum age of stored figures, as a fraction of the length of their window, because a window that ends now moves on.
 * The upper limit of three days bridges a weekend: the first answer on Monday has the figures of Friday, with their
 * `asOf`.
 */
const MAX_AGE_FRACTION = 0.1;
const MIN_MAX_AGE_MS = 10 * MINUTE_MS;
const MAX_MAX_AGE_MS = 72 * HOUR_MS;

/** Figures, and the time at which they were correct. */
export interface DatedFigures<Figures> {
  readonly figures: Figures;
  readonly asOf: Date;
}

/** Error for figures that take long to count and are not stored yet. */
export class FiguresPendingError extends Error {
  override readonly name = 'FiguresPendingError';
}

export interface FiguresRequest<Figures> {
  /** Name of the figures. Name and window together identify stored figures. */
  readonly name: string;
  /** Schema of the figures. Stored figures that do not match are ignored. */
  readonly shape: z.ZodType<Figures>;
  readonly window: StatsFilter;
  readonly count: (window: StatsFilter) => RunCountStatement<Figures>;
  readonly now: Date;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal | null;
}

/** Figures that may be stored: their key in the database, and how they are counted and read. */
interface Storable<Figures> extends Pick<FiguresRequest<Figures>, 'name' | 'shape'> {
  readonly question: StoredFiguresRequest;
  readonly count: RunCountStatement<Figures>;
  /** Key of the figures in this process. */
  readonly key: string;
}

/** Figures with the time and duration of their count. */
interface Stored<Figures> extends StoredFigures {
  readonly figures: Figures;
}

interface SessionFiguresOptions {
  readonly db: Database;
  readonly statistics: StatisticsPool;
  readonly clock: Clock;
  readonly log: Logger;
  /** Timeout of a count that a client waits for; 1.5 s by default. */
  readonly liveTimeoutMs?: number;
}

export class SessionFiguresService {
  readonly #options: Required<SessionFiguresOptions>;
  /** Background counts of this process, queued or running. */
  readonly #counting = new Map<string, Promise<DatedFigures<unknown> | null>>();
  /** Times until which figures are not counted again, because counting or storing them failed. */
  readonly #pausedUntil = new LRUCache<string, number>({ max: MAX_FAILURES });
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: SessionFiguresOptions) {
    this.#options = { liveTimeoutMs: LIVE_TIMEOUT_MS, ...options };
  }

  /**
   * Returns current figures. If counting is slow, returns stored figures of the window rounded to whole hours
   * (minutes for a short window), which may have moved on since they were counted. Figures of a customer's own
   * sessions are never stored: if counting them is slow, the call fails.
   *
   * @throws FiguresPendingError
   */
  async read<Figures>(asked: FiguresRequest<Figures>): Promise<DatedFigures<Figures>> {
    if (asked.window.verificationIds) return toDated(await this.#countLive(asked));
    const { now, signal } = asked;
    const storable = toStorable(asked);
    const stored = await findStored(this.#options.db, storable, now);
    if (stored) {
      if (isDue(stored, now)) void this.#countInBackground(storable);
      return toDated(stored);
    }
    if (!this.#counting.has(storable.key))
      try {
        const counted = await this.#countLive(asked);
        if (counted.tookMs >= this.#options.liveTimeoutMs * SLOW_FROM) void this.#store(storable, counted);
        return toDated(counted);
      } catch (error) {
        if (!isQueryCanceled(error) || signal?.aborted) throw error;
      }
    const dated = await Promise.race([this.#countInBackground(storable), rejectOnAbort(signal)]);
    if (dated) return dated;
    throw new FiguresPendingError('the figures are still being counted');
  }

  /** Counts figures for one answer. Rejects if the count exceeds its timeout (`isQueryCanceled` recognizes the error). */
  async #countLive<Figures>({
    window,
    count,
    now,
    signal,
  }: FiguresRequest<Figures>): Promise<Stored<Figures>> {
    const { statistics, liveTimeoutMs } = this.#options;
    return statistics.count(timed(count(window), now), { timeoutMs: liveTimeoutMs, signal });
  }

  /**
   * Counts figures and stores them, independently of the request. Calls for the same figures share one count.
   * Resolves with null if they are not counted now: counting failed, or too many counts are queued.
   */
  #countInBackground<Figures>(storable: Storable<Figures>): Promise<DatedFigures<Figures> | null> {
    const { key } = storable;
    const running = this.#counting.get(key) as Promise<DatedFigures<Figures> | null> | undefined;
    if (running) return running;
    const isPaused = performance.now() < (this.#pausedUntil.get(key) ?? 0);
    if (isPaused || this.#counting.size >= MAX_COUNTING) return Promise.resolve(null);
    const counting = this.#countOnce(storable).finally(() => this.#counting.delete(key));
    this.#counting.set(key, counting);
    return counting;
  }

  /** Counts figures, or waits until another replica has counted them. Logs failures. */
  async #countOnce<Figures>(storable: Storable<Figures>): Promise<DatedFigures<Figures> | null> {
    const since = performance.now();
    try {
      for (;;) {
        const dated = await this.#inTurn(() => this.#countUnderLock(storable));
        if (dated) return dated;
        await pause(LOCK_POLL_INTERVAL_MS, undefined, { ref: false });
      }
    } catch (error) {
      this.#pauseFor(storable, performance.now() - since);
      this.#options.log.warn(
        { err: error, figures: storable.name },
        'could not count session figures; retrying at a later query',
      );
      return null;
    }
  }

  /** Delays the next count after a failure, so that a count that keeps failing runs at most half of the time. */
  #pauseFor({ key }: Storable<unknown>, milliseconds: number): void {
    this.#pausedUntil.set(key, performance.now() + milliseconds);
  }

  /** Runs `work` after all earlier work, so that background counting uses at most one database connection. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  /**
   * Counts and stores figures under the advisory lock of their series. Returns the stored figures if another replica
   * has just counted them, and null while another replica counts figures of the series.
   */
  #countUnderLock<Figures>(storable: Storable<Figures>): Promise<DatedFigures<Figures> | null> {
    const { statistics, clock } = this.#options;
    const work = async (tx: StatsDatabase): Promise<DatedFigures<Figures> | null> => {
      if (!(await tryLockFiguresSeries(tx, storable.question))) return null;
      const asOf = clock.now();
      const stored = await findStored(tx, storable, asOf);
      if (stored && !isDue(stored, asOf)) return toDated(stored);
      const counted = await timed(storable.count, asOf)(tx);
      // Stored before the transaction ends and releases the lock, so that the next replica finds the figures.
      await this.#store(storable, counted);
      return toDated(counted);
    };
    return statistics.count(work, { timeoutMs: BACKGROUND_TIMEOUT_MS, signal: null });
  }

  async #store(storable: Storable<unknown>, counted: StoredFigures): Promise<void> {
    const { db, log, liveTimeoutMs } = this.#options;
    const { name, question } = storable;
    // If this count was fast, the slow one before it was an exception (a lock, a busy machine): the next query counts
    // live again.
    const isFast = counted.tookMs < liveTimeoutMs * FAST_BELOW;
    const storing = isFast
      ? deleteFiguresOfWindow(db, question, counted.asOf)
      : storeFigures(db, question, counted, MAX_MAX_AGE_MS);
    await storing.catch((error: unknown) => {
      this.#pauseFor(storable, counted.tookMs);
      log.warn({ err: error, figures: name }, 'could not store session figures; they will be counted again');
    });
  }
}

/** Finds stored figures that can be returned; null if there are none of the expected shape. */
async function findStored<Figures>(
  db: StatsDatabase,
  { question, shape }: Storable<Figures>,
  now: Date,
): Promise<Stored<Figures> | null> {
  const found = await findFreshFigures(db, question, now);
  if (!found) return null;
  const { success, data } = shape.safeParse(found.figures);
  return success ? { ...found, figures: data } : null;
}

/** Returns a count that also measures its duration. `asOf` is the time at which it begins. */
const timed =
  <Figures>(count: RunCountStatement<Figures>, asOf: Date): RunCountStatement<Stored<Figures>> =>
  async (tx) => {
    const since = performance.now();
    const figures = await count(tx);
    return { figures, asOf, tookMs: performance.now() - since };
  };

const toDated = <Figures>({ figures, asOf }: Stored<Figures>): DatedFigures<Figures> => ({ figures, asOf });

/** Returns whether it is time to count stored figures again. */
const isDue = ({ asOf, tookMs }: StoredFigures, now: Date): boolean =>
  now.getTime() - asOf.getTime() >= Math.max(MIN_REFRESH_MS, REFRESH_COST_FACTOR * tookMs);

/** Returns a promise that rejects when the signal is aborted. */
function rejectOnAbort(signal: AbortSignal | null): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/**
 * Rounds the bounds of the window down to whole hours or minutes, so that the same window always has the same
 * key. A window that ends within the current hour or minute ends now: it covers the newest sessions.
 */
function toStorable<Figures>({
  name,
  shape,
  window,
  count,
  now,
}: FiguresRequest<Figures>): Storable<Figures> {
  const length = (window.to ?? now).getTime() - (window.from?.getTime() ?? 0);
  const stepMs = length > LONG_WINDOW_MS ? HOUR_MS : MINUTE_MS;
  const floor = (time: Date) => new Date(Math.floor(time.getTime() / stepMs) * stepMs);
  const from = window.from && floor(window.from);
  const end = window.to && floor(window.to);
  const to = end?.getTime() === floor(now).getTime() ? null : end;
  const series = JSON.stringify([VERSION, name, window.openOnly, to, from !== null]);
  return {
    name,
    shape,
    count: count({ ...window, from, to }),
    key: `${series} ${from?.getTime()}`,
    question: {
      series,
      from: from ?? new Date(0),
      stepMs,
      maxAgeMs: Math.min(MAX_MAX_AGE_MS, Math.max(MIN_MAX_AGE_MS, length * MAX_AGE_FRACTION)),
    },
  };
}
