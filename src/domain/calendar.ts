/** Calendar of meetings: working hours in one time zone, divided into slots of equal length. */

import { formatDayNumber } from './working-days.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Weekday of 1970-01-01, a Thursday, counted from Sunday. */
const FIRST_WEEKDAY = 4;

/** Minutes of a day; the end of working hours may be this number, which is midnight at the end of the day. */
export const MINUTES_PER_DAY = 24 * 60;

/** Working hours of one weekday, in minutes after midnight by the wall clock. */
export interface WorkingHours {
  /** 0 (Sunday) to 6 (Saturday). */
  readonly weekday: number;
  readonly opensAt: number;
  /** More than `opensAt`, at most `MINUTES_PER_DAY`. */
  readonly closesAt: number;
}

export interface CalendarRules {
  /** Hours of one weekday do not overlap. */
  readonly hours: readonly WorkingHours[];
  readonly slotMinutes: number;
  /** Meetings that can take place in each slot. */
  readonly capacity: number;
  /** IANA name, such as Asia/Kolkata. */
  readonly timeZone: string;
  /** Days without meetings, as YYYY-MM-DD in the time zone. */
  readonly holidays: ReadonlySet<string>;
}

export interface Slot {
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** Slot with the number of booked meetings that take place in it, even partly. */
export interface SlotWithBookings extends Slot {
  readonly capacity: number;
  /** May exceed the capacity, because customers also book meetings at the provider. */
  readonly booked: number;
}

/** Number of booked meetings with the same start. */
export interface BookingCountAtStart {
  readonly startsAt: Date;
  readonly count: number;
}

/** Reasons why no meeting can be booked at a time, each with a sentence for the person who tried. */
export const BOOKING_TIME_PROBLEMS = {
  HOLIDAY: {
    description: 'The day is a holiday.',
    message: 'No meetings take place on this day, a holiday: choose another day.',
  },
  OUTSIDE_WORKING_HOURS: {
    description: 'The meeting would not begin and end within the working hours.',
    message: 'The meeting would not begin and end within the working hours: choose a time within them.',
  },
  NOT_A_SLOT_START: {
    description: 'The time is within the working hours, but no slot begins then.',
    message: 'No slot begins at this time: choose the start of a slot.',
  },
  SLOT_FULL: {
    description: 'All places of the slot are taken.',
    message: 'All places at this time are taken: choose another time.',
  },
} as const;
export type BookingTimeProblem = keyof typeof BOOKING_TIME_PROBLEMS;

/** Calendar of meetings. Slots follow each other from the start of the working hours; a rest is left unused. */
export class MeetingCalendar {
  readonly capacity: number;
  readonly slotMs: number;
  readonly #rules: CalendarRules;
  readonly #zone: TimeZone;

  constructor(rules: CalendarRules) {
    this.#rules = rules;
    this.#zone = new TimeZone(rules.timeZone);
    this.capacity = rules.capacity;
    this.slotMs = rules.slotMinutes * MINUTE_MS;
  }

