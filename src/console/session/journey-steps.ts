import type { Status, SubStatus } from '../operations.ts';

/** Status (phase) and sub-status (step) of a session. */
export interface StatusPair {
  readonly status: Status;
  readonly subStatus: SubStatus;
}

/** Step of a session with its place on the journey map. */
export interface PlacedStep extends StatusPair {
  readonly key: string;
  /** Number of the column, from 0. */
  readonly slot: number;
  /** 0 for a step on the line; 1, 2, … for a step in a row below the line. */
  readonly row: number;
}

/**
 * Steps of a session without problems, by phase, which form the line of the journey map. Phases without such
 * steps have no column.
 */
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
 * Place of a step below the line of the journey map. The step is placed below the step that it happens
 * instead of (`insteadOf`). `followedBy` is the step that usually comes next, if that is not `insteadOf`. If
 * `insteadOf` is null, the step is placed below the last step of its phase, or in the last column.
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
  REJECTED_BY_MERCHANT: [null],
  TECHNICAL_ERROR: [null, 'USER_QUEUED'],
  FAILED_BY_MERCHANT: [null],
  REPLACED: [null],
  VKYC_EXPIRED: [null],
  UNRECOGNIZED: [null],
};
/**
 * Finds the place of a step below the line. Returns undefined for an unknown step: while the gateway is
 * upgraded, an open page may get a step of the newer release.
 */
const findSideStep = (subStatus: SubStatus): SideStep | undefined =>
  Object.hasOwn(SIDE_STEPS, subStatus)
    ? (SIDE_STEPS as Readonly<Record<string, SideStep>>)[subStatus]
    : undefined;

/** Steps on the line of the journey map (those of a session without problems), from left to right. */
export const MAIN_LINE_STEPS: readonly StatusPair[] = Object.entries(LINE).flatMap(([status, steps]) =>
  steps.map((subStatus) => ({ status: status as Status, subStatus })),
);

/**
 * Number of the last column, which contains the steps of phases that are not on the line, such as FAILED and
 * EXPIRED.
 */
export const END_COLUMN = MAIN_LINE_STEPS.length;

/** Phases on the line of the journey map, each with its first column and its number of columns. */
export const PHASE_COLUMN_SPANS = Object.entries(LINE).flatMap(([status, steps]) => {
  const first = MAIN_LINE_STEPS.findIndex((step) => step.status === status);
  return first < 0 ? [] : [{ status: status as Status, first, count: steps.length as number }];
});

const keys = new Map<Status, Map<SubStatus, string>>();

/** Returns the key of a step. Each key is built once, because a log of thousands of entries needs it for each of them. */
export function toPairKey({ status, subStatus }: StatusPair): string {
  const known = keys.get(status) ?? new Map<SubStatus, string>();
  const key = known.get(subStatus) ?? `${status}/${subStatus}`;
  keys.set(status, known.set(subStatus, key));
  return key;
}

const onLine = new Map(MAIN_LINE_STEPS.map((pair, slot) => [toPairKey(pair), slot]));
const findLineSlot = (step: LineStep): number =>
  MAIN_LINE_STEPS.findIndex(({ subStatus }) => subStatus === step);

/**
 * Returns the column of a step. A step without a defined place is in the last column of its phase, or in the
 * last column of the map if its phase is not on the line.
 */
export function getStepColumn(pair: StatusPair): number {
  const own = onLine.get(toPairKey(pair));
  if (own !== undefined) return own;
  const [insteadOf] = findSideStep(pair.subStatus) ?? [];
  if (insteadOf) return findLineSlot(insteadOf);
  const span = PHASE_COLUMN_SPANS.find(({ status }) => status === pair.status);
  return span ? span.first + span.count - 1 : END_COLUMN;
}

/**
 * Returns the number of columns of the map. The last column, `END_COLUMN`, is left out if it contains no step.
 */
export const countMapColumns = (steps: ReadonlyMap<string, PlacedStep>): number =>
  [...steps.values()].some(({ slot }) => slot === END_COLUMN) ? END_COLUMN + 1 : END_COLUMN;

/**
 * Returns the steps with their places on the map. Steps that share a column below the line are placed below
 * each other, in the given order.
 */
export function layOutSteps(pairs: readonly StatusPair[]): ReadonlyMap<string, PlacedStep> {
  const taken = new Map<number, number>();
  const placed = new Map<string, PlacedStep>();
  for (const { status, subStatus } of pairs) {
    const key = toPairKey({ status, subStatus });
    if (placed.has(key)) continue;
    const slot = getStepColumn({ status, subStatus });
    const row = onLine.has(key) ? 0 : (taken.get(slot) ?? 0) + 1;
    if (row > 0) taken.set(slot, row);
    placed.set(key, { key, status, subStatus, slot, row });
  }
  return placed;
}

/**
 * Returns the column of the step that usually comes next. After the last step on the line, this is
 * `END_COLUMN`.
 */
export function getNextStepColumn(pair: StatusPair): number {
  const own = onLine.get(toPairKey(pair));
  if (own !== undefined) return own + 1;
  const [insteadOf, followedBy] = findSideStep(pair.subStatus) ?? [];
  const step = followedBy ?? insteadOf;
  return step ? findLineSlot(step) : getStepColumn(pair);
}
