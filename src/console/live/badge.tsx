import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import type { FeedState } from 'vkyc-gateway/client';
import type { Tone } from '../look/labels.ts';
import tones from '../look/tones.module.css';
import style from './badge.module.css';

const Context = createContext<{ state: FeedState | null; report: (state: FeedState | null) => void }>({
  state: null,
  report: () => {},
});

/** Lets the page that is shown say how live it is, and the frame show it. */
export function BadgeProvider({ children }: { children: ReactNode }) {
  const [state, report] = useState<FeedState | null>(null);
  const value = useMemo(() => ({ state, report }), [state]);
  return <Context value={value}>{children}</Context>;
}

/** Says for the page that is shown whether it is live. */
export function useReportState(state: FeedState): void {
  const { report } = use(Context);
  useEffect(() => {
    report(state);
    return () => report(null);
  }, [state, report]);
}

const BADGES: Record<FeedState, [label: string, tone: Tone, explanation: string]> = {
  live: ['Live', 'good', 'What you see is how it is.'],
  'catching up': ['Catching up', 'trouble', 'Reading what happened since.'],
  stale: ['Stale', 'bad', 'No connection: what you see may be old. It is tried again until it is there.'],
};

/** Whether what is shown is true now. */
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
