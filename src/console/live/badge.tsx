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
import { texts } from '../language/texts.ts';
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
export function FeedStateProvider({ children }: { children: ReactNode }) {
  const [reported, report] = useState<FeedState | null>(null);
  const online = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine);
  // The browser knows at once that it has no network; the subscription notices it after some seconds.
  const state = reported && !online ? 'stale' : reported;
  const value = useMemo(() => ({ state, report }), [state]);
  return <Context value={value}>{children}</Context>;
}

/** Hook with which a page reports the state of its subscription to the badge, until the page is unmounted. */
export function useReportFeedState(state: FeedState): void {
  const { report } = use(Context);
  useEffect(() => {
    report(state);
    return () => report(null);
  }, [state, report]);
}

const TONES: Record<FeedState, Tone> = { live: 'good', 'catching up': 'trouble', stale: 'bad' };

const TIME = new Intl.DateTimeFormat(texts.locale, { timeStyle: 'short', hourCycle: 'h23' });

/** Badge in the header that says whether the data on the page is up to date: live, catching up or stale. */
export function LiveBadge() {
  const { state } = use(Context);
  const [lastNews, setLastNews] = useState<Date | null>(null);
  useEffect(() => {
    if (state !== 'live') return;
    return () => setLastNews(new Date());
  }, [state]);
  if (!state) return null;
  return (
    <span
      role="status"
      className={`${style.badge} ${tones[TONES[state]]} ${state === 'live' ? style.live : ''}`}
      title={texts.time.feedMeanings[state]}
    >
      {state === 'stale' && lastNews ? texts.time.noNewsSince(TIME.format(lastNews)) : texts.time.feed[state]}
    </span>
  );
}
