import { invariant } from './invariant.ts';

/**
 * Status table: every pair of status and sub-status of a session, its meaning and the recommended
 * action. The GraphQL enums and their descriptions, the database constraint, the transition rules
 * and `statusCatalog` are derived from this table. To add a status, add one row here and follow "Add a status"
 * in CONTRIBUTING.md.
 *
 * Source of the pairs: the provider's status reference, and its newest page for EXPIRED / VKYC_EXPIRED. Pairs
 * with `reportedBy: 'MERCHANT'` are the gateway's own. The explanations are written for this gateway.
 */

/** Parties that may have to act next in a session. */
export const PARTIES = {
  CUSTOMER: 'The person who is being verified.',
  AGENT: 'The agent who holds the video call and makes the first decision.',
  AUDITOR: "The auditor who confirms or overturns the agent's approval.",
  MERCHANT: 'You: the bank or lender that started the session.',
  PROVIDER: 'The Video KYC provider. Wait; you need not do anything.',
  NOBODY: 'The session is over.',
} as const;

export type Party = keyof typeof PARTIES;

/** Who sets a status pair. */
export const STATUS_REPORTERS = {
  PROVIDER: 'The provider reports the status; the gateway records what it reports.',
  MERCHANT: 'Only a mutation of this API sets the status; the provider does not know it.',
} as const;
export type Reporter = keyof typeof STATUS_REPORTERS;

interface Step {
  explanation: string;
  recommendedAction: string;
  /**
   * Mutations that carry out the advice, for developers; none if left out. The texts do not name them, because
   * operators read the texts.
   */
  mutations?: readonly string[];
  waitingOn: Party;
  /** True: the session has ended, and its status changes again only if a dispute is resolved. */
  terminal: boolean;
  /** PROVIDER if left out. */
  reportedBy?: Reporter;
}

interface Phase {
  description: string;
  steps: Record<string, Step>;
}

