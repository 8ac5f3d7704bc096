import type { Status, SubStatus } from '../operations.ts';

export interface StatusPair {
  readonly status: Status;
  readonly subStatus: SubStatus;
}

/** A step and where it is in the picture: in which column of steps, and how far below the line. */
export interface PlacedStep extends StatusPair {
  readonly key: string;
  readonly slot: number;
  /** 0: on the line. */
  readonly row: number;
}

/** The steps of a session that has no trouble, phase by phase: the line of the picture. */
const LINE = {
  RECEIVED: ['LINK_GENERATED'],
  PRE_VIDEO_CALL: [
    'AADHAAR_VERIFICATION_SUCCESS',
    'USER_IP_VERIFICATION_SUCCESSFUL',
    'USER_LOCATION_VERIFICATION_SUCCESS',
    'USER_DEVICE_CHECK_SUCCESS',
    'USER_QUEUED',
    'AGENT_ASSIGNED_TO_USER',
  ],
  VIDEO_CALL: ['USER_ACCEPTED_MEETING', 'AGENT_ENDED_CALL'],
  AGENT_REVIEWED: ['AGENT_APPROVED'],
  AUDITOR_REVIEWED: ['AUDITOR_APPROVED'],
  REJECTED: [],
  FAILED: [],
  EXPIRED: [],
  UNRECOGNIZED: [],
} as const satisfies Record<Status, readonly SubStatus[]>;

type LineStep = (typeof LINE)[Status][number];

/**
 * Where a step is that is not on the line: the step of the line that it comes in place of (null: below the end of its
 * phase, or at the ends), and the step that usually follows, if that is another.
 */
type SideStep = readonly [insteadOf: LineStep | null, followedBy?: LineStep];

const SIDE_STEPS: Readonly<Record<Exclude<SubStatus, LineStep>, SideStep>> = {
  AADHAAR_VERIFICATION_FAILED: ['AADHAAR_VERIFICATION_SUCCESS'],
  AADHAAR_VERIFICATION_EXPIRED: ['AADHAAR_VERIFICATION_SUCCESS'],
  USER_PROXY_DETECTED: ['USER_IP_VERIFICATION_SUCCESSFUL'],
  TECHNICAL_FAILURE: ['USER_IP_VERIFICATION_SUCCESSFUL'],
  USER_LOCATION_OUTSIDE_INDIA: ['USER_LOCATION_VERIFICATION_SUCCESS'],
  USER_LOCATION_PERMISSION_DISABLED: ['USER_LOCATION_VERIFICATION_SUCCESS'],
  USER_AUDIO_CHECK_FAILED: ['USER_DEVICE_CHECK_SUCCESS'],
  USER_VIDEO_CHECK_FAILED: ['USER_DEVICE_CHECK_SUCCESS'],
  USER_MEETING_SCHEDULED: ['USER_QUEUED'],
  USER_MEETING_CANCELLED: ['USER_QUEUED'],
  SCHEDULED_USER_QUEUED: ['USER_QUEUED', 'AGENT_ASSIGNED_TO_USER'],
  NO_AGENT_FOUND: ['AGENT_ASSIGNED_TO_USER', 'USER_QUEUED'],
  USER_REJECTED_MEETING: ['USER_ACCEPTED_MEETING', 'USER_QUEUED'],
  USER_MISSED_MEETING: ['USER_ACCEPTED_MEETING', 'USER_QUEUED'],
  USER_DROPPED_OFF: ['AGENT_ENDED_CALL', 'USER_QUEUED'],
  AGENT_DROPPED_OFF: ['AGENT_ENDED_CALL', 'USER_QUEUED'],
  USER_ENDED_CALL: ['AGENT_ENDED_CALL', 'USER_QUEUED'],
  AGENT_REJECTED: ['AGENT_APPROVED', 'AUDITOR_APPROVED'],
  AGENT_UNABLE_TO_VALIDATE: ['AGENT_APPROVED', 'USER_QUEUED'],
  AUDITOR_REJECTED: ['AUDITOR_APPROVED'],
  INSUFFICIENT_BALANCE: [null],
  TECHNICAL_ERROR: [null, 'USER_QUEUED'],
  VKYC_EXPIRED: [null],
  UNRECOGNIZED: [null],
};
/** Unlike the type, knows that a page may meet steps of a later release. */
const findSideStep = (subStatus: SubStatus): SideStep | undefined =>
  (SIDE_STEPS as Readonly<Record<string, SideStep>>)[subStatus];

/** The line from its beginning to its end. */
export const LINE_STEPS: readonly StatusPair[] = Object.entries(LINE).flatMap(([status, steps]) =>
  steps.map((subStatus) => ({ status: status as Status, subStatus })),
);

/** The last column: where sessions are that are off the line, and mostly over. */
export const END_SLOT = LINE_STEPS.length;

/** The phases of the line, each with the columns it takes up. */
export const PHASE_SPANS = Object.entries(LINE).flatMap(([status, steps]) => {
  const first = LINE_STEPS.findIndex((step) => step.status === status);
  return first < 0 ? [] : [{ status: status as Status, first, count: steps.length as number }];
});

export const toPairKey = ({ status, subStatus }: StatusPair): string => `${status}/${subStatus}`;

const onLine = new Map(LINE_STEPS.map((pair, slot) => [toPairKey(pair), slot]));
const findLineSlot = (step: LineStep): number => LINE_STEPS.findIndex(({ subStatus }) => subStatus === step);

/** Where steps go: what this page does not know goes below the end of its phase, or to the ends. */
export function findSlot(pair: StatusPair): number {
  const own = onLine.get(toPairKey(pair));
  if (own !== undefined) return own;
  const [insteadOf] = findSideStep(pair.subStatus) ?? [];
  if (insteadOf) return findLineSlot(insteadOf);
  const span = PHASE_SPANS.find(({ status }) => status === pair.status);
  return span ? span.first + span.count - 1 : END_SLOT;
}

/** How many columns these places take up: that of the ends only where there are any. */
export const countSlots = (places: ReadonlyMap<string, PlacedStep>): number =>
  [...places.values()].some(({ slot }) => slot === END_SLOT) ? END_SLOT + 1 : END_SLOT;

/** Each of the steps at its place, those beside the line one below the other. */
export function layOutSteps(pairs: readonly StatusPair[]): ReadonlyMap<string, PlacedStep> {
  const taken = new Map<number, number>();
  const places = new Map<string, PlacedStep>();
  for (const { status, subStatus } of pairs) {
    const key = toPairKey({ status, subStatus });
    if (places.has(key)) continue;
    const slot = findSlot({ status, subStatus });
    const row = onLine.has(key) ? 0 : (taken.get(slot) ?? 0) + 1;
    if (row > 0) taken.set(slot, row);
    places.set(key, { key, status, subStatus, slot, row });
  }
  return places;
}

/** The column in which a session at this step is usually seen next; END_SLOT where nothing is usual. */
export function findNextSlot(pair: StatusPair): number {
  const own = onLine.get(toPairKey(pair));
  if (own !== undefined) return own + 1;
  const [insteadOf, followedBy] = findSideStep(pair.subStatus) ?? [];
  const step = followedBy ?? insteadOf;
  return step ? findLineSlot(step) : findSlot(pair);
}
