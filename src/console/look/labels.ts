import type {
  ClosureOutcome,
  ClosureReason,
  DisputeResolutionChoice,
  EscalationReason,
  Party,
  ReviewReason,
  Role,
  SessionAction,
  SessionChange,
  Status,
  SubStatus,
} from '../operations.ts';

/**
 * Converts a name of the GraphQL schema to a text for users: `USER_IP_CHECK` to "User IP check", `startsAt`
 * to "Starts at".
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

/** Formats a count with its noun: "1 session", "2 sessions", "1,20,000 sessions" (Indian digit groups). */
export const formatCount = (count: number, noun: string): string =>
  `${count.toLocaleString('en-IN')} ${noun}${count === 1 ? '' : 's'}`;

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
export const PHASE_LABELS = {
  RECEIVED: 'Invited',
  PRE_VIDEO_CALL: 'Before the call',
  VIDEO_CALL: 'In the call',
  AGENT_REVIEWED: 'Agent reviewed',
  AUDITOR_REVIEWED: 'Audited',
  REJECTED: 'Not accepted',
  FAILED: 'Failed',
  EXPIRED: 'Link expired',
  UNRECOGNIZED: 'Unrecognised',
} as const satisfies Record<Status, string>;

/**
 * Parts of the phase VIDEO_CALL, with the steps of each: the calls that are over need a review, so they must not be
 * counted as calls that go on.
 */
