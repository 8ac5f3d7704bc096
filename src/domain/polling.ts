import { infoOf, type Pair, type SubStatus } from './status.ts';

/** The part of the provider's limit that polls leave to mutations. */
export const KEPT_FOR_MUTATIONS = 0.3;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is known of a session that tells how soon the provider may have news of it. */
export interface PollFacts extends Pair {
  /** When anything of it was recorded last. */
  readonly changedAt: Date;
  /** When the provider was last heard of it, by a webhook or a poll. */
  readonly heardAt: Date;
  /** The order of what was heard is in doubt: asking settles it. */
  readonly unsettled: boolean;
  /** When to ask again about an answer that a second one has to confirm; null if there is none. */
  readonly secondLookAt: Date | null;
  readonly meetingAt: Date | null;
  readonly linkExpiresAt: Date | null;
  readonly createdAt: Date;
}

/** How often to ask. The longer nothing has happened, the less likely it is to happen now. */
interface Rhythm {
  /** Pause right after a change, as a part of the fair share. */
  readonly least: number;
  /** Pause as a part of the time since the change. */
  readonly part: number;
  /** Longest pause, as a part of the fair share. */
  readonly most: number;
}

/**
 * The policy, in parts of the fair share: the pause that each session would get if all were asked in turn. So it
 * spends the same budget, whatever that is, on what customers in front of their screens do within seconds, and
 * takes it from what waits for somebody for hours or days.
 */
const RHYTHMS = {
  UNDER_WAY: { least: 0.035, part: 0.2, most: 1 },
  INVITED: { least: 0.14, part: 0.2, most: 1 },
  BOOKED: { least: 0.7, part: 0.2, most: 1 },
  UNDER_REVIEW: { least: 0.14, part: 0.2, most: 1 },
} as const satisfies Record<string, Rhythm>;

/** However few sessions there are: nobody needs to know sooner, and a quiet session not even that soon. */
const SHORTEST_PAUSE_MS = 5 * SECOND;
const SHORTEST_QUIET_PAUSE_MS = MINUTE;

const OTHER_RHYTHMS: Partial<Record<SubStatus, keyof typeof RHYTHMS>> = {
  LINK_GENERATED: 'INVITED',
  USER_MEETING_SCHEDULED: 'BOOKED',
  AGENT_ENDED_CALL: 'UNDER_REVIEW',
  USER_ENDED_CALL: 'UNDER_REVIEW',
  AGENT_APPROVED: 'UNDER_REVIEW',
  AGENT_REJECTED: 'UNDER_REVIEW',
  AGENT_UNABLE_TO_VALIDATE: 'UNDER_REVIEW',
  TECHNICAL_ERROR: 'UNDER_REVIEW',
};

/** Where the provider does not say; the longest that its pages show. */
const LINK_LIFE_MS = 30 * DAY;
/** Expiry is a date at times, of a zone that nobody names. */
const EXPIRY_DOUBT_MS = 1.5 * DAY;
const LONGEST_REVIEW_MS = 30 * DAY;

/**
 * When the provider should next be asked about a session; null: never again, because it or its link has ended.
 * `fairShareMs` is the time in which the budget allows to ask about every session once.
 */
export function nextPollAt(facts: PollFacts, fairShareMs: number): Date | null {
  if (infoOf(facts).terminal) return null;
  const heard = facts.heardAt.getTime();
  if (facts.unsettled) return facts.secondLookAt ?? facts.heardAt;

  const rhythm = OTHER_RHYTHMS[facts.subStatus] ?? 'UNDER_WAY';
  const expiry = facts.linkExpiresAt?.getTime() ?? facts.createdAt.getTime() + LINK_LIFE_MS;
  const ended =
    rhythm === 'UNDER_REVIEW'
      ? heard > facts.changedAt.getTime() + LONGEST_REVIEW_MS
      : heard > expiry + EXPIRY_DOUBT_MS;
  if (ended) return null;

  const meeting = rhythm === 'BOOKED' ? (facts.meetingAt?.getTime() ?? null) : null;
  // Once its time has come, a meeting is a customer under way.
  const met = meeting !== null && meeting <= heard;
  const { least, part, most } = RHYTHMS[met ? 'UNDER_WAY' : rhythm];
  const changed = met ? meeting : facts.changedAt.getTime();
  const quietMs = heard - changed;
  const leastMs = Math.max(fairShareMs * least, SHORTEST_PAUSE_MS);
  const mostMs = Math.max(fairShareMs * most, SHORTEST_QUIET_PAUSE_MS);
  // What was decided here since is a change as well, after which there may soon be news.
  const due = Math.max(heard, changed) + Math.min(Math.max(quietMs * part, leastMs), mostMs);
  return new Date(earliest(due, [meeting, expiry], heard));
}

/** What is due, or before it the first of the appointed times still to come. */
const earliest = (due: number, appointed: readonly (number | null)[], heard: number): number =>
  Math.min(
    due,
    ...appointed.filter((time) => time !== null && time > heard).map((time) => (time as number) + SECOND),
  );