export const STATUS_TABLE = {
  RECEIVED: {
    description: 'The provider accepted the start and made a link; the customer has not used it yet.',
    steps: {
      LINK_GENERATED: {
        explanation: 'The link for the customer exists.',
        recommendedAction: 'Share the link with the customer.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
    },
  },
  PRE_VIDEO_CALL: {
    description:
      'The customer prepares for the call: Aadhaar, IP, location and device checks, then a queue or a booked meeting.',
    steps: {
      AADHAAR_VERIFICATION_SUCCESS: {
        explanation: "The customer's Aadhaar was verified.",
        recommendedAction: 'Nothing to do: the customer goes on to the IP check.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      AADHAAR_VERIFICATION_FAILED: {
        explanation: 'The Aadhaar details could not be verified.',
        recommendedAction: 'Ask the customer to try again with correct details.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      AADHAAR_VERIFICATION_EXPIRED: {
        explanation: 'The customer took too long over the Aadhaar step and it timed out.',
        recommendedAction: 'Ask the customer to start the Aadhaar step again.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_IP_VERIFICATION_SUCCESSFUL: {
        explanation: "The customer's IP address passed the check.",
        recommendedAction: 'Nothing to do: the customer goes on to the location check.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_PROXY_DETECTED: {
        explanation: 'The customer is connecting through a proxy or VPN.',
        recommendedAction: 'Ask the customer to switch the proxy or VPN off and try again.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      TECHNICAL_FAILURE: {
        explanation: 'A passing technical problem stopped a step before the call.',
        recommendedAction:
          "Ask the customer to try again after some time; if the problem persists, contact the provider's support and escalate the session.",
        mutations: ['escalateSession'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_LOCATION_VERIFICATION_SUCCESS: {
        explanation: 'The customer was located inside India.',
        recommendedAction: 'Nothing to do: the customer goes on to the device checks.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_LOCATION_OUTSIDE_INDIA: {
        explanation: 'The customer was located outside India, from where Video KYC is not allowed.',
        recommendedAction: 'Reject the customer, or ask the customer to try again from inside India.',
        mutations: ['closeSession, outcome REJECTED'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_AUDIO_CHECK_FAILED: {
        explanation: 'The microphone is not available to the page.',
        recommendedAction: 'Ask the customer to enable the microphone and try again.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_VIDEO_CHECK_FAILED: {
        explanation: 'The camera is not available to the page.',
        recommendedAction: 'Ask the customer to enable the camera and try again.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_LOCATION_PERMISSION_DISABLED: {
        explanation: 'The customer has not allowed the page to read the location.',
        recommendedAction: 'Ask the customer to allow location access and try again.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_DEVICE_CHECK_SUCCESS: {
        explanation: 'Camera, microphone and device are ready for the call.',
        recommendedAction:
          'Nothing to do: the customer goes on to the queue for an agent, or books a meeting.',
        mutations: ['scheduleMeeting'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_QUEUED: {
        explanation: 'The customer is in the queue for an agent.',
        recommendedAction: 'Wait until an agent is free.',
        waitingOn: 'AGENT',
        terminal: false,
      },
      SCHEDULED_USER_QUEUED: {
        explanation: 'The time of the meeting has come and the customer is queued for it.',
        recommendedAction: 'Wait until an agent takes the meeting.',
        waitingOn: 'AGENT',
        terminal: false,
      },
      NO_AGENT_FOUND: {
        explanation: 'No agent was available.',
        recommendedAction: 'Ask the customer to try again after some time, or book a meeting.',
        mutations: ['scheduleMeeting'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      AGENT_ASSIGNED_TO_USER: {
        explanation: 'An agent has taken the customer and is about to call.',
        recommendedAction: 'Nothing to do: the customer is asked to join the call.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_MEETING_SCHEDULED: {
        explanation: 'A meeting is booked.',
        recommendedAction: 'Tell the customer the time of the meeting.',
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_MEETING_CANCELLED: {
        explanation: 'The meeting was cancelled.',
        recommendedAction: 'Book another meeting, or ask the customer to try again through the queue.',
        mutations: ['scheduleMeeting'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
    },
  },
  VIDEO_CALL: {
    description:
      'The video call was accepted, declined, missed, interrupted or ended. The session may go back to PRE_VIDEO_CALL.',
    steps: {
      USER_ACCEPTED_MEETING: {
        explanation: 'The customer accepted the meeting and has joined the call.',
        recommendedAction: 'Start the Video KYC in the call, then wait until the call ends.',
        waitingOn: 'AGENT',
        terminal: false,
      },
      USER_REJECTED_MEETING: {
        explanation: 'The customer declined the call.',
        recommendedAction: 'Book another meeting, or close the session as failed.',
        mutations: ['scheduleMeeting', 'closeSession, outcome FAILED'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_MISSED_MEETING: {
        explanation: 'The customer did not come to the call.',
        recommendedAction: 'Book another meeting, or ask the customer to try again.',
        mutations: ['scheduleMeeting'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_DROPPED_OFF: {
        explanation: 'The customer left the call, or lost the connection to it.',
        recommendedAction:
          'Note down what happened and have the cause investigated; the customer may come back, or you book another meeting.',
        mutations: ['addNote', 'escalateSession', 'scheduleMeeting'],
        waitingOn: 'MERCHANT',
        terminal: false,
      },
      AGENT_DROPPED_OFF: {
        explanation: 'The agent left the call, or lost the connection to it.',
        recommendedAction:
          'Try the call again or give it to another agent: the customer joins the queue again, or you book another meeting.',
        mutations: ['scheduleMeeting'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
      USER_ENDED_CALL: {
        explanation: 'The customer ended the call.',
        recommendedAction:
          "Review whether the call was complete; then record the agent's decision, or book another meeting.",
        mutations: ['recordAgentReview with callComplete', 'scheduleMeeting'],
        waitingOn: 'AGENT',
        terminal: false,
      },
      AGENT_ENDED_CALL: {
        explanation: 'The agent ended the call.',
        recommendedAction:
          "Review the agent's remarks; then record the agent's decision, or wait until the provider reports it.",
        mutations: ['recordAgentReview'],
        waitingOn: 'AGENT',
        terminal: false,
      },
    },
  },
  AGENT_REVIEWED: {
    description: 'The agent has decided. An approval is provisional until an auditor confirms it.',
    steps: {
      AGENT_APPROVED: {
        explanation: 'The agent approved. This is provisional: only the auditor makes it final.',
        recommendedAction:
          "Go on to the auditor's review, or wait until the provider reports it; do not onboard the customer yet.",
        mutations: ['recordAuditorReview'],
        waitingOn: 'AUDITOR',
        terminal: false,
      },
      AGENT_REJECTED: {
        explanation: 'The agent rejected the customer.',
        recommendedAction:
          'Tell the customer the reason of the rejection; replace the session if another try makes sense.',
        mutations: ['startSession with replacesSessionId'],
        waitingOn: 'MERCHANT',
        terminal: false,
      },
      AGENT_UNABLE_TO_VALIDATE: {
        explanation: 'The agent could neither approve nor reject.',
        recommendedAction:
          'Try again with another agent in a further call, or in a new session that replaces this one.',
        mutations: ['scheduleMeeting', 'startSession with replacesSessionId'],
        waitingOn: 'CUSTOMER',
        terminal: false,
      },
    },
  },
  AUDITOR_REVIEWED: {
    description: 'The auditor has decided; the session is over.',
    steps: {
      AUDITOR_APPROVED: {
        explanation: 'The auditor approved: the verification succeeded, unless the session is disputed.',
        recommendedAction:
          'Record the verification as complete in your systems and onboard the customer; if the session is disputed, decide the dispute first.',
        mutations: ['resolveDispute'],
        waitingOn: 'NOBODY',
        terminal: true,
      },
      AUDITOR_REJECTED: {
        explanation: 'The auditor rejected: the verification failed.',
        recommendedAction:
          'Record the verification as failed in your systems and tell the customer; replace the session if another try makes sense.',
        mutations: ['startSession with replacesSessionId'],
        waitingOn: 'NOBODY',
        terminal: true,
      },
    },
  },
  REJECTED: {
    description: 'The provider did not accept the start of the session, or you rejected the customer.',
    steps: {
      INSUFFICIENT_BALANCE: {
        explanation: "The merchant's balance at the provider is too low.",
        recommendedAction:
          'Add funds at the provider, then try again with a new session that replaces this one.',
        mutations: ['startSession with replacesSessionId'],
        waitingOn: 'MERCHANT',
        terminal: true,
      },
      REJECTED_BY_MERCHANT: {
        explanation: 'You closed the session and rejected the customer, without a decision of an auditor.',
        recommendedAction: 'Tell the customer the reason of the closure.',
        waitingOn: 'NOBODY',
        terminal: true,
        reportedBy: 'MERCHANT',
      },
    },
  },
  FAILED: {
    description: 'The session failed for a technical reason, or you closed or replaced it.',
    steps: {
      TECHNICAL_ERROR: {
        explanation: 'A technical error stopped the session.',
        recommendedAction: 'Try again with a new session that replaces this one, or escalate the session.',
        mutations: ['startSession with replacesSessionId', 'escalateSession'],
        waitingOn: 'MERCHANT',
        terminal: false,
      },
      FAILED_BY_MERCHANT: {
        explanation: 'You closed the session as failed, without a decision about the customer.',
        recommendedAction: 'Replace the session if another try makes sense.',
        mutations: ['startSession with replacesSessionId'],
        waitingOn: 'NOBODY',
        terminal: true,
        reportedBy: 'MERCHANT',
      },
      REPLACED: {
        explanation: 'Another session of the same person replaces this one.',
        recommendedAction: 'Go on with the session that replaces this one.',
        waitingOn: 'NOBODY',
        terminal: true,
        reportedBy: 'MERCHANT',
      },
    },
  },
  EXPIRED: {
    description: "The customer's link expired before the verification was complete.",
    steps: {
      VKYC_EXPIRED: {
        explanation: 'The link expired.',
        recommendedAction: 'Start a new session that replaces this one: it has a new link for the customer.',
        mutations: ['startSession with replacesSessionId'],
        waitingOn: 'MERCHANT',
        terminal: true,
      },
    },
  },
} as const satisfies Record<string, Phase>;

type Table = typeof STATUS_TABLE;
type StepsOf<S extends keyof Table> = keyof Table[S]['steps'];

/** Phase (status) that this release knows. */
export type KnownStatus = keyof Table;
/** Step (sub-status) that this release knows. Each step belongs to exactly one phase (status). */
export type KnownSubStatus = { [S in KnownStatus]: StepsOf<S> }[KnownStatus];

/**
 * Replaces a status or sub-status that this release does not know. The provider's own text is kept in the raw
 * status.
 */
export const UNRECOGNIZED = 'UNRECOGNIZED';
export type Status = KnownStatus | typeof UNRECOGNIZED;
export type SubStatus = KnownSubStatus | typeof UNRECOGNIZED;

/**
 * Status pair of a session: a pair of the status table, with UNRECOGNIZED for a value that is not in the table.
 */
export interface StatusPair {
  readonly status: Status;
  readonly subStatus: SubStatus;
}

/** Status pair with its row of the table; `StatusInfo` in the GraphQL schema. */
export interface StatusInfo extends StatusPair, Readonly<Required<Step>> {}

const unrecognized = (status: Status): StatusInfo => ({
  status,
  subStatus: UNRECOGNIZED,
  explanation: 'The provider reported a state that this release of the gateway does not know.',
  recommendedAction:
    'Look at rawStatus and rawSubStatus; the next recognised state moves the session on as usual.',
  mutations: [],
  waitingOn: 'PROVIDER',
  terminal: false,
  reportedBy: 'PROVIDER',
});

export const STATUSES: readonly Status[] = [...(Object.keys(STATUS_TABLE) as KnownStatus[]), UNRECOGNIZED];

/** The status pairs of the status table, in the order in which a session usually passes through them. */
export const KNOWN_PAIRS: readonly StatusInfo[] = Object.entries(STATUS_TABLE).flatMap(([status, phase]) =>
  Object.entries<Step>(phase.steps).map(([subStatus, step]) => ({
    status: status as KnownStatus,
    subStatus: subStatus as KnownSubStatus,
    reportedBy: 'PROVIDER' as const,
    mutations: [],
    ...step,
  })),
);

/** Status pairs that the provider can report. */
export const PROVIDER_PAIRS: readonly StatusInfo[] = KNOWN_PAIRS.filter(
  ({ reportedBy }) => reportedBy === 'PROVIDER',
);

export const SUB_STATUSES: readonly SubStatus[] = [
  ...KNOWN_PAIRS.map((info) => info.subStatus),
  UNRECOGNIZED,
];

/**
 * Every status pair that a session may have: the known pairs, and each status with an unrecognized sub-status.
 */
export const ALL_PAIRS: readonly StatusInfo[] = [...KNOWN_PAIRS, ...STATUSES.map(unrecognized)];

const catalogByPair = new Map(ALL_PAIRS.map((info) => [`${info.status}/${info.subStatus}`, info]));

/** Whether a session may have this status pair. */
export const isValidPair = (pair: StatusPair): boolean =>
  catalogByPair.has(`${pair.status}/${pair.subStatus}`);

/**
 * Returns the meaning of a status pair. An unknown pair was stored by a later release, which runs at the same
 * time during a rolling deploy: its sub-status counts as UNRECOGNIZED, and so does its status if that is
 * unknown too.
 */
export const getStatusInfo = (pair: StatusPair): StatusInfo =>
  catalogByPair.get(`${pair.status}/${pair.subStatus}`) ??
  unrecognized(isKnownStatus(pair.status) ? pair.status : UNRECOGNIZED);

const statusBySubStatus = new Map(KNOWN_PAIRS.map((info) => [info.subStatus, info.status]));

/** Returns the status pair of a known sub-status, which belongs to exactly one status. */
export function toStatusPair(subStatus: KnownSubStatus): StatusPair {
  const status = statusBySubStatus.get(subStatus);
  invariant(status, `${subStatus} is not in the status table`);
  return { status, subStatus };
}

/**
 * Returns the party that has to act next: the merchant for a disputed session; nobody for a session that was closed or
 * replaced here, even if the status pair names a party.
 */
export const getAwaitedParty = (
  pair: StatusPair,
  { disputed, closed, replaced }: { disputed: boolean; closed: boolean; replaced: boolean },
): Party => {
  if (disputed) return 'MERCHANT';
  return closed || replaced ? 'NOBODY' : getStatusInfo(pair).waitingOn;
};

/** Circumstances of a session in which the advice of its status pair cannot be followed, each with the advice instead. */
export const CIRCUMSTANCES = {
  DISPUTED: {
    advice:
      "First decide the dispute: keep the session's decision, or accept the provider's. Do not onboard the customer before.",
    mutations: ['resolveDispute'],
  },
  REPLACED: { advice: STATUS_TABLE.FAILED.steps.REPLACED.recommendedAction, mutations: [] },
  LINK_ENDED: {
    advice:
      "The customer's link has expired. Start a new session that replaces this one: it has a new link for the customer.",
    mutations: ['startSession with replacesSessionId'],
  },
} as const satisfies Record<string, { readonly advice: string; readonly mutations: readonly string[] }>;
export type Circumstance = keyof typeof CIRCUMSTANCES;

/**
 * Returns why the advice of a session's status pair cannot be followed; null if it can. Once the link has expired by
 * the clock, the customer cannot go on, even if the provider has not reported the end of the link.
 */
export function findCircumstance(
  session: StatusPair & {
    readonly disputed: boolean;
    readonly replaced: boolean;
    readonly linkExpiresAt: Date | null;
  },
  now: Date,
): Circumstance | null {
  if (session.disputed) return 'DISPUTED';
  if (session.replaced) return 'REPLACED';
  const linkEnded = session.linkExpiresAt !== null && session.linkExpiresAt <= now;
  return linkEnded && getStatusInfo(session).waitingOn === 'CUSTOMER' ? 'LINK_ENDED' : null;
}

const isKnownStatus = (text: string): text is KnownStatus => Object.hasOwn(STATUS_TABLE, text);

/**
 * Converts the provider's raw status to a status pair. Unknown values become UNRECOGNIZED instead of an error:
 * only the sub-status if it is unknown or belongs to another status; both if the status is unknown.
 * Pairs that only this API sets count as unknown: a provider that used the same words could otherwise close
 * sessions.
 */
export function parseRawStatus(rawStatus: string, rawSubStatus: string): StatusPair {
  if (!isKnownStatus(rawStatus)) return { status: UNRECOGNIZED, subStatus: UNRECOGNIZED };
  const known = catalogByPair.get(`${rawStatus}/${rawSubStatus}`)?.reportedBy === 'PROVIDER';
  return { status: rawStatus, subStatus: known ? (rawSubStatus as KnownSubStatus) : UNRECOGNIZED };
}
