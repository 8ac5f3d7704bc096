import { PHASE_LABELS } from '../look/labels.ts';
import { formatDuration } from '../look/time.tsx';
import type { Status } from '../operations.ts';
import type { Stats } from './use-stats.ts';

/** Whether a session goes through a phase when all is well; in the order of its life. */
const ON_SUCCESS_PATH = {
  RECEIVED: true,
  PRE_VIDEO_CALL: true,
  VIDEO_CALL: true,
  AGENT_REVIEWED: true,
  AUDITOR_REVIEWED: true,
  REJECTED: false,
  FAILED: false,
  EXPIRED: false,
  UNRECOGNIZED: false,
} as const satisfies Record<Status, boolean>;
const SUCCESS_PATH = (Object.keys(ON_SUCCESS_PATH) as Status[]).filter((status) => ON_SUCCESS_PATH[status]);

export const formatNumber = (value: number): string => value.toLocaleString('en-IN');

/** A share in per cent; a dash where there is nothing to be a share of. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  return `${percent.toLocaleString('en-IN', { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}

/** Seconds as people say them, the shorter the more precisely; a dash where nothing is known. */
export function formatSeconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 10) return `${value.toLocaleString('en-IN', { maximumFractionDigits: 1 })} s`;
  const said = formatDuration(value * 1_000).replace(/ 0 (min|h)$/, '');
  const rest = Math.floor(value % 60);
  return value < 60 || value >= 3_600 || rest === 0 ? said : `${said} ${rest} s`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What a window comes to. */
export function computeTotals({ total, intervals, funnel }: Stats) {
  return {
    started: total,
    approved: sum(intervals.map(({ approved }) => approved)),
    ended: sum(intervals.map(({ ended }) => ended)),
    secondsToDecision: findStage(funnel, 'AUDITOR_REVIEWED')?.medianSecondsToReach ?? null,
  };
}

const findStage = (funnel: Stats['funnel'], status: Status) =>
  funnel.find((stage) => stage.status === status);

/** How many came how far. */
export interface Reach {
  readonly name: string;
  readonly reached: number;
  /** How many of those before came here; null at the beginning. */
  readonly before: number | null;
}

/** From the start of sessions through the phases to their approval. */
export function computeFunnel(stats: Stats): readonly Reach[] {
  const { started, approved } = computeTotals(stats);
  const steps = [
    { name: 'Started', reached: started },
    ...SUCCESS_PATH.map((status) => ({
      name: PHASE_LABELS[status],
      reached: findStage(stats.funnel, status)?.reached ?? 0,
    })),
    { name: 'Approved', reached: approved },
  ];
  return steps.map((step, at) => ({ ...step, before: steps[at - 1]?.reached ?? null }));
}

/** Where sessions are that are not approved, most first. */
export const listNotApproved = ({ byStatus }: Stats) =>
  byStatus
    .filter(({ subStatus }) => subStatus !== 'AUDITOR_APPROVED')
    .sort((one, other) => other.count - one.count);

/** How long the phases take; those off the way only where some session has been. */
export const listPhaseTimes = ({ funnel }: Stats) =>
  funnel
    .map(({ status, ...stage }) => ({
      ...stage,
      name: PHASE_LABELS[status] ?? status,
      onSuccessPath: ON_SUCCESS_PATH[status] ?? false,
    }))
    .filter(({ reached, onSuccessPath }) => onSuccessPath || reached > 0);

const TICK_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];
const DAY_SECONDS = 86_400;
const MAX_TICKS = 6;

/** The step of an axisOptions of durations that makes ticks people can name. */
export function chooseTickSeconds(most: number): number {
  const wanted = most / MAX_TICKS;
  return TICK_SECONDS.find((step) => step >= wanted) ?? Math.ceil(wanted / DAY_SECONDS) * DAY_SECONDS;
}

const day = new Intl.DateTimeFormat('en-IN', { day: 'numeric', month: 'short' });
const time = new Intl.DateTimeFormat('en-IN', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY_MS = DAY_SECONDS * 1_000;

/** The beginning of a stretch of time, as short as the stretches allow. */
export function formatIntervalStart({ from, to }: { from: string; to: string }): string {
  const begin = new Date(from);
  return Date.parse(to) - begin.getTime() >= DAY_MS
    ? day.format(begin)
    : `${day.format(begin)}, ${time.format(begin)}`;
}
