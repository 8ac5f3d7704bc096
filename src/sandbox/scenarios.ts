import type { JourneyStep, SandboxSubStatus } from './step.ts';
import { UNDOCUMENTED_STATUS } from './step.ts';
import type { JourneyProfileName } from './timing.ts';

/** Time for which a scenario pauses at its problem, so that a person can look at the session. */
const PROBLEM_PAUSE_SECONDS = 20;
/** Time in which a person can decide through the gateway before the provider's people do. */
const DECISION_PAUSE_SECONDS = 60;

const step = (subStatus: SandboxSubStatus, afterSeconds = 1): JourneyStep => ({ afterSeconds, subStatus });
const meeting = (meetingInSeconds: number): JourneyStep => ({
  ...step('USER_MEETING_SCHEDULED'),
  meetingInSeconds,
});

/** Returns the step of a problem and, after a pause, the steps that follow it. */
const problem = (
  subStatus: SandboxSubStatus,
  [first, ...rest]: readonly JourneyStep[],
): readonly JourneyStep[] => [
  step(subStatus),
  ...(first ? [{ ...first, afterSeconds: PROBLEM_PAUSE_SECONDS }, ...rest] : []),
];

const LINK = step('LINK_GENERATED', 0);
const AADHAAR = step('AADHAAR_VERIFICATION_SUCCESS', 1.5);
const IP = step('USER_IP_VERIFICATION_SUCCESSFUL');
const LOCATION = step('USER_LOCATION_VERIFICATION_SUCCESS');
const DEVICE = step('USER_DEVICE_CHECK_SUCCESS');
const CHECKS = [LINK, AADHAAR, IP, LOCATION, DEVICE];

const QUEUED = step('USER_QUEUED');
const ASSIGNED = step('AGENT_ASSIGNED_TO_USER');
const ACCEPTED = step('USER_ACCEPTED_MEETING');
const ENDED = step('AGENT_ENDED_CALL', 2);
const CALL = [QUEUED, ASSIGNED, ACCEPTED, ENDED];

const MEETING = [meeting(2), step('SCHEDULED_USER_QUEUED', 2), ASSIGNED];
const MEETING_AND_CALL = [...MEETING, ACCEPTED, ENDED];
const CALL_AFTER_A_MEETING = [QUEUED, step('NO_AGENT_FOUND', 1.5), ...MEETING_AND_CALL];

const DEVICE_AND_CALL = [DEVICE, ...CALL];
const FROM_LOCATION = [LOCATION, ...DEVICE_AND_CALL];
const FROM_IP = [IP, ...FROM_LOCATION];
const FROM_AADHAAR = [AADHAAR, ...FROM_IP];
const CALL_ENDED = [...CHECKS, ...CALL];

/** Scenario: how customer, agent and auditor behave, from the creation of the link to the end. */
export type Scenario = { readonly description: string } & (
  | { readonly steps: readonly JourneyStep[] }
  /** The steps are random, derived from the seed and the verification id, with the delays of this timing. */
  | { readonly walk: JourneyProfileName }
  /** `POST /vkyc` is refused with this error, and no verification is created. */
  | { readonly refusal: 'insufficientBalance' }
);

