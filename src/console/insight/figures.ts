import { texts } from '../language/texts.ts';
import { getLabel, PHASE_LABELS } from '../look/labels.ts';
import { formatDuration } from '../look/time.tsx';
import type { Status } from '../operations.ts';
import type { Stats } from './use-stats.ts';

/**
 * Whether a session that ends approved passes through each phase. The phases are in the order in which a
 * session passes them.
 */
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

/** Formats a share in percent. Returns a dash if `whole` is 0. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  return `${percent.toLocaleString(texts.locale, { maximumFractionDigits: percent < 10 ? 1 : 0 })}%`;
}

/**
 * Formats seconds; short times are formatted more precisely: "4.2 s", "5 min 20 s", "3 h 10 min". Returns a
 * dash for null.
 */
export function formatSeconds(value: number | null): string {
  if (value === null) return '–';
  const { seconds } = texts.time;
  if (value < 10) return seconds(value.toLocaleString(texts.locale, { maximumFractionDigits: 1 }));
  const text = formatDuration(value * 1_000, true);
  const rest = Math.floor(value % 60);
  return value < 60 || value >= 3_600 || rest === 0 ? text : `${text} ${seconds(rest)}`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Computes the totals of a period: sessions started, approved and ended, and the median time to the decision.
 */
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

/** One bar of the funnel chart: the number of sessions that have reached this stage. */
export interface FunnelBar {
  readonly name: string;
  readonly reached: number;
  /** Number of sessions that reached the previous stage; null for the first stage. */
  readonly before: number | null;
}

/**
 * Computes the stages of the funnel: started, then each phase that an approved session passes, then approved.
 */
export function computeFunnel(stats: Stats): readonly FunnelBar[] {
  const { started, approved } = computeTotals(stats);
  const steps = [
    { name: texts.insight.started, reached: started },
    ...SUCCESS_PATH.map((status) => ({
      name: PHASE_LABELS[status],
      reached: findStage(stats.funnel, status)?.reached ?? 0,
    })),
    { name: texts.insight.approved, reached: approved },
  ];
  return steps.map((step, at) => ({ ...step, before: steps[at - 1]?.reached ?? null }));
}

/** Lists the session counts by sub-status, without approved sessions, the largest count first. */
export const listNotApprovedCounts = ({ byStatus }: Stats) =>
  byStatus
    .filter(({ subStatus }) => subStatus !== 'AUDITOR_APPROVED')
    .sort((one, other) => other.count - one.count);

/**
 * Lists the median times of the phases. A phase that no approved session passes through is listed only if a
 * session reached it.
 */
export const listPhaseTimes = ({ funnel }: Stats) =>
  funnel
    .map(({ status, ...stage }) => ({
      ...stage,
      name: getLabel(PHASE_LABELS, status),
      onSuccessPath: ON_SUCCESS_PATH[status] ?? false,
    }))
    .filter(({ reached, onSuccessPath }) => onSuccessPath || reached > 0);

const TICK_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];
const DAY_SECONDS = 86_400;
const MAX_TICKS = 6;

/**
 * Returns a round distance, such as 5 minutes or 1 day, between the ticks of a duration axis that ends at
 * `most` seconds.
 */
export function chooseTickSeconds(most: number): number {
  const wanted = most / MAX_TICKS;
  return TICK_SECONDS.find((step) => step >= wanted) ?? Math.ceil(wanted / DAY_SECONDS) * DAY_SECONDS;
}

const day = new Intl.DateTimeFormat(texts.locale, { day: 'numeric', month: 'short' });
const time = new Intl.DateTimeFormat(texts.locale, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const DAY_MS = DAY_SECONDS * 1_000;

/** Formats the start of an interval: the day, and the time if the interval is shorter than a day. */
export function formatIntervalStart({ from, to }: { from: string; to: string }): string {
  const begin = new Date(from);
  return Date.parse(to) - begin.getTime() >= DAY_MS
    ? day.format(begin)
    : `${day.format(begin)}, ${time.format(begin)}`;
}
