import { useEffect, useState } from 'react';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something took or has been so, in at most two units. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

const listeners = new Set<(now: number) => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** The time, anew each second, from one clock for the whole page. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    listeners.add(setNow);
    ticking ??= setInterval(() => {
      for (const listener of listeners) listener(Date.now());
    }, SECOND);
    return () => {
      listeners.delete(setNow);
      if (listeners.size > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    };
  }, []);
  return now;
}

/** How long ago something was, ticking. */
export function TimeSince({ since }: { since: string }) {
  const now = useNow();
  return (
    <time dateTime={since} title={formatMoment(since)}>
      {formatDuration(now - Date.parse(since))}
    </time>
  );
}

const IST = 'Asia/Kolkata';
const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const IST_ALIAS = 'Asia/Calcutta';

/** Whether this viewer's clock shows Indian time. */
export const isIndianClock = LOCAL_ZONE === IST || LOCAL_ZONE === IST_ALIAS;

const formats = new Map<string, Intl.DateTimeFormat>();
function format(timeZone: string): Intl.DateTimeFormat {
  let known = formats.get(timeZone);
  if (!known) {
    known = new Intl.DateTimeFormat('en-IN', {
      dateStyle: 'medium',
      timeStyle: 'short',
      hourCycle: 'h23',
      timeZone,
    });
    formats.set(timeZone, known);
  }
  return known;
}

/** A moment by this viewer's clock. */
export const formatMoment = (at: string): string => format(LOCAL_ZONE).format(new Date(at));

/** A moment by India's clock, where that is not the viewer's: "IST 14:30"; else nothing. */
export const formatInIndia = (at: string): string =>
  isIndianClock ? '' : `${format(IST).format(new Date(at))} IST`;

/** A moment by the viewer's clock; by India's at a touch. */
export function LocalTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatInIndia(at) || at}>
      {formatMoment(at)}
    </time>
  );
}

/** A moment by the viewer's clock and by India's. */
export function LocalAndIndianTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {formatMoment(at)}
      {!isIndianClock && <small> ({formatInIndia(at)})</small>}
    </time>
  );
}
