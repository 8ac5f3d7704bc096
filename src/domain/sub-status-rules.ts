/** What each sub-status means for meetings, recordings and polls, where the status table says nothing about it. */
import type { SubStatus } from './status.ts';

/** Meaning of a sub-status for the parts of a session besides its status. */
interface SubStatusRules {
  /** Sentence why no meeting may be booked, moved or cancelled; null if it may. */
  readonly noMeeting: string | null;
  /** Whether the sub-status shows that a call has ended, so that the provider has a recording. */
  readonly afterCall: boolean;
  /** Status that the booked meeting gets when the provider reports this sub-status; null: it stays as it is. */
  readonly meetingBecomes: 'MISSED' | 'COMPLETED' | 'CANCELLED' | null;
  /** How often the session is polled (`POLLING_INTERVALS`); null if it has ended. */
  readonly polls: PollPhase | null;
}

/** Phase of a session that has not ended, by which its polling interval is chosen. */
export type PollPhase = 'INVITED' | 'UNDER_WAY' | 'BOOKED' | 'UNDER_REVIEW';

const UNDER_WAY = {
  noMeeting: null,
  afterCall: false,
  meetingBecomes: null,
  polls: 'UNDER_WAY',
} as const satisfies SubStatusRules;
const AFTER_CALL = {
  ...UNDER_WAY,
  afterCall: true,
  polls: 'UNDER_REVIEW',
} as const satisfies SubStatusRules;
const ENDED = {
  ...UNDER_WAY,
  noMeeting: 'The session is over.',
  polls: null,
} as const satisfies SubStatusRules;

const DECIDED = 'The agent has already decided.';

/** Rules of every sub-status. A missing one is a compile error, so a new sub-status needs a decision on each rule. */
export const SUB_STATUS_RULES: Readonly<Record<SubStatus, SubStatusRules>> = {
  LINK_GENERATED: { ...UNDER_WAY, polls: 'INVITED' },
  AADHAAR_VERIFICATION_SUCCESS: UNDER_WAY,
  AADHAAR_VERIFICATION_FAILED: UNDER_WAY,
  AADHAAR_VERIFICATION_EXPIRED: UNDER_WAY,
  USER_IP_VERIFICATION_SUCCESSFUL: UNDER_WAY,
  USER_PROXY_DETECTED: UNDER_WAY,
  TECHNICAL_FAILURE: UNDER_WAY,
  USER_LOCATION_VERIFICATION_SUCCESS: UNDER_WAY,
  USER_LOCATION_OUTSIDE_INDIA: UNDER_WAY,
  USER_AUDIO_CHECK_FAILED: UNDER_WAY,
  USER_VIDEO_CHECK_FAILED: UNDER_WAY,
  USER_LOCATION_PERMISSION_DISABLED: UNDER_WAY,
  USER_DEVICE_CHECK_SUCCESS: UNDER_WAY,
  USER_QUEUED: UNDER_WAY,
  SCHEDULED_USER_QUEUED: UNDER_WAY,
  NO_AGENT_FOUND: UNDER_WAY,
  AGENT_ASSIGNED_TO_USER: UNDER_WAY,
  USER_MEETING_SCHEDULED: { ...UNDER_WAY, polls: 'BOOKED' },
  USER_MEETING_CANCELLED: { ...UNDER_WAY, meetingBecomes: 'CANCELLED' },
  USER_ACCEPTED_MEETING: {
    ...UNDER_WAY,
    noMeeting: 'The video call is in progress.',
    meetingBecomes: 'COMPLETED',
  },
  USER_REJECTED_MEETING: { ...UNDER_WAY, meetingBecomes: 'MISSED' },
  USER_MISSED_MEETING: { ...UNDER_WAY, meetingBecomes: 'MISSED' },
  USER_DROPPED_OFF: UNDER_WAY,
  AGENT_DROPPED_OFF: UNDER_WAY,
  USER_ENDED_CALL: { ...AFTER_CALL, meetingBecomes: 'COMPLETED' },
  AGENT_ENDED_CALL: { ...AFTER_CALL, meetingBecomes: 'COMPLETED' },
  AGENT_APPROVED: { ...AFTER_CALL, noMeeting: DECIDED },
  AGENT_REJECTED: { ...AFTER_CALL, noMeeting: DECIDED },
  AGENT_UNABLE_TO_VALIDATE: AFTER_CALL,
  AUDITOR_APPROVED: { ...ENDED, afterCall: true },
  AUDITOR_REJECTED: { ...ENDED, afterCall: true },
  INSUFFICIENT_BALANCE: ENDED,
  REJECTED_BY_MERCHANT: ENDED,
  TECHNICAL_ERROR: { ...UNDER_WAY, polls: 'UNDER_REVIEW' },
  FAILED_BY_MERCHANT: ENDED,
  REPLACED: ENDED,
  VKYC_EXPIRED: ENDED,
  UNRECOGNIZED: UNDER_WAY,
};

/**
 * Returns the rules of a sub-status. One that a later release stored (rolling deploy) has those of UNRECOGNIZED,
 * although its type says that it is known.
 */
export const getSubStatusRules = (subStatus: SubStatus): SubStatusRules =>
  (SUB_STATUS_RULES as Partial<Record<string, SubStatusRules>>)[subStatus] ?? SUB_STATUS_RULES.UNRECOGNIZED;

/** Returns the sub-statuses whose rules match, in the order of the table. */
export const findSubStatusesByRule = (matches: (rules: SubStatusRules) => boolean): readonly SubStatus[] =>
  (Object.keys(SUB_STATUS_RULES) as SubStatus[]).filter((subStatus) => matches(SUB_STATUS_RULES[subStatus]));
