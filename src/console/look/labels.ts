import { texts } from '../language/texts.ts';
import type { ReviewReason, Role, Status, SubStatus } from '../operations.ts';

/**
 * Converts a name of the GraphQL schema to an English text: `USER_IP_CHECK` to "User IP check", `startsAt` to "Starts
 * at". Only for names that have no label: the labels are in `texts.labels`.
 */
export function humanize(name: string): string {
  const text = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll('_', ' ');
  return (text.charAt(0).toUpperCase() + text.slice(1)).replace(
    /\b(id|ip|aadhaar|india|vkyc|sdk)\b/gi,
    (word) => PROPER.get(word.toLowerCase()) ?? word,
  );
}

const PROPER: ReadonlyMap<string, string> = new Map(
  ['ID', 'IP', 'Aadhaar', 'India', 'VKYC', 'SDK'].map((word) => [word.toLowerCase(), word]),
);

/** Breaks a text into lines of at most `letters` characters. A longer word gets a line of its own. */
export function wrapText(text: string, letters: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Label of each status (phase), in the order in which a session passes them. */
export const PHASE_LABELS = texts.labels.phases;

/** Label of each sub-status (step). */
export const STEP_LABELS = texts.labels.steps;

/** Returns the label of a sub-status (step). */
export const getStepLabel = (subStatus: SubStatus): string => getLabel(STEP_LABELS, subStatus);

/**
 * Parts of the phase VIDEO_CALL, with the steps of each: the calls that are over need a review, so they must not be
 * counted as calls that go on.
 */
export const VIDEO_CALL_PARTS = {
  going: {
    label: texts.labels.calls.going,
    steps: [
      'USER_ACCEPTED_MEETING',
      'USER_REJECTED_MEETING',
      'USER_MISSED_MEETING',
      'USER_DROPPED_OFF',
      'AGENT_DROPPED_OFF',
    ],
  },
  over: { label: texts.labels.calls.over, steps: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'] },
} as const satisfies Record<string, { label: string; steps: readonly SubStatus[] }>;
export type VideoCallPart = keyof typeof VIDEO_CALL_PARTS;

/** Label of each mark that a session can have besides its status. Sessions can be filtered by their marks. */
export const SESSION_MARK_LABELS = texts.labels.marks;
export type Mark = keyof typeof SESSION_MARK_LABELS;

/** Label of each party that a session can wait for. `MERCHANT` is the bank that uses this console. */
export const PARTY_LABELS = texts.labels.parties;

export const ROLE_LABELS = texts.labels.roles;

/** Label of each action's button. */
export const ACTION_LABELS = texts.labels.actions;

/** Label of each outcome of closing a session. */
export const CLOSURE_OUTCOME_LABELS = texts.labels.closureOutcomes;

export const CLOSURE_REASON_LABELS = texts.labels.closureReasons;

export const ESCALATION_REASON_LABELS = texts.labels.escalationReasons;

export const DISPUTE_RESOLUTION_LABELS = texts.labels.disputeChoices;

export const REVIEW_REASON_LABELS = texts.labels.reviewReasons;

export const REVIEW_STAGE_LABELS = texts.labels.reviewStages;

export const REVIEW_DECISION_LABELS = texts.labels.reviewDecisions;

export const MEETING_STATUS_LABELS = texts.labels.meetingStatuses;

export const NOTIFICATION_KIND_LABELS = texts.labels.notificationKinds;

/** Label of each field of an input that a form of the console has. */
export const INPUT_FIELD_LABELS = texts.labels.fields;

/** Reasons that an approval may have: doubts that did not prevent it. The gateway refuses all other reasons. */
export const APPROVAL_DOUBT_REASONS: readonly ReviewReason[] = [
  'NAME_MISMATCH',
  'ADDRESS_MISMATCH',
  'LOCATION_MISMATCH',
  'AUDIO_OR_VIDEO_POOR',
  'OTHER',
];

/** Label of a timeline entry that did not change the status, by the part of the session that it changed. */
export const NON_STATUS_CHANGE_LABELS = texts.labels.changes;

/**
 * Returns the label of a value. An open page may get a value that only a later release of the gateway knows: its
 * name is then formatted as a label.
 */
export const getLabel = (labels: Readonly<Record<string, string>>, value: string): string =>
  (Object.hasOwn(labels, value) && labels[value]) || humanize(value);

/** Colour group of a status: succeeded (`good`), failed (`bad`), needs attention (`trouble`), in progress (`going`). */
export type Tone = 'good' | 'bad' | 'trouble' | 'going';

/**
 * Colour group of each sub-status. The colour group of UNRECOGNIZED depends on the phase: see
 * `UNRECOGNIZED_TONES`.
 */
const TONES: Readonly<Record<Exclude<SubStatus, 'UNRECOGNIZED'>, Tone>> = {
  LINK_GENERATED: 'going',
  AADHAAR_VERIFICATION_SUCCESS: 'going',
  AADHAAR_VERIFICATION_FAILED: 'trouble',
  AADHAAR_VERIFICATION_EXPIRED: 'trouble',
  USER_IP_VERIFICATION_SUCCESSFUL: 'going',
  USER_PROXY_DETECTED: 'trouble',
  TECHNICAL_FAILURE: 'trouble',
  USER_LOCATION_VERIFICATION_SUCCESS: 'going',
  USER_LOCATION_OUTSIDE_INDIA: 'trouble',
  USER_AUDIO_CHECK_FAILED: 'trouble',
  USER_VIDEO_CHECK_FAILED: 'trouble',
  USER_LOCATION_PERMISSION_DISABLED: 'trouble',
  USER_DEVICE_CHECK_SUCCESS: 'going',
  USER_QUEUED: 'going',
  SCHEDULED_USER_QUEUED: 'going',
  NO_AGENT_FOUND: 'trouble',
  AGENT_ASSIGNED_TO_USER: 'going',
  USER_MEETING_SCHEDULED: 'going',
  USER_MEETING_CANCELLED: 'trouble',
  USER_ACCEPTED_MEETING: 'going',
  USER_REJECTED_MEETING: 'trouble',
  USER_MISSED_MEETING: 'trouble',
  USER_DROPPED_OFF: 'trouble',
  AGENT_DROPPED_OFF: 'trouble',
  USER_ENDED_CALL: 'going',
  AGENT_ENDED_CALL: 'going',
  AGENT_APPROVED: 'going',
  AGENT_REJECTED: 'bad',
  AGENT_UNABLE_TO_VALIDATE: 'trouble',
  AUDITOR_APPROVED: 'good',
  AUDITOR_REJECTED: 'bad',
  INSUFFICIENT_BALANCE: 'bad',
  REJECTED_BY_MERCHANT: 'bad',
  TECHNICAL_ERROR: 'bad',
  FAILED_BY_MERCHANT: 'bad',
  REPLACED: 'bad',
  VKYC_EXPIRED: 'bad',
};

const UNRECOGNIZED_TONES = {
  RECEIVED: 'trouble',
  PRE_VIDEO_CALL: 'trouble',
  VIDEO_CALL: 'trouble',
  AGENT_REVIEWED: 'trouble',
  AUDITOR_REVIEWED: 'trouble',
  REJECTED: 'bad',
  FAILED: 'bad',
  EXPIRED: 'bad',
  UNRECOGNIZED: 'trouble',
} as const satisfies Record<Status, Tone>;

/**
 * Returns the colour group of a status pair. A page that stays open while the gateway is upgraded may get a
 * sub-status that this page does not know. An unknown sub-status counts as in progress.
 */
export function getStatusTone({ status, subStatus }: { status: Status; subStatus: SubStatus }): Tone {
  if (subStatus === 'UNRECOGNIZED') return UNRECOGNIZED_TONES[status] ?? 'trouble';
  return TONES[subStatus] ?? 'going';
}

const isSubStatus = (name: string): boolean => Object.hasOwn(TONES, name) || name === 'UNRECOGNIZED';

/**
 * Returns only those names that are sub-statuses, because the names may come from a URL that was edited by
 * hand.
 */
export const keepKnownSubStatuses = (names: readonly string[]): SubStatus[] =>
  names.filter(isSubStatus) as SubStatus[];

/** Returns only those names that are keys of a table, because the names may come from a URL that was edited by hand. */
export const keepKnownKeys = <Key extends string>(
  table: Readonly<Record<Key, unknown>>,
  names: readonly string[],
): Key[] => names.filter((name): name is Key => Object.hasOwn(table, name));

export const formatRoles = (roles: readonly Role[]): string =>
  roles.map((role) => getLabel(ROLE_LABELS, role)).join(', ');
