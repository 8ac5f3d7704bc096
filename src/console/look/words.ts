import type { Party, Role, SessionAction, Status, SubStatus } from '../operations.ts';

/** Names of the contract as people write them: `USER_IP_CHECK` is "User IP check", `startsAt` "Starts at". */
export function words(name: string): string {
  const text = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll('_', ' ');
  return (text.charAt(0).toUpperCase() + text.slice(1)).replace(
    /\b(ip|aadhaar|india|vkyc|sdk)\b/gi,
    (word) => PROPER[word.toLowerCase()] ?? word,
  );
}

const PROPER: Record<string, string> = {
  ip: 'IP',
  aadhaar: 'Aadhaar',
  india: 'India',
  vkyc: 'VKYC',
  sdk: 'SDK',
};

/** A text in lines of so many letters at most, where its words allow that. */
export function linesOf(text: string, letters: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The phases in the order of a session's life, with the names that the floor calls them by. */
export const PHASES = {
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

/** Who is waited on, as the floor says it. */
export const PARTIES = {
  CUSTOMER: 'Customer',
  AGENT: 'Agent',
  AUDITOR: 'Auditor',
  MERCHANT: 'Us',
  PROVIDER: 'Provider',
  NOBODY: 'Nobody',
} as const satisfies Record<Party, string>;

/** What each button says. */
export const ACTIONS = {
  SCHEDULE_MEETING: 'Schedule meeting',
  CANCEL_MEETING: 'Cancel meeting',
  RECORD_AGENT_REVIEW: 'Record agent review',
  RECORD_AUDITOR_REVIEW: 'Record auditor review',
  REFRESH: 'Ask the provider',
  REQUEST_RECORDING: 'Watch recording',
  CREATE_SDK_TOKEN: 'Create SDK token',
} as const satisfies Record<SessionAction, string>;

/** How a state is to be taken: it is well and over, badly over, in trouble, or under way. */
export type Tone = 'good' | 'bad' | 'trouble' | 'going';

const TROUBLE =
  /FAILED|FAILURE|DETECTED|OUTSIDE|DISABLED|NO_AGENT|CANCELLED|REJECTED|MISSED|DROPPED|UNABLE|AADHAAR_VERIFICATION_EXPIRED|UNRECOGNIZED/;

/** The tone of a state. */
export function toneOf({ status, subStatus }: { status: Status; subStatus: SubStatus }): Tone {
  if (subStatus === 'AUDITOR_APPROVED') return 'good';
  if (subStatus === 'AUDITOR_REJECTED' || subStatus === 'AGENT_REJECTED') return 'bad';
  if (status === 'REJECTED' || status === 'FAILED' || status === 'EXPIRED') return 'bad';
  return TROUBLE.test(subStatus) ? 'trouble' : 'going';
}

export const roleWords = (roles: readonly Role[]): string => roles.map(words).join(', ');
