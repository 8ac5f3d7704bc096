import { useEffect, useState } from 'react';
import { texts } from '../language/texts.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Formats a duration in at most two units: "45 s", "2 h 5 min", "3 d 4 h". `omitZero` leaves out a second unit of zero:
 * "2 h".
 */
export function formatDuration(milliseconds: number, omitZero = false): string {
  const ms = Math.max(0, milliseconds);
  const { seconds, minutes, hours, days } = texts.time;
  const join = (first: string, count: number, unit: (count: number) => string) =>
    omitZero && count === 0 ? first : `${first} ${unit(count)}`;
  if (ms < MINUTE) return seconds(Math.floor(ms / SECOND));
  if (ms < HOUR) return minutes(Math.floor(ms / MINUTE));
  if (ms < DAY) return join(hours(Math.floor(ms / HOUR)), Math.floor((ms % HOUR) / MINUTE), minutes);
  return join(days(Math.floor(ms / DAY)), Math.floor((ms % DAY) / HOUR), hours);
}

const listeners = new Set<(now: number) => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/**
 * Hook that returns the current time. The component renders again every second; all components share one
 * interval.
 */
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

/** Duration since a moment. The text is updated every second. */
export function TimeSince({ since }: { since: string }) {
  const now = useNow();
  return (
    <time dateTime={since} title={formatLocalDateTime(since)}>
      {formatDuration(now - Date.parse(since))}
    </time>
  );
}

const IST = 'Asia/Kolkata';
const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const IST_ALIAS = 'Asia/Calcutta';

/** Whether the viewer's time zone is the Indian one. */
export const isIndianTimeZone = LOCAL_ZONE === IST || LOCAL_ZONE === IST_ALIAS;

const formats = new Map<string, Intl.DateTimeFormat>();
function format(timeZone: string): Intl.DateTimeFormat {
  let known = formats.get(timeZone);
  if (!known) {
    known = new Intl.DateTimeFormat(texts.locale, {
      dateStyle: 'medium',
      timeStyle: 'short',
      hourCycle: 'h23',
      timeZone,
    });
    formats.set(timeZone, known);
  }
  return known;
}

/** Formats a moment in the viewer's time zone. */
export const formatLocalDateTime = (at: string): string => format(LOCAL_ZONE).format(new Date(at));

/**
 * Formats a moment in Indian time: "5 Dec 2026, 14:30 IST". Returns an empty text if the viewer's time zone
 * is India's.
 */
export const formatIndianTimeIfDifferent = (at: string): string =>
  isIndianTimeZone ? '' : texts.time.inIndia(format(IST).format(new Date(at)));

/** Moment in the viewer's time zone, with the Indian time in the tooltip. */
export function LocalTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatIndianTimeIfDifferent(at) || at}>
      {formatLocalDateTime(at)}
    </time>
  );
}

/** Moment in the viewer's time zone, followed by the Indian time if the time zones differ. */
export function LocalAndIndianTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {formatLocalDateTime(at)}
      {!isIndianTimeZone && <small> ({formatIndianTimeIfDifferent(at)})</small>}
    </time>
  );
}

const ZONE_NAME =
  new Intl.DateTimeFormat(texts.locale, { timeZoneName: 'long' })
    .formatToParts()
    .find(({ type }) => type === 'timeZoneName')?.value ?? LOCAL_ZONE;

/** Line that names the time zone of the times on a page. */
export const TimeZoneNote = () => <small>{texts.time.timesIn(ZONE_NAME)}</small>;
