import { MINUTES_PER_DAY, type WorkingHours } from './domain/calendar.ts';

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

const ENTRY = /^([a-z]+)(?:-([a-z]+))?\s+(\d{2}:\d{2})-(\d{2}:\d{2})$/i;
const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

const FORM = 'must be weekdays and times, such as Mon-Fri 09:00-18:00,Sat 10:00-14:00';

/** Thrown with the problem of a text that is not a list of working hours. */
class HoursError extends Error {}

/**
 * Parses working hours, such as `Mon-Fri 09:00-18:00,Sat 10:00-14:00`. Several entries may name the same weekday if
 * their times do not overlap; a range of weekdays may go past Saturday. Returns the problem as a sentence without
 * subject if the text has another form.
 */
export function parseMeetingHours(text: string): WorkingHours[] | { readonly problem: string } {
  try {
    const hours = text.split(',').flatMap((entry, index) => parseEntry(entry.trim(), `entry ${index + 1}`));
    assertDisjoint(hours);
    return hours;
  } catch (error) {
    if (error instanceof HoursError) return { problem: error.message };
    throw error;
  }
}

function parseEntry(entry: string, name: string): WorkingHours[] {
  const [, first, last = first, opens, closes] = entry.match(ENTRY) ?? [];
  if (!first || !last || !opens || !closes) throw new HoursError(FORM);
  const [from, to] = [parseWeekday(first, name), parseWeekday(last, name)];
  const [opensAt, closesAt] = [parseTime(opens, name), parseTime(closes, name)];
  if (closesAt <= opensAt)
    throw new HoursError(`${name} does not end after it begins; split hours past midnight at 24:00`);
  const days = ((to - from + 7) % 7) + 1;
  return Array.from({ length: days }, (_, day) => ({ weekday: (from + day) % 7, opensAt, closesAt }));
}

function parseWeekday(word: string, name: string): number {
  const weekday = WEEKDAYS.findIndex((known) => known.toLowerCase() === word.toLowerCase());
  if (weekday >= 0) return weekday;
  throw new HoursError(`${name} has the unknown weekday ${word}; the weekdays are ${WEEKDAYS.join(', ')}`);
}

function parseTime(word: string, name: string): number {
  const found = word.match(TIME);
  if (!found) throw new HoursError(`${name} has the time ${word}, which does not exist`);
  return found[1] === undefined ? MINUTES_PER_DAY : Number(found[1]) * 60 + Number(found[2]);
}

function assertDisjoint(hours: readonly WorkingHours[]): void {
  for (const [index, one] of hours.entries()) {
    const overlapping = hours
      .slice(0, index)
      .some(
        (other) =>
          one.weekday === other.weekday && one.opensAt < other.closesAt && other.opensAt < one.closesAt,
      );
    if (overlapping) throw new HoursError(`has two entries that overlap on ${WEEKDAYS[one.weekday]}`);
  }
}

const QUIET_HOURS = /^(\d{2}:\d{2})-(\d{2}:\d{2})$/;
const QUIET_FORM = 'must be two different times of the day, such as 21:00-08:00';

/**
 * Parses the hours of a day without notifications, such as `21:00-08:00`, which may go past midnight. Returns minutes
 * after midnight, or the problem as a sentence without subject.
 */
export function parseQuietHours(text: string): { from: number; to: number } | { readonly problem: string } {
  const [, begins, ends] = text.match(QUIET_HOURS) ?? [];
  if (!begins || !ends) return { problem: QUIET_FORM };
  try {
    const [from, to] = [parseTime(begins, 'it'), parseTime(ends, 'it')].map(
      (time) => time % MINUTES_PER_DAY,
    ) as [number, number];
    return from === to ? { problem: QUIET_FORM } : { from, to };
  } catch (error) {
    if (error instanceof HoursError) return { problem: QUIET_FORM };
    throw error;
  }
}
