import {
  createContext,
  type ReactNode,
  use,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import type { FeedState } from 'vkyc-gateway/client';
import type { Tone } from '../look/labels.ts';
import tones from '../look/tones.module.css';
import style from './badge.module.css';

const Context = createContext<{ state: FeedState | null; report: (state: FeedState | null) => void }>({
  state: null,
  report: () => {},
});

function subscribeToNetwork(onChange: () => void): () => void {
  for (const event of ['online', 'offline']) addEventListener(event, onChange);
  return () => {
    for (const event of ['online', 'offline']) removeEventListener(event, onChange);
  };
}

/** Provides the badge in the header with the state of the current page's subscription. */
export function BadgeProvider({ children }: { children: ReactNode }) {
  const [reported, report] = useState<FeedState | null>(null);
  const online = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine);
  // The browser knows at once that it has no network; the subscription notices it after some seconds.
  const state = reported && !online ? 'stale' : reported;
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

const TIME = new Intl.DateTimeFormat('en-IN', { timeStyle: 'short', hourCycle: 'h23' });

/** Badge in the header that says whether the data on the page is up to date: live, catching up or stale. */
export function LiveBadge() {
  const { state } = use(Context);
  const [lastNews, setLastNews] = useState<Date | null>(null);
  useEffect(() => {
    if (state !== 'live') return;
    return () => setLastNews(new Date());
  }, [state]);
  if (!state) return null;
  const [label, tone, explanation] = BADGES[state];
  return (
    <span
      role="status"
      className={`${style.badge} ${tones[tone]} ${state === 'live' ? style.live : ''}`}
      title={explanation}
    >
      {state === 'stale' && lastNews ? (
        <span>
          No news <span className={style.wide}>since </span>
          {TIME.format(lastNews)}
        </span>
      ) : (
        label
      )}
    </span>
  );
}
