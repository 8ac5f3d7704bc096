import { texts } from '../language/texts.ts';

/** Day in the viewer's time zone, as `YYYY-MM-DD`. */
export type Day = string;

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const MINUTE = 60_000;

/** Returns the day of a moment. */
export const toLocalDay = (at: Date): Day => formatDateTimeInput(at).slice(0, 10);

/** Formats a moment for `<input type="datetime-local">`: in the viewer's time zone, to the minute. */
export const formatDateTimeInput = (at: Date): string =>
  new Date(at.getTime() - at.getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);

/** Reads a day from a text, such as a part of an address; null if the text names no day. */
export function parseDay(text: string | null): Day | null {
  if (!text || !DAY.test(text)) return null;
  return toLocalDay(toMidnight(text)) === text ? text : null;
}

/** Returns the day that is `days` days later; earlier if `days` is negative. */
export const addDays = (day: Day, days: number): Day => toLocalDay(toMidnight(day, days));

/** Returns the moments at which a day begins and ends. A day on which the clocks change has not 24 hours. */
export const getDayBounds = (day: Day): { from: string; to: string } => ({
  from: toMidnight(day).toISOString(),
  to: toMidnight(day, 1).toISOString(),
});

function toMidnight(day: Day, daysLater = 0): Date {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + daysLater);
}

const DATE = new Intl.DateTimeFormat(texts.locale, { dateStyle: 'full' });
const CLOCK = new Intl.DateTimeFormat(texts.locale, { timeStyle: 'short', hourCycle: 'h23' });

/** Formats a day: "Tuesday, 1 December 2026". */
export const formatDay = (day: Day): string => DATE.format(toMidnight(day));

/** Formats the time of day of a moment, in the viewer's time zone: "14:30". */
export const formatLocalTime = (at: string): string => CLOCK.format(new Date(at));

/** Returns the name of the viewer's time zone: "India Standard Time". */
export const getLocalTimeZoneName = (): string =>
  new Intl.DateTimeFormat(texts.locale, { timeZoneName: 'long' })
    .formatToParts()
    .find(({ type }) => type === 'timeZoneName')?.value ?? '';
