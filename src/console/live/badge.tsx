import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import type { FeedState } from 'vkyc-gateway/client';
import type { Tone } from '../look/labels.ts';
import tones from '../look/tones.module.css';
import style from './badge.module.css';

const Context = createContext<{ state: FeedState | null; report: (state: FeedState | null) => void }>({
  state: null,
  report: () => {},
});

/** Provides the badge in the header with the state of the current page's subscription. */
export function BadgeProvider({ children }: { children: ReactNode }) {
  const [state, report] = useState<FeedState | null>(null);
  const value = useMemo(() => ({ state, report }), [state]);
  return <Context value={value}>{children}</Context>;
}

/** Hook with which a page reports the state of its subscription to the badge, until the page is unmounted. */
export function useReportState(state: FeedState): void {
  const { report } = use(Context);
  useEffect(() => {
    report(state);
    return () => report(null);
  }, [state, report]);
}

const BADGES: Record<FeedState, [label: string, tone: Tone, explanation: string]> = {
  live: ['Live', 'good', 'You see the current state.'],
  'catching up': ['Catching up', 'trouble', 'Loading recent changes.'],
  stale: ['Stale', 'bad', 'No connection. What you see may be out of date. Reconnecting automatically.'],
};

/** Badge in the header that says whether the data on the page is up to date: live, catching up or stale. */
export function LiveBadge() {
  const { state } = use(Context);
  if (!state) return null;
  const [label, tone, explanation] = BADGES[state];
  return (
    <span
      role="status"
      className={`${style.badge} ${tones[tone]} ${state === 'live' ? style.live : ''}`}
      title={explanation}
    >
      {label}
    </span>
  );
}
