import { type KnownSubStatus, toStatusPair } from '../domain/status.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { JourneyStep } from './step.ts';
import type { AadhaarFlow } from './templates.ts';
import { getJourneyProfile, type JourneyProfile, type JourneyProfileName, sampleDuration } from './timing.ts';

type Alternatives = Partial<Record<KnownSubStatus, number>>;

/**
 * Possible next steps of each step, with their weights. The first next step of each row leads towards the end
 * of the journey. The table follows the explanations and recommended actions in the provider's status
 * reference, and is guessed where the reference says nothing.
 */
export const TRANSITION_WEIGHTS = {
  LINK_GENERATED: {
    AADHAAR_VERIFICATION_SUCCESS: 12,
    AADHAAR_VERIFICATION_FAILED: 4,
    AADHAAR_VERIFICATION_EXPIRED: 2,
  },
  AADHAAR_VERIFICATION_FAILED: {
    AADHAAR_VERIFICATION_SUCCESS: 6,
    AADHAAR_VERIFICATION_FAILED: 2,
    AADHAAR_VERIFICATION_EXPIRED: 1,
    VKYC_EXPIRED: 1,
  },
  AADHAAR_VERIFICATION_EXPIRED: { AADHAAR_VERIFICATION_SUCCESS: 6, AADHAAR_VERIFICATION_FAILED: 2 },
  AADHAAR_VERIFICATION_SUCCESS: {
    USER_IP_VERIFICATION_SUCCESSFUL: 10,
    USER_PROXY_DETECTED: 2,
    TECHNICAL_FAILURE: 1,
  },
  USER_PROXY_DETECTED: { USER_IP_VERIFICATION_SUCCESSFUL: 4, USER_PROXY_DETECTED: 1 },
  TECHNICAL_FAILURE: { USER_IP_VERIFICATION_SUCCESSFUL: 4, TECHNICAL_FAILURE: 1 },
  USER_IP_VERIFICATION_SUCCESSFUL: {
    USER_LOCATION_VERIFICATION_SUCCESS: 10,
    USER_LOCATION_PERMISSION_DISABLED: 3,
    USER_LOCATION_OUTSIDE_INDIA: 1,
  },
  USER_LOCATION_PERMISSION_DISABLED: {
    USER_LOCATION_VERIFICATION_SUCCESS: 5,
    USER_LOCATION_OUTSIDE_INDIA: 1,
  },
  USER_LOCATION_OUTSIDE_INDIA: { USER_LOCATION_VERIFICATION_SUCCESS: 2, VKYC_EXPIRED: 1 },
  USER_LOCATION_VERIFICATION_SUCCESS: {
    USER_DEVICE_CHECK_SUCCESS: 10,
    USER_AUDIO_CHECK_FAILED: 2,
    USER_VIDEO_CHECK_FAILED: 2,
  },
  USER_AUDIO_CHECK_FAILED: { USER_DEVICE_CHECK_SUCCESS: 4, USER_VIDEO_CHECK_FAILED: 1 },
  USER_VIDEO_CHECK_FAILED: { USER_DEVICE_CHECK_SUCCESS: 4, USER_AUDIO_CHECK_FAILED: 1 },
  USER_DEVICE_CHECK_SUCCESS: { USER_QUEUED: 6, USER_MEETING_SCHEDULED: 4 },
  USER_QUEUED: { AGENT_ASSIGNED_TO_USER: 6, NO_AGENT_FOUND: 2 },
  SCHEDULED_USER_QUEUED: { AGENT_ASSIGNED_TO_USER: 8, NO_AGENT_FOUND: 1 },
  NO_AGENT_FOUND: { USER_QUEUED: 3, USER_MEETING_SCHEDULED: 3, VKYC_EXPIRED: 0.5 },
  USER_MEETING_SCHEDULED: { SCHEDULED_USER_QUEUED: 8, USER_MEETING_CANCELLED: 2 },
  USER_MEETING_CANCELLED: { USER_QUEUED: 2, USER_MEETING_SCHEDULED: 3, VKYC_EXPIRED: 0.5 },
  AGENT_ASSIGNED_TO_USER: {
    USER_ACCEPTED_MEETING: 10,
    USER_MISSED_MEETING: 2,
    USER_REJECTED_MEETING: 1,
  },
  USER_MISSED_MEETING: { USER_QUEUED: 1, USER_MEETING_SCHEDULED: 4, VKYC_EXPIRED: 0.5 },
  USER_REJECTED_MEETING: { USER_QUEUED: 1, USER_MEETING_SCHEDULED: 4, VKYC_EXPIRED: 0.5 },
  USER_ACCEPTED_MEETING: {
    AGENT_ENDED_CALL: 12,
    USER_DROPPED_OFF: 2,
    AGENT_DROPPED_OFF: 1,
    USER_ENDED_CALL: 1,
    TECHNICAL_ERROR: 0.5,
  },
  USER_DROPPED_OFF: { USER_QUEUED: 4, USER_MEETING_SCHEDULED: 1 },
  AGENT_DROPPED_OFF: { USER_QUEUED: 4, USER_MEETING_SCHEDULED: 1 },
  USER_ENDED_CALL: { USER_QUEUED: 2, USER_MEETING_SCHEDULED: 1 },
  TECHNICAL_ERROR: { USER_QUEUED: 2, USER_MEETING_SCHEDULED: 1 },
  AGENT_ENDED_CALL: { AGENT_APPROVED: 8, AGENT_REJECTED: 1, AGENT_UNABLE_TO_VALIDATE: 1 },
  AGENT_UNABLE_TO_VALIDATE: { USER_QUEUED: 1, USER_MEETING_SCHEDULED: 2 },
  AGENT_REJECTED: { AUDITOR_REJECTED: 1 },
  AGENT_APPROVED: { AUDITOR_APPROVED: 8, AUDITOR_REJECTED: 1 },
} as const satisfies Partial<Record<KnownSubStatus, Alternatives>>;