  /** Returns the slots that begin from `from` (inclusive) to `to` (exclusive), in order: the first `limit` of them. */
  slotsBetween(from: Date, to: Date, limit = Number.POSITIVE_INFINITY): Slot[] {
    const slots: Slot[] = [];
    const last = this.#zone.dayAt(to.getTime());
    // Stryker disable next-line ConditionalExpression,EqualityOperator: the limit here only saves time
    for (let day = this.#zone.dayAt(from.getTime()); day <= last && slots.length < limit; day += 1) {
      if (this.#isHoliday(day)) continue;
      for (const { opensAt, closesAt } of this.#windowsOf(day))
        for (let start = opensAt; start + this.slotMs <= closesAt; start += this.slotMs)
          if (start >= from.getTime() && start < to.getTime())
            slots.push({ startsAt: new Date(start), endsAt: new Date(start + this.slotMs) });
    }
    return slots.slice(0, limit);
  }

  /** Returns why no meeting can begin at this time, whatever is booked; null if a slot begins then. */
  findTimeProblem(at: Date): Exclude<BookingTimeProblem, 'SLOT_FULL'> | null {
    const time = at.getTime();
    const day = this.#zone.dayAt(time);
    if (this.#isHoliday(day)) return 'HOLIDAY';
    const window = this.#windowsOf(day).find(
      ({ opensAt, closesAt }) => opensAt <= time && time + this.slotMs <= closesAt,
    );
    if (!window) return 'OUTSIDE_WORKING_HOURS';
    return (time - window.opensAt) % this.slotMs === 0 ? null : 'NOT_A_SLOT_START';
  }

  /**
   * Adds to each slot the number of booked meetings that take place in it, even partly. A meeting lasts as long as
   * a slot. One that the customer booked at the provider may begin at any time, and so take a place in two slots.
   *
   * @param slots in order
   * @param bookings in order
   */
  withBookings(slots: readonly Slot[], bookings: readonly BookingCountAtStart[]): SlotWithBookings[] {
    let first = 0;
    return slots.map((slot) => {
      const [start, end] = [slot.startsAt.getTime(), slot.endsAt.getTime()];
      const startsAt = (index: number) => bookings[index]?.startsAt.getTime() ?? Number.POSITIVE_INFINITY;
      while (startsAt(first) <= start - this.slotMs) first += 1;
      let booked = 0;
      for (let index = first; startsAt(index) < end; index += 1) booked += bookings[index]?.count ?? 0;
      return { ...slot, capacity: this.capacity, booked };
    });
  }

  #isHoliday(day: number): boolean {
    return this.#rules.holidays.has(formatDayNumber(day));
  }

  /**
   * Returns the working hours of a day in milliseconds since 1970, in order. When clocks change during the hours,
   * the day has fewer or more slots.
   */
  #windowsOf(day: number): { opensAt: number; closesAt: number }[] {
    const weekday = (((day + FIRST_WEEKDAY) % 7) + 7) % 7;
    return this.#rules.hours
      .filter((hours) => hours.weekday === weekday)
      .toSorted((one, other) => one.opensAt - other.opensAt)
      .map(({ opensAt, closesAt }) => ({
        opensAt: this.#zone.timeAt(day, opensAt),
        closesAt: this.#zone.timeAt(day, closesAt),
      }));
  }
}

/** Whether the slot has a free place and begins after `now`, so that a meeting can be booked in it. */
export const isBookableSlot = ({ startsAt, booked, capacity }: SlotWithBookings, now: Date): boolean =>
  booked < capacity && startsAt > now;

/** Maximum number of days whose offset a `TimeZone` keeps. */
const MAX_KNOWN_DAYS = 5_000;

/** Converts between instants, in milliseconds since 1970, and the wall clock of a time zone. */
class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  /** Offsets at midnight UTC by day. Computing an offset takes some 10 µs, and a month of slots needs many. */
  readonly #known = new Map<number, number>();

  /** @throws RangeError if the name is not that of a time zone */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: name, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
      ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    });
  }

  /** Returns the date of an instant, as the number of days since 1970-01-01. */
  dayAt(time: number): number {
    const day = Math.floor(time / DAY_MS);
    const offset = this.#offsetOf(day, day + 1) ?? this.#offsetAt(time);
    return Math.floor((time + offset) / DAY_MS);
  }

  /**
   * Returns the instant of a wall-clock time, given in minutes after midnight. If clocks are set back, the time
   * occurs twice: the first occurrence counts. If they are set forward, it may not occur: the instant of the
   * change counts. So a later wall-clock time never gives an earlier instant, and slots never overlap.
   */
  timeAt(day: number, minutes: number): number {
    const wall = day * DAY_MS + minutes * MINUTE_MS;
    const constant = this.#offsetOf(day - 1, day + 2);
    // Stryker disable next-line ConditionalExpression: only saves time
    if (constant !== null) return wall - constant;
    const [before, after] = [this.#offsetAt(wall - DAY_MS), this.#offsetAt(wall + DAY_MS)];
    if (this.#offsetAt(wall - before) === before) return wall - before;
    if (this.#offsetAt(wall - after) === after) return wall - after;
    // The change is between these instants: bisect to the millisecond.
    let [early, late] = [wall - after, wall - before];
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (this.#offsetAt(middle) === before) early = middle;
      else late = middle;
    }
    return late;
  }

  /** Returns the offset from midnight UTC of one day to that of another; null if it changes in between. */
  #offsetOf(from: number, to: number): number | null {
    const offset = this.#offsetAtStartOf(from);
    // Stryker disable next-line ConditionalExpression: null only costs time
    return this.#offsetAtStartOf(to) === offset ? offset : null;
  }

  #offsetAtStartOf(day: number): number {
    const offset = this.#known.get(day) ?? this.#offsetAt(day * DAY_MS);
    // Stryker disable next-line ConditionalExpression,EqualityOperator: only bounds the memory
    if (this.#known.size >= MAX_KNOWN_DAYS) this.#known.clear();
    this.#known.set(day, offset);
    return offset;
  }

  /** Returns how far the wall clock is ahead of UTC, in milliseconds. */
  #offsetAt(time: number): number {
    const parts = Object.fromEntries(
      this.#format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
    ) as Record<Intl.DateTimeFormatPartTypes, number>;
    const { year, month, day, hour, minute, second } = parts;
    const seconds = Math.floor(time / 1_000) * 1_000;
    return Date.UTC(year, month - 1, day, hour, minute, second) - seconds;
  }
}
