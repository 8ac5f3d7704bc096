/** Days and working days in India (Asia/Kolkata), which has no daylight saving time. */

const IST_OFFSET_MS = 5.5 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** Weekday of 1970-01-01, a Thursday, counted from Sunday. */
const FIRST_WEEKDAY = 4;
const [SUNDAY, SATURDAY] = [0, 6];

/** Returns the date in India at this time, as the number of days since 1970-01-01. */
export const toIndianDayNumber = (time: Date): number =>
  Math.floor((time.getTime() + IST_OFFSET_MS) / DAY_MS);

/** Formats a number of days since 1970-01-01 as YYYY-MM-DD. */
export const formatDayNumber = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/**
 * Returns the earliest day that is at most `workingDays` working days before today, as the number of days since
 * 1970-01-01. Saturdays, Sundays and holidays do not count, and neither does the returned day: at the end of
 * Thursday, Monday is three working days ago.
 *
 * @param holidays dates as YYYY-MM-DD
 */
export function subtractWorkingDays(workingDays: number, now: Date, holidays: ReadonlySet<string>): number {
  let day = toIndianDayNumber(now);
  let left = workingDays;
  while (left > 0 || !isWorkingDay(day, holidays)) {
    if (isWorkingDay(day, holidays)) left -= 1;
    day -= 1;
  }
  return day;
}

function isWorkingDay(day: number, holidays: ReadonlySet<string>): boolean {
  const weekday = (((day + FIRST_WEEKDAY) % 7) + 7) % 7;
  return weekday !== SUNDAY && weekday !== SATURDAY && !holidays.has(formatDayNumber(day));
}
