import type { KnownSubStatus } from '../domain/status.ts';

/** One step of a journey: how many seconds after the one before, and where it leads. */
export interface Step {
  readonly afterSeconds: number;
  readonly subStatus: KnownSubStatus;
  /** From here on the customer has a meeting, so many seconds after this step. */
  readonly meetingInSeconds?: number;
}

/** What the customer, the agent and the auditor do, from the link onwards. */
const CHECKS: readonly Step[] = [
  { afterSeconds: 0, subStatus: 'LINK_GENERATED' },
  { afterSeconds: 1.5, subStatus: 'AADHAAR_VERIFICATION_SUCCESS' },
  { afterSeconds: 1, subStatus: 'USER_IP_VERIFICATION_SUCCESSFUL' },
  { afterSeconds: 1, subStatus: 'USER_LOCATION_VERIFICATION_SUCCESS' },
  { afterSeconds: 1, subStatus: 'USER_DEVICE_CHECK_SUCCESS' },
];

const CALL_AFTER_A_MEETING: readonly Step[] = [
  { afterSeconds: 1, subStatus: 'USER_QUEUED' },
  { afterSeconds: 1.5, subStatus: 'NO_AGENT_FOUND' },
  { afterSeconds: 1, subStatus: 'USER_MEETING_SCHEDULED', meetingInSeconds: 2 },
  { afterSeconds: 2, subStatus: 'SCHEDULED_USER_QUEUED' },
  { afterSeconds: 1, subStatus: 'AGENT_ASSIGNED_TO_USER' },
  { afterSeconds: 1, subStatus: 'USER_ACCEPTED_MEETING' },
  { afterSeconds: 2, subStatus: 'AGENT_ENDED_CALL' },
];

export const SCENARIOS = {
  'happy-path': {
    description: 'Every check passes, the call takes place, agent and auditor approve.',
    steps: [
      ...CHECKS,
      ...CALL_AFTER_A_MEETING,
      { afterSeconds: 1, subStatus: 'AGENT_APPROVED' },
      { afterSeconds: 1, subStatus: 'AUDITOR_APPROVED' },
    ],
  },
  'awaits-review': {
    description: 'The call takes place; the decisions are left to you. The default.',
    steps: [...CHECKS, ...CALL_AFTER_A_MEETING],
  },
} as const satisfies Record<string, { description: string; steps: readonly Step[] }>;

export type ScenarioName = keyof typeof SCENARIOS;

/** A scenario is chosen by its name as a word in the verification id, such as `demo.happy-path.1`. */
export function scenarioOf(verificationId: string): ScenarioName {
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  return names.find((name) => verificationId.includes(name)) ?? 'awaits-review';
}

/** The ten documented webhook events and what they report. All else the provider shows by GET alone. */
const DOCUMENTED_EVENTS: Partial<Record<KnownSubStatus, string>> = {
  LINK_GENERATED: 'VKYC_USER_LINK_GENERATED',
  VKYC_EXPIRED: 'VKYC_USER_LINK_EXPIRED',
  AADHAAR_VERIFICATION_SUCCESS: 'VKYC_USER_AADHAAR_VERIFIED',
  USER_MEETING_SCHEDULED: 'VKYC_USER_CALL_SCHEDULED',
  USER_PROXY_DETECTED: 'VKYC_USER_PRECHECK_FAILED',
  USER_LOCATION_OUTSIDE_INDIA: 'VKYC_USER_PRECHECK_FAILED',
  USER_LOCATION_PERMISSION_DISABLED: 'VKYC_USER_PRECHECK_FAILED',
  USER_AUDIO_CHECK_FAILED: 'VKYC_USER_PRECHECK_FAILED',
  USER_VIDEO_CHECK_FAILED: 'VKYC_USER_PRECHECK_FAILED',
  TECHNICAL_FAILURE: 'VKYC_USER_PRECHECK_FAILED',
  USER_QUEUED: 'VKYC_USER_CALL_QUEUED',
  SCHEDULED_USER_QUEUED: 'VKYC_USER_CALL_QUEUED',
  USER_ACCEPTED_MEETING: 'VKYC_USER_CALL_STARTED',
  USER_DROPPED_OFF: 'VKYC_USER_DROPOFF_FROM_CALL',
  AGENT_ENDED_CALL: 'VKYC_USER_CALL_COMPLETED',
  AUDITOR_APPROVED: 'VKYC_AUDITOR_REVIEW_COMPLETED',
  AUDITOR_REJECTED: 'VKYC_AUDITOR_REVIEW_COMPLETED',
};

/** The event that reports a step; null where none is documented. */
export const documentedEvent = (subStatus: KnownSubStatus): string | null =>
  DOCUMENTED_EVENTS[subStatus] ?? null;