export const SCENARIOS = {
  'happy-path': {
    description: 'Every check passes, the call takes place, agent and auditor approve.',
    steps: [...CHECKS, ...CALL_AFTER_A_MEETING, step('AGENT_APPROVED'), step('AUDITOR_APPROVED')],
  },
  'awaits-review': {
    description: 'The call takes place; you make the decisions. This is the default.',
    steps: [...CHECKS, ...CALL_AFTER_A_MEETING],
  },
  'insufficient-balance': {
    description: 'The start is answered with 200 and REJECTED: the balance is too low.',
    steps: [step('INSUFFICIENT_BALANCE', 0)],
  },
  'insufficient-balance-422': {
    description: 'The start is refused with 422: the balance is too low. No verification is created.',
    refusal: 'insufficientBalance',
  },
  'aadhaar-failed': {
    description: 'Aadhaar fails, then succeeds at the second try.',
    steps: [LINK, ...problem('AADHAAR_VERIFICATION_FAILED', FROM_AADHAAR)],
  },
  'aadhaar-expired': {
    description: 'The Aadhaar step times out, then succeeds.',
    steps: [LINK, ...problem('AADHAAR_VERIFICATION_EXPIRED', FROM_AADHAAR)],
  },
  'proxy-detected': {
    description: 'The customer comes through a VPN, then switches it off.',
    steps: [LINK, AADHAAR, ...problem('USER_PROXY_DETECTED', FROM_IP)],
  },
  'outside-india': {
    description: 'The customer is abroad, then tries again from India.',
    steps: [LINK, AADHAAR, IP, ...problem('USER_LOCATION_OUTSIDE_INDIA', FROM_LOCATION)],
  },
  'location-denied': {
    description: 'The customer denies access to the location, then allows it.',
    steps: [LINK, AADHAAR, IP, ...problem('USER_LOCATION_PERMISSION_DISABLED', FROM_LOCATION)],
  },
  'microphone-off': {
    description: 'The microphone is off, then on.',
    steps: [LINK, AADHAAR, IP, LOCATION, ...problem('USER_AUDIO_CHECK_FAILED', DEVICE_AND_CALL)],
  },
  'camera-off': {
    description: 'The camera is off, then on.',
    steps: [LINK, AADHAAR, IP, LOCATION, ...problem('USER_VIDEO_CHECK_FAILED', DEVICE_AND_CALL)],
  },
  'technical-failure': {
    description: 'A step before the call fails with a temporary technical error, then succeeds.',
    steps: [LINK, AADHAAR, ...problem('TECHNICAL_FAILURE', FROM_IP)],
  },
  'no-agent': {
    description: 'No agent is free; the customer joins the queue again later.',
    steps: [...CHECKS, QUEUED, ...problem('NO_AGENT_FOUND', CALL)],
  },
  'meeting-cancelled': {
    description: 'The meeting is cancelled and another one booked.',
    steps: [...CHECKS, meeting(60), ...problem('USER_MEETING_CANCELLED', MEETING_AND_CALL)],
  },
  'meeting-rejected': {
    description: 'The customer declines the call and books another meeting.',
    steps: [...CHECKS, ...MEETING, ...problem('USER_REJECTED_MEETING', MEETING_AND_CALL)],
  },
  'meeting-missed': {
    description: 'The customer misses the call and books another meeting.',
    steps: [...CHECKS, ...MEETING, ...problem('USER_MISSED_MEETING', MEETING_AND_CALL)],
  },
  'user-drops-off': {
    description: 'The customer loses the connection and joins the queue again.',
    steps: [...CHECKS, QUEUED, ASSIGNED, ACCEPTED, ...problem('USER_DROPPED_OFF', CALL)],
  },
  'agent-drops-off': {
    description: 'The agent loses the connection; the customer joins the queue again.',
    steps: [...CHECKS, QUEUED, ASSIGNED, ACCEPTED, ...problem('AGENT_DROPPED_OFF', CALL)],
  },
  'user-ends-call': {
    description: 'The customer ends the call too early and joins the queue again.',
    steps: [...CHECKS, QUEUED, ASSIGNED, ACCEPTED, ...problem('USER_ENDED_CALL', CALL)],
  },
  'agent-rejects': {
    description: 'The agent rejects the customer. This is the last step: the provider reports nothing more.',
    steps: [...CALL_ENDED, step('AGENT_REJECTED')],
  },
  'unable-to-validate': {
    description: 'The agent cannot decide; another agent meets the customer.',
    steps: [...CALL_ENDED, ...problem('AGENT_UNABLE_TO_VALIDATE', MEETING_AND_CALL)],
  },
  'auditor-rejects': {
    description: 'The agent approves and the auditor rejects.',
    steps: [...CALL_ENDED, step('AGENT_APPROVED'), step('AUDITOR_REJECTED')],
  },
  'technical-error': {
    description: 'The call fails for a technical reason, then takes place at the second try.',
    steps: [...CHECKS, QUEUED, ASSIGNED, ACCEPTED, ...problem('TECHNICAL_ERROR', CALL)],
  },
  'link-expires': {
    description: 'The customer never opens the link, which expires.',
    steps: [LINK, step('VKYC_EXPIRED', PROBLEM_PAUSE_SECONDS)],
  },
  'unheard-expiry': {
    description:
      'The link expires, and the provider never reports it: only the expiry time of the link shows it.',
    steps: [{ ...LINK, linkEndsInSeconds: PROBLEM_PAUSE_SECONDS }],
  },
  'unheard-rejection': {
    description:
      "After the call there is time to approve; then the provider's auditor rejects, and the webhooks are lost.",
    steps: [
      ...CALL_ENDED,
      { ...step('AGENT_APPROVED', DECISION_PAUSE_SECONDS), webhookLost: true },
      { ...step('AUDITOR_REJECTED'), webhookLost: true },
    ],
  },
  'late-approval': {
    description: 'After the call there is time to close or replace the session; then the provider approves.',
    steps: [...CALL_ENDED, step('AGENT_APPROVED', DECISION_PAUSE_SECONDS), step('AUDITOR_APPROVED')],
  },
  'unknown-status': {
    description: 'The provider reports an undocumented status, then the usual steps.',
    steps: [...CHECKS, ...problem(UNDOCUMENTED_STATUS.subStatus, CALL)],
  },
  random: {
    description:
      'The journey is random, derived from the seed and the id: retries, loops, several steps within a second.',
    walk: 'QUICK',
  },
  lifelike: {
    description:
      'The journey is random, with realistic timing: minutes until the link is opened, days until a meeting.',
    walk: 'LIFELIKE',
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

const DEFAULT_SCENARIO: ScenarioName = 'awaits-review';

/** Splits a verification id into words at dots and underscores: `demo.happy-path.1` has three. */
export const splitVerificationId = (verificationId: string): readonly string[] =>
  verificationId.split(/[._]/);

/**
 * Returns the scenario whose name is a word of the verification id. If the id contains several names, the
 * longest counts.
 */
export function parseScenarioNameFromId(verificationId: string): ScenarioName {
  const named = splitVerificationId(verificationId).filter((word): word is ScenarioName =>
    Object.hasOwn(SCENARIOS, word),
  );
  return named.toSorted((a, b) => b.length - a.length)[0] ?? DEFAULT_SCENARIO;
}
