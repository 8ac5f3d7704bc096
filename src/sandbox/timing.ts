import type { KnownSubStatus } from '../domain/status.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Distribution of a duration in seconds: uniform between two limits, or log-normal with a long tail. */
type Span =
  | { readonly from: number; readonly to: number }
  | { readonly median: number; readonly spread: number };

/** Durations and probabilities of a random journey. */
export interface JourneyProfile {
  /** Fraction of links that are never opened. */
  readonly neverOpened: number;
  /** Time from the creation of the link to the customer's first action. */
  readonly opening: Span;
  /** Time from the booking of a meeting to its start. */
  readonly meetingAhead: Span;
  /** Delay before each step. Steps that are not listed have the delay `otherwise`. */
  readonly until: Partial<Record<KnownSubStatus, Span>>;
  readonly otherwise: Span;
  /** Fraction of steps that come at the same moment as the step before. */
  readonly atOnce: number;
  /** Lifetime of the link. If null, the link expires after the same delay as any other step. */
  readonly linkLifeSeconds: number | null;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const QUEUE: Span = { from: 0.5 * MINUTE, to: 10 * MINUTE };
const CALL: Span = { from: 2 * MINUTE, to: 4 * MINUTE };
const AGENT_REVIEW: Span = { from: 1 * MINUTE, to: 10 * MINUTE };
const AUDITOR_REVIEW: Span = { from: 0.5 * HOUR, to: 1 * DAY };

export const JOURNEY_PROFILES = {
  QUICK: {
    neverOpened: 0.04,
    opening: { from: 0, to: 2 },
    meetingAhead: { from: 1, to: 5 },
    until: {},
    otherwise: { from: 0, to: 3 },
    atOnce: 0.4,
    linkLifeSeconds: null,
  },
  LIFELIKE: {
    neverOpened: 0.08,
    opening: { median: 10 * MINUTE, spread: 2.3 },
    meetingAhead: { from: 2 * HOUR, to: 3 * DAY },
    until: {
      AADHAAR_VERIFICATION_EXPIRED: { from: 10 * MINUTE, to: 10 * MINUTE },
      USER_QUEUED: { from: 5, to: 5 * MINUTE },
      USER_MEETING_SCHEDULED: { from: 0.5 * MINUTE, to: 30 * MINUTE },
      AGENT_ASSIGNED_TO_USER: QUEUE,
      NO_AGENT_FOUND: QUEUE,
      USER_ACCEPTED_MEETING: { from: 2, to: 20 },
      USER_REJECTED_MEETING: { from: 2, to: 20 },
      USER_MISSED_MEETING: { from: 1 * MINUTE, to: 5 * MINUTE },
      AGENT_ENDED_CALL: CALL,
      USER_ENDED_CALL: CALL,
      USER_DROPPED_OFF: { from: 10, to: 3 * MINUTE },
      AGENT_DROPPED_OFF: { from: 10, to: 3 * MINUTE },
      TECHNICAL_ERROR: { from: 10, to: 3 * MINUTE },
      AGENT_APPROVED: AGENT_REVIEW,
      AGENT_REJECTED: AGENT_REVIEW,
      AGENT_UNABLE_TO_VALIDATE: AGENT_REVIEW,
      AUDITOR_APPROVED: AUDITOR_REVIEW,
      AUDITOR_REJECTED: AUDITOR_REVIEW,
    },
    otherwise: { from: 10, to: 60 },
    atOnce: 0,
    linkLifeSeconds: 30 * DAY,
  },
} as const satisfies Record<string, JourneyProfile>;

export type JourneyProfileName = keyof typeof JOURNEY_PROFILES;

export const getJourneyProfile = (name: JourneyProfileName): JourneyProfile => JOURNEY_PROFILES[name];

/** Draws a duration in seconds, rounded to milliseconds. */
export function sampleDuration(span: Span, random: SeededRandom): number {
  const seconds =
    'median' in span ? random.logNormal(span.median, span.spread) : random.between(span.from, span.to);
  return Math.round(seconds * 1000) / 1000;
}
