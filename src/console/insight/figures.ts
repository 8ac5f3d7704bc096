import { duration } from '../look/time.tsx';
import { PHASES } from '../look/words.ts';
import type { Status } from '../operations.ts';
import type { Stats } from './use-stats.ts';

/** Whether a session goes through a phase when all is well; in the order of its life. */
const ON_WAY = {
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
const WAY = (Object.keys(ON_WAY) as Status[]).filter((status) => ON_WAY[status]);

export const number = (value: number): string => value.toLocaleString('en-IN');

/** A share in per cent; a dash where there is nothing to be a share of. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  return `${percent.toLocaleString('en-IN', { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}

/** Seconds as people say them, the shorter the more precisely; a dash where nothing is known. */
export function seconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 10) return `${value.toLocaleString('en-IN', { maximumFractionDigits: 1 })} s`;
  const said = duration(value * 1_000).replace(/ 0 (min|h)$/, '');
  const rest = Math.floor(value % 60);
  return value < 60 || value >= 3_600 || rest === 0 ? said : `${said} ${rest} s`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What a window comes to. */
export function totalsOf({ total, intervals, funnel }: Stats) {
  return {
    started: total,
    approved: sum(intervals.map(({ approved }) => approved)),
    ended: sum(intervals.map(({ ended }) => ended)),
    secondsToDecision: stageOf(funnel, 'AUDITOR_REVIEWED')?.medianSecondsToReach ?? null,
  };
}

const stageOf = (funnel: Stats['funnel'], status: Status) => funnel.find((stage) => stage.status === status);

/** How many came how far. */
export interface Reach {
  readonly name: string;
  readonly reached: number;
  /** How many of those before came here; null at the beginning. */
  readonly before: number | null;
}

/** From the start of sessions through the phases to their approval. */
export function reachesOf(stats: Stats): readonly Reach[] {
  const { started, approved } = totalsOf(stats);
  const steps = [
    { name: 'Started', reached: started },
    ...WAY.map((status) => ({ name: PHASES[status], reached: stageOf(stats.funnel, status)?.reached ?? 0 })),
    { name: 'Approved', reached: approved },
  ];
  return steps.map((step, at) => ({ ...step, before: steps[at - 1]?.reached ?? null }));
}

/** Where sessions are that are not approved, most first. */
export const notApprovedOf = ({ byStatus }: Stats) =>
  byStatus
    .filter(({ subStatus }) => subStatus !== 'AUDITOR_APPROVED')
    .sort((one, other) => other.count - one.count);

/** How long the phases take; those off the way only where some session has been. */
export const timesOf = ({ funnel }: Stats) =>
  funnel
    .map(({ status, ...stage }) => ({
      ...stage,
      name: PHASES[status] ?? status,
      onWay: ON_WAY[status] ?? false,
    }))
    .filter(({ reached, onWay }) => onWay || reached > 0);

const STEPS_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];
const DAY_SECONDS = 86_400;
const TICKS = 6;

/** The step of an axis of durations that makes ticks people can name. */
export function niceStepSeconds(most: number): number {
  const wanted = most / TICKS;
  return STEPS_SECONDS.find((step) => step >= wanted) ?? Math.ceil(wanted / DAY_SECONDS) * DAY_SECONDS;
}

const day = new Intl.DateTimeFormat('en-IN', { day: 'numeric', month: 'short' });
const time = new Intl.DateTimeFormat('en-IN', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY_MS = DAY_SECONDS * 1_000;

/** The beginning of a stretch of time, as short as the stretches allow. */
export function stretchName({ from, to }: { from: string; to: string }): string {
  const begin = new Date(from);
  return Date.parse(to) - begin.getTime() >= DAY_MS
    ? day.format(begin)
    : `${day.format(begin)}, ${time.format(begin)}`;
}
