import { useSearchParams } from 'wouter';
import { texts } from '../language/texts.ts';
import { keepKnownKeys } from '../look/labels.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Periods that the user can choose, by their names in the URL. Each has the number of intervals into which
 * charts divide it.
 */
export const STATS_PERIODS = {
  '24h': { label: texts.insight.windows['24h'], lengthMs: DAY_MS, intervals: 24 },
  '7d': { label: texts.insight.windows['7d'], lengthMs: 7 * DAY_MS, intervals: 28 },
  '30d': { label: texts.insight.windows['30d'], lengthMs: 30 * DAY_MS, intervals: 30 },
  '90d': { label: texts.insight.windows['90d'], lengthMs: 90 * DAY_MS, intervals: 30 },
  all: { label: texts.insight.windows.all, lengthMs: null, intervals: 30 },
} as const;
export type StatsPeriodName = keyof typeof STATS_PERIODS;

const DEFAULT_WINDOW: StatsPeriodName = '7d';

/** Hook that returns the period named in the URL, and a function that changes it. */
export function useStatsPeriod(): readonly [StatsPeriodName, (next: StatsPeriodName) => void] {
  const [search, setSearch] = useSearchParams();
  const window = keepKnownKeys<StatsPeriodName>(STATS_PERIODS, search.getAll('window'))[0] ?? DEFAULT_WINDOW;
  const change = (next: StatsPeriodName) =>
    setSearch(
      (now) => {
        const changed = new URLSearchParams(now);
        changed.set('window', next);
        return changed;
      },
      { replace: true },
    );
  return [window, change];
}
