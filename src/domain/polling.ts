import { getStatusInfo, type StatusPair } from './status.ts';
import { getSubStatusRules, type PollPhase } from './sub-status-rules.ts';

/**
 * Fraction of the provider's rate limit that is reserved for mutations, so that polls never use up all calls.
 */
export const MUTATION_RESERVE_FRACTION = 0.3;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Default number of days for which the provider is asked whether it agrees with a decision made here. Counted from
 * the decision or the end of the link, whichever is later.
 */
export const DEFAULT_CONFIRMATION_POLL_DAYS = 7;

/** Settings and load that the times of polls depend on. */
export interface PollPace {
  /** Time in which the budget allows one poll of every session. */
  readonly fairShareMs: number;
  /** Time after the start of a meeting at which the meeting counts as missed if no call has begun. */
  readonly meetingGraceMs: number;
  /**
   * Time for which the provider is asked whether it agrees with a decision made here, counted from the decision or
   * the end of the link, whichever is later.
   */
  readonly confirmMs: number;
}

/** Facts about a session that decide when to poll it next. */
export interface PollFacts extends StatusPair {
  /** When the newest transition was recorded; if the session has ended, when it ended. */
  readonly changedAt: Date;
  /** When a webhook or poll last reported the session. */
  readonly heardAt: Date;
  /**
   * True if timestamps do not tell the order of the provider's updates, so that a poll must soon find out the
   * current status.
   */
  readonly unsettled: boolean;
  /** True if the session ended by a decision made here that the provider may still contradict (`isUnconfirmed`). */
  readonly unconfirmed: boolean;
  /**
   * When to poll again because the last answer repeated an older status and must be confirmed; null if no
   * answer is in doubt.
   */
  readonly secondLookAt: Date | null;
  readonly meetingAt: Date | null;
  readonly linkExpiresAt: Date | null;
  readonly createdAt: Date;
}

/**
 * Polling interval of one kind of session. The interval grows with the time since the last change (backoff):
 * the longer a session has not changed, the less likely is a change now.
 */
interface PollingInterval {
  /**
   * Interval right after a change, as a fraction of the fair share (the interval under round-robin polling).
   */
  readonly minShare: number;
  /** Later interval, as a fraction of the time since the change, up to a maximum (`maxMs` in `computeNextPollAt`). */
  readonly backoffShare: number;
}

/**
 * Polling policy, in fractions of the fair share (the interval that each session would get under round-robin).
 * Sessions whose customer acts within seconds are polled often, at the expense of sessions that wait for hours
 * or days.
 */
const POLLING_INTERVALS = {
  UNDER_WAY: { minShare: 0.035, backoffShare: 0.2 },
  INVITED: { minShare: 0.14, backoffShare: 0.2 },
  BOOKED: { minShare: 0.7, backoffShare: 0.2 },
  UNDER_REVIEW: { minShare: 0.14, backoffShare: 0.2 },
  UNCONFIRMED: { minShare: 0.7, backoffShare: 0.2 },
} as const satisfies Record<PollPhase | 'UNCONFIRMED', PollingInterval>;

/**
 * Lower limits of the polling intervals, so that a gateway with few sessions does not poll each of them
 * needlessly often.
 */
const MIN_INTERVAL_MS = 5 * SECOND;
const MIN_QUIET_INTERVAL_MS = MINUTE;

/** Assumed lifetime of a link if the provider gives no expiry time: the longest in its documentation. */
const LINK_LIFE_MS = 30 * DAY;
/**
 * Polling continues for this long after the expiry of a link, because the provider gives some expiry times only
 * as a date in an unknown time zone.
 */
const EXPIRY_DOUBT_MS = 1.5 * DAY;
const MAX_REVIEW_MS = 30 * DAY;

/**
 * Weight in the fair share of a session that ended by a decision made here; an open session has the weight 1. Such
 * sessions may be many, and contradictions are rare: together they must not slow down the polls of open sessions.
 */
export const UNCONFIRMED_POLL_WEIGHT = 0.1;
const MIN_UNCONFIRMED_INTERVAL_MS = HOUR;

/**
 * Returns when to poll a session next; null if never again, because the session has ended or its link has expired. A
 * poll is due right after the start of a booked meeting, and right after its grace period. A session that ended by a
 * decision made here is polled until the provider agrees or contradicts, or until `confirmMs` after the decision or
 * the end of the link, whichever is later.
 */
export function computeNextPollAt(
  facts: PollFacts,
  { fairShareMs, meetingGraceMs, confirmMs }: PollPace,
): Date | null {
  const polledAt = facts.heardAt.getTime();
  const expiry = facts.linkExpiresAt?.getTime() ?? facts.createdAt.getTime() + LINK_LIFE_MS;
  if (getStatusInfo(facts).terminal) {
    const decidedAt = facts.changedAt.getTime();
    if (!facts.unconfirmed || polledAt > Math.max(decidedAt, expiry) + confirmMs) return null;
    const maxMs = Math.max(fairShareMs / UNCONFIRMED_POLL_WEIGHT, MIN_UNCONFIRMED_INTERVAL_MS);
    return new Date(nextBackoff(POLLING_INTERVALS.UNCONFIRMED, polledAt, decidedAt, fairShareMs, maxMs));
  }
  if (facts.unsettled) return facts.secondLookAt ?? facts.heardAt;

  const phase = getSubStatusRules(facts.subStatus).polls ?? 'UNDER_WAY';
  const ended =
    phase === 'UNDER_REVIEW'
      ? polledAt > facts.changedAt.getTime() + MAX_REVIEW_MS
      : polledAt > expiry + EXPIRY_DOUBT_MS;
  if (ended) return null;

  const meeting = phase === 'BOOKED' ? (facts.meetingAt?.getTime() ?? null) : null;
  const times = meeting === null ? [] : [meeting, meeting + meetingGraceMs];
  // The start of a meeting and the end of its grace period count as changes, so that polls are frequent after both.
  // A webhook that arrives right after the grace period counts as a poll, but cannot show a missed meeting; a poll
  // must follow soon.
  const changed = times.findLast((time) => time <= polledAt) ?? facts.changedAt.getTime();
  // After the start of its meeting, a session is polled as often as one that is under way.
  const met = meeting !== null && meeting <= polledAt;
  const maxMs = Math.max(fairShareMs, MIN_QUIET_INTERVAL_MS);
  const due = nextBackoff(
    POLLING_INTERVALS[met ? 'UNDER_WAY' : phase],
    polledAt,
    changed,
    fairShareMs,
    maxMs,
  );
  return new Date(earliest(due, [...times, expiry], polledAt));
}

/**
 * Returns the time of the next poll by backoff: the interval grows with the time from the change to the last poll.
 * The change may be later than the last poll, if a decision was made through this API: the interval then starts at
 * that decision.
 */
function nextBackoff(
  { minShare, backoffShare }: PollingInterval,
  polledAt: number,
  changed: number,
  fairShareMs: number,
  maxMs: number,
): number {
  const minMs = Math.max(fairShareMs * minShare, MIN_INTERVAL_MS);
  return Math.max(polledAt, changed) + Math.min(Math.max((polledAt - changed) * backoffShare, minMs), maxMs);
}

/**
 * Returns the earliest of `due` and one second after each appointed time (meeting, end of its grace period,
 * expiry of the link) that was still ahead at the last poll.
 */
const earliest = (due: number, appointed: readonly number[], polledAt: number): number =>
  Math.min(due, ...appointed.filter((time) => time > polledAt).map((time) => time + SECOND));
