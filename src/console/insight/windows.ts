import { useSearchParams } from 'wouter';
import { texts } from '../language/texts.ts';
import { keepKeys } from '../look/labels.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Periods that the user can choose, by their names in the URL. Each has the number of intervals into which
 * charts divide it.
 */
export const WINDOWS = {
  '24h': { label: texts.insight.windows['24h'], lengthMs: DAY_MS, intervals: 24 },
  '7d': { label: texts.insight.windows['7d'], lengthMs: 7 * DAY_MS, intervals: 28 },
  '30d': { label: texts.insight.windows['30d'], lengthMs: 30 * DAY_MS, intervals: 30 },
  '90d': { label: texts.insight.windows['90d'], lengthMs: 90 * DAY_MS, intervals: 30 },
  all: { label: texts.insight.windows.all, lengthMs: null, intervals: 30 },
} as const;
export type WindowName = keyof typeof WINDOWS;

const DEFAULT_WINDOW: WindowName = '7d';

/** Hook that returns the period named in the URL, and a function that changes it. */
export function useWindow(): readonly [WindowName, (next: WindowName) => void] {
  const [search, setSearch] = useSearchParams();
  const window = keepKeys<WindowName>(WINDOWS, search.getAll('window'))[0] ?? DEFAULT_WINDOW;
  const change = (next: WindowName) =>
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