export const CALLS = {
  going: {
    label: 'In the call',
    steps: [
      'USER_ACCEPTED_MEETING',
      'USER_REJECTED_MEETING',
      'USER_MISSED_MEETING',
      'USER_DROPPED_OFF',
      'AGENT_DROPPED_OFF',
    ],
  },
  over: { label: 'Needs review', steps: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'] },
} as const satisfies Record<string, { label: string; steps: readonly SubStatus[] }>;
export type CallPart = keyof typeof CALLS;

/** Label of each mark that a session can have besides its status. Sessions can be filtered by their marks. */
export const MARK_LABELS = {
  disputed: 'Disputed',
  escalated: 'Escalated',
  closed: 'Closed by staff',
  replaced: 'Replaced',
} as const;
export type Mark = keyof typeof MARK_LABELS;

/** Label of each party that a session can wait for. `MERCHANT` is the bank that uses this console. */
export const PARTY_LABELS = {
  CUSTOMER: 'Customer',
  AGENT: 'Agent',
  AUDITOR: 'Auditor',
  MERCHANT: 'Us',
  PROVIDER: 'Provider',
  NOBODY: 'Nobody',
} as const satisfies Record<Party, string>;

/** Label of each action's button. */
export const ACTION_LABELS = {
  SCHEDULE_MEETING: 'Schedule meeting',
  CANCEL_MEETING: 'Cancel meeting',
  RECORD_AGENT_REVIEW: 'Record agent review',
  RECORD_AUDITOR_REVIEW: 'Record auditor review',
  REFRESH: 'Refresh from provider',
  REQUEST_RECORDING: 'Watch recording',
  CREATE_SDK_TOKEN: 'Create SDK token',
  CLOSE: 'Close session',
  REPLACE: 'Replace session',
  RESOLVE_DISPUTE: 'Resolve dispute',
  ADD_NOTE: 'Add note',
  ESCALATE: 'Escalate',
  RESOLVE_ESCALATION: 'Resolve escalation',
  ASSIGN: 'Assign',
  UNASSIGN: 'End assignment',
  LABEL: 'Edit labels',
} as const satisfies Record<SessionAction, string>;

/** Label of each outcome of closing a session. */
export const CLOSURE_OUTCOME_LABELS = {
  REJECTED: 'Reject the customer',
  FAILED: 'Mark the session as failed',
} as const satisfies Record<ClosureOutcome, string>;

export const CLOSURE_REASON_LABELS = {
  CUSTOMER_OUTSIDE_INDIA: 'Customer is outside India',
  CUSTOMER_WITHDREW: 'Customer no longer wants it',
  CUSTOMER_UNREACHABLE: 'Customer cannot be reached',
  MEETING_REJECTED: 'Customer declined the call',
  DUPLICATE_REQUEST: 'Customer has another session',
  SUSPECTED_FRAUD: 'Suspected fraud',
  TECHNICAL: 'Technical problem',
  OTHER: 'Other',
} as const satisfies Record<ClosureReason, string>;

export const ESCALATION_REASON_LABELS = {
  CUSTOMER_DROPPED_OFF: 'Customer lost the connection',
  TECHNICAL: 'Technical problem',
  PROVIDER: 'Problem at the provider',
  SUSPECTED_FRAUD: 'Suspected fraud',
  COMPLAINT: 'Customer complained',
  OTHER: 'Other',
} as const satisfies Record<EscalationReason, string>;

export const DISPUTE_LABELS = {
  KEEP_OURS: 'Keep our decision',
  ACCEPT_PROVIDER: "Accept the provider's decision",
} as const satisfies Record<DisputeResolutionChoice, string>;

export const REVIEW_REASON_LABELS = {
  FACE_MISMATCH: 'Face differs from photo',
  LIVENESS_DOUBTED: 'Perhaps no live person',
  CUSTOMER_PROMPTED: 'Customer was prompted',
  DOCUMENT_UNREADABLE: 'Document unreadable',
  DOCUMENT_DOUBTED: 'Document doubted',
  NAME_MISMATCH: 'Name differs',
  ADDRESS_MISMATCH: 'Address differs',
  LOCATION_MISMATCH: 'Location differs',
  QUESTIONS_FAILED: 'Security questions failed',
  AUDIO_OR_VIDEO_POOR: 'Poor sound or picture',
  CALL_INCOMPLETE: 'Call incomplete',
  OTHER: 'Other',
} as const satisfies Record<ReviewReason, string>;

/** Reasons that an approval may have: doubts that did not prevent it. The gateway refuses all other reasons. */
export const APPROVAL_REASONS: readonly ReviewReason[] = [
  'NAME_MISMATCH',
  'ADDRESS_MISMATCH',
  'LOCATION_MISMATCH',
  'AUDIO_OR_VIDEO_POOR',
  'OTHER',
];

/** Label of a timeline entry that did not change the status, by the part of the session that it changed. */
export const CHANGE_LABELS = {
  STATUS: 'Status',
  MEETINGS: 'Meeting',
  REVIEWS: 'Review',
  NOTES: 'Note',
  ESCALATION: 'Escalation',
  CLOSURE: 'Closed',
  DISPUTE: 'Dispute',
  REPLACEMENT: 'Replaced',
  ASSIGNMENT: 'Assignment',
  LABELS: 'Labels',
} as const satisfies Record<SessionChange, string>;

/**
 * Returns the label of a value. An open page may get a value that only a later release of the gateway knows: its
 * name is then formatted as a label.
 */
export const findLabel = (labels: Readonly<Record<string, string>>, value: string): string =>
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
export function findTone({ status, subStatus }: { status: Status; subStatus: SubStatus }): Tone {
  if (subStatus === 'UNRECOGNIZED') return UNRECOGNIZED_TONES[status] ?? 'trouble';
  return TONES[subStatus] ?? 'going';
}

const isSubStatus = (name: string): boolean => Object.hasOwn(TONES, name) || name === 'UNRECOGNIZED';

/**
 * Returns only those names that are sub-statuses, because the names may come from a URL that was edited by
 * hand.
 */
export const keepSubStatuses = (names: readonly string[]): SubStatus[] =>
  names.filter(isSubStatus) as SubStatus[];

/** Returns only those names that are keys of a table, because the names may come from a URL that was edited by hand. */
export const keepKeys = <Key extends string>(
  table: Readonly<Record<Key, unknown>>,
  names: readonly string[],
): Key[] => names.filter((name): name is Key => Object.hasOwn(table, name));

export const formatRoles = (roles: readonly Role[]): string => roles.map(humanize).join(', ');