/**
 * First step of a journey, by Aadhaar flow (`answer`), and the step whose row of weights decides the second
 * step (`goesOnLike`).
 */
const BEGINNINGS = {
  AADHAAR_STEP: { answer: 'LINK_GENERATED', goesOnLike: 'LINK_GENERATED' },
  AADHAAR_SENT: { answer: 'AADHAAR_VERIFICATION_SUCCESS', goesOnLike: 'AADHAAR_VERIFICATION_SUCCESS' },
  CALL_ONLY: { answer: 'LINK_GENERATED', goesOnLike: 'AADHAAR_VERIFICATION_SUCCESS' },
} as const satisfies Record<AadhaarFlow, { answer: KnownSubStatus; goesOnLike: KnownSubStatus }>;

const NO_BALANCE = 0.01;
/**
 * Probability that the journey stops after the call, so that a person can review the session through the API.
 */
const LEFT_TO_REVIEW = 0.15;
/**
 * Number of steps after which the journey takes only the first next step of each row. These steps lead to the end of
 * the journey within ten more steps.
 */
const LOOPS_END_AFTER = 28;

/** Returns a random journey, which ends in a terminal status or waits for the agent's review. */
export function buildRandomJourney(
  random: SeededRandom,
  flow: AadhaarFlow,
  name: JourneyProfileName,
): readonly JourneyStep[] {
  if (random.chance(NO_BALANCE)) return [{ afterSeconds: 0, subStatus: 'INSUFFICIENT_BALANCE' }];
  const timing = getJourneyProfile(name);
  const { answer, goesOnLike } = BEGINNINGS[flow];
  const steps: JourneyStep[] = [{ afterSeconds: 0, subStatus: answer }];
  const opened = !random.chance(timing.neverOpened);
  let next: KnownSubStatus | null = opened ? pickNext(goesOnLike, steps.length, random) : 'VKYC_EXPIRED';
  let elapsed = 0;

  while (next) {
    const step = timed(next, steps, elapsed, timing, random);
    steps.push(step);
    elapsed += step.afterSeconds;
    next = pickNext(step.subStatus as KnownSubStatus, steps.length, random);
  }
  return steps;
}

/** Picks the next step; null at the end of the journey. */
function pickNext(from: KnownSubStatus, length: number, random: SeededRandom): KnownSubStatus | null {
  const row: Alternatives | undefined = TRANSITION_WEIGHTS[from as keyof typeof TRANSITION_WEIGHTS];
  if (!row || (from === 'AGENT_ENDED_CALL' && random.chance(LEFT_TO_REVIEW))) return null;
  const [forward] = Object.keys(row) as KnownSubStatus[];
  return length < LOOPS_END_AFTER ? random.pick(row) : (forward ?? null);
}

/**
 * Adds the delay to a step. A meeting starts at the time for which it was booked. A step for which the
 * customer's link would have expired is replaced by the expiry of the link.
 */
function timed(
  next: KnownSubStatus,
  before: readonly JourneyStep[],
  elapsed: number,
  timing: JourneyProfile,
  random: SeededRandom,
): JourneyStep {
  const afterSeconds = waitFor(next, before, timing, random);
  const { linkLifeSeconds } = timing;
  const tooLate = linkLifeSeconds !== null && elapsed + afterSeconds >= linkLifeSeconds && needsTheLink(next);
  if (linkLifeSeconds !== null && (tooLate || next === 'VKYC_EXPIRED'))
    return {
      afterSeconds: inMilliseconds(Math.max(linkLifeSeconds - elapsed, 0)),
      subStatus: 'VKYC_EXPIRED',
    };
  if (next !== 'USER_MEETING_SCHEDULED') return { afterSeconds, subStatus: next };
  return { afterSeconds, subStatus: next, meetingInSeconds: sampleDuration(timing.meetingAhead, random) };
}

function waitFor(
  next: KnownSubStatus,
  before: readonly JourneyStep[],
  timing: JourneyProfile,
  random: SeededRandom,
): number {
  const meetingIn = before.at(-1)?.meetingInSeconds;
  if (meetingIn !== undefined)
    return next === 'SCHEDULED_USER_QUEUED' ? meetingIn : inMilliseconds(random.between(0, meetingIn));
  if (random.chance(timing.atOnce)) return 0;
  const opening = before.length === 1 ? sampleDuration(timing.opening, random) : 0;
  return inMilliseconds(opening + sampleDuration(timing.until[next] ?? timing.otherwise, random));
}

const inMilliseconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/**
 * Returns whether a step needs a link that has not expired. Steps after the call do not need the link,
 * because an auditor may take a day.
 */
const needsTheLink = (subStatus: KnownSubStatus): boolean =>
  ['RECEIVED', 'PRE_VIDEO_CALL', 'VIDEO_CALL'].includes(toStatusPair(subStatus).status);
