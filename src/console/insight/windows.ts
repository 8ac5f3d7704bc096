import { useSearchParams } from 'wouter';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The windows of time that may be looked at, by their names in the address, each with the stretches it is cut into. */
export const WINDOWS = {
  '24h': { label: 'the last 24 hours', lengthMs: DAY_MS, intervals: 24 },
  '7d': { label: 'the last 7 days', lengthMs: 7 * DAY_MS, intervals: 28 },
  '30d': { label: 'the last 30 days', lengthMs: 30 * DAY_MS, intervals: 30 },
  '90d': { label: 'the last 90 days', lengthMs: 90 * DAY_MS, intervals: 30 },
  all: { label: 'all time', lengthMs: null, intervals: 30 },
} as const;
export type WindowName = keyof typeof WINDOWS;

const DEFAULT_WINDOW: WindowName = '7d';

/** The window that the address names, and what changes it. */
export function useWindow(): readonly [WindowName, (next: WindowName) => void] {
  const [search, setSearch] = useSearchParams();
  const named = search.get('window') ?? '';
  const window = Object.hasOwn(WINDOWS, named) ? (named as WindowName) : DEFAULT_WINDOW;
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
