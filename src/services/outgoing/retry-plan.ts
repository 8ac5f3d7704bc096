/** When a delivery that failed is attempted again, and how long an endpoint that keeps failing is left alone. */

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** Time after its first attempt at which a delivery is given up (dead letter). */
export const GIVE_UP_AFTER_MS = 3 * DAY_MS;

/** Failures without a success in between after which an endpoint is paused (circuit breaker). */
export const FAILURES_UNTIL_PAUSE = 8;

const RETRY_MS = { first: 5 * SECOND_MS, factor: 3, last: 6 * HOUR_MS };
const PAUSE_MS = { first: 10 * SECOND_MS, factor: 2, last: 10 * 60 * SECOND_MS };
/** Upper limit of what an endpoint can ask for by `Retry-After`. */
const MAX_RETRY_AFTER_MS = DAY_MS;
/** Part of a delay that is random, so that deliveries that failed together are not attempted together. */
const JITTER = 0.2;

interface Growth {
  readonly first: number;
  readonly factor: number;
  readonly last: number;
}

function delay({ first, factor, last }: Growth, count: number, random: () => number): number {
  const grown = Math.min(last, first * factor ** Math.max(0, count - 1));
  return Math.round(grown * (1 - JITTER / 2 + JITTER * random()));
}

/** Returns the milliseconds from the failure of attempt number `attempts` (1, 2, 3 …) to the next attempt. */
export const getRetryDelayMs = (attempts: number, random = Math.random): number =>
  delay(RETRY_MS, attempts, random);

/** Returns the milliseconds for which an endpoint is paused after so many failures; 0: not paused. */
export const getPauseDurationMs = (failures: number, random = Math.random): number =>
  failures < FAILURES_UNTIL_PAUSE ? 0 : delay(PAUSE_MS, failures - FAILURES_UNTIL_PAUSE + 1, random);

/**
 * Parses the header `Retry-After`, seconds or an HTTP date. Returns milliseconds, at most a day; 0 if the header is
 * missing or unusable.
 */
export function parseRetryAfterMs(header: string | undefined, now: Date): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header.trim())
    ? Number(header) * SECOND_MS
    : new Date(header).getTime() - now.getTime();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
