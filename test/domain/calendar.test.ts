import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CalendarRules,
  isBookableSlot,
  MeetingCalendar,
  MINUTES_PER_DAY,
  type WorkingHours,
} from '../../src/domain/calendar.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6];

const hours = (from: string, to: string, weekdays: readonly number[] = WEEKDAYS): WorkingHours[] =>
  weekdays.map((weekday) => ({ weekday, opensAt: minutesOf(from), closesAt: minutesOf(to) }));
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

const calendar = (rules: Partial<CalendarRules> = {}): MeetingCalendar =>
  new MeetingCalendar({
    hours: hours('09:00', '18:00'),
    slotMinutes: 30,
    capacity: 1,
    timeZone: 'Asia/Kolkata',
    holidays: new Set(),
    ...rules,
  });

/** Returns the starts of the slots that begin on a day of UTC. */
const startsOn = (of: MeetingCalendar, day: string): string[] => {
  const from = new Date(`${day}T00:00Z`);
  return of
    .slotsBetween(from, new Date(from.getTime() + DAY))
    .map(({ startsAt }) => startsAt.toISOString().slice(11, 16));
};

describe('slotsBetween', () => {
  test('returns the slots of the working hours in India', () => {
    const slots = calendar().slotsBetween(
      new Date('2026-12-01T00:00+05:30'),
      new Date('2026-12-02T00:00+05:30'),
    );

    expect(slots).toHaveLength(18);
    expect(slots[0]).toEqual({
      startsAt: new Date('2026-12-01T09:00+05:30'),
      endsAt: new Date('2026-12-01T09:30+05:30'),
    });
    expect(slots.at(-1)?.endsAt).toEqual(new Date('2026-12-01T18:00+05:30'));
  });

  test('includes a slot that begins at `from`, and excludes one that begins at `to`', () => {
    const [from, to] = [new Date('2026-12-01T10:00+05:30'), new Date('2026-12-01T11:00+05:30')];

    expect(
      calendar()
        .slotsBetween(from, to)
        .map(({ startsAt }) => startsAt),
    ).toEqual([from, new Date('2026-12-01T10:30+05:30')]);
    expect(calendar().slotsBetween(to, from)).toEqual([]);
    expect(calendar().slotsBetween(from, from)).toEqual([]);
  });

  test('returns the slots of each weekday, with breaks, without holidays, and without a slot that does not fit', () => {
    const week = calendar({
      hours: [
        ...hours('14:00', '15:10', [1, 2, 3]),
        ...hours('09:00', '09:59', [1, 2, 3]),
        ...hours('23:00', '24:00', [6]),
      ],
      holidays: new Set(['2026-12-01']),
      timeZone: 'UTC',
    });

    // 2026-11-30 is a Monday.
    expect(startsOn(week, '2026-11-29')).toEqual([]);
    expect(startsOn(week, '2026-11-30')).toEqual(['09:00', '14:00', '14:30']);
    expect(startsOn(week, '2026-12-01')).toEqual([]);
    expect(startsOn(week, '2026-12-02')).toEqual(['09:00', '14:00', '14:30']);
    expect(startsOn(week, '2026-12-05')).toEqual(['23:00', '23:30']);
  });

  test('follows the wall clock of London when clocks are set forward and back', () => {
    const office = calendar({ timeZone: 'Europe/London', hours: hours('09:00', '10:00') });
    expect(startsOn(office, '2026-03-28')).toEqual(['09:00', '09:30']);
    expect(startsOn(office, '2026-03-29')).toEqual(['08:00', '08:30']);
    expect(startsOn(office, '2026-10-24')).toEqual(['08:00', '08:30']);
    expect(startsOn(office, '2026-10-25')).toEqual(['09:00', '09:30']);

    // These hours begin at 23:30 UTC of the day before in summer. At 01:00 UTC, clocks show 02:00 instead of 01:00 in March, and 01:00 for the second time in October.
    const night = calendar({ timeZone: 'Europe/London', hours: hours('00:30', '02:30') });
    expect(startsOn(night, '2026-03-29').slice(0, -1)).toEqual(['00:30', '01:00']);
    expect(startsOn(night, '2026-10-25').slice(0, 5)).toEqual(['00:00', '00:30', '01:00', '01:30', '02:00']);
  });

  test('hours that begin or end at a time that occurs twice begin and end with its first occurrence', () => {
    const london = { timeZone: 'Europe/London' };
    const begins = calendar({ ...london, hours: hours('01:30', '02:30') });
    expect(startsOn(begins, '2026-10-25')).toEqual(['00:30', '01:00', '01:30', '02:00']);
    const ends = calendar({ ...london, hours: hours('00:30', '01:30') });
    expect(startsOn(ends, '2026-10-25')).toEqual(['00:00']);
  });

  test('a day ends with the last occurrence of its last hour if clocks are set back at midnight', () => {
    // In Cairo, 2026-10-29 has the hour from 23:00 twice, at 20:00 and 21:00 UTC.
    const cairo = calendar({
      timeZone: 'Africa/Cairo',
      hours: hours('23:00', '24:00'),
      holidays: new Set(['2026-10-30']),
    });
    expect(startsOn(cairo, '2026-10-29')).toEqual(['20:00', '20:30', '21:00', '21:30']);
    expect(cairo.findTimeProblem(new Date('2026-10-29T21:30Z'))).toBeNull();
    expect(cairo.findTimeProblem(new Date('2026-10-29T22:00Z'))).toBe('HOLIDAY');
  });

  test('returns at most `limit` slots, the first ones', () => {
    const [from, to] = [new Date('2026-12-01T00:00Z'), new Date('2026-12-04T00:00Z')];
    const all = calendar().slotsBetween(from, to);

    for (const limit of [0, 1, 20, all.length, all.length + 1])
      expect(calendar().slotsBetween(from, to, limit)).toEqual(all.slice(0, limit));
  });

  test('working hours that clocks skip have no slots, and no slot is there twice', () => {
    const skipped = calendar({ timeZone: 'Europe/London', hours: hours('01:00', '02:00') });
    expect(startsOn(skipped, '2026-03-29')).toEqual([]);

    const pieces = calendar({
      timeZone: 'Europe/London',
      hours: [...hours('00:00', '01:30'), ...hours('01:30', '02:00'), ...hours('02:00', '03:00')],
    });
    expect(startsOn(pieces, '2026-03-29').slice(0, 4)).toEqual(['00:00', '00:30', '01:00', '01:30']);
  });
});

/** Working hours in one to three pieces on some weekdays. */
const someHours = fc
  .uniqueArray(fc.integer({ min: 0, max: MINUTES_PER_DAY }), { minLength: 2, maxLength: 6 })
  .filter((edges) => edges.length % 2 === 0)
  .chain((edges) => {
    const sorted = edges.toSorted((a, b) => a - b);
    return fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }).map((weekdays) =>
      weekdays.flatMap((weekday) =>
        Array.from({ length: sorted.length / 2 }, (_, index) => ({
          weekday,
          opensAt: sorted[2 * index] as number,
          closesAt: sorted[2 * index + 1] as number,
        })),
      ),
    );
  });
const someRules = fc.record({
  hours: someHours,
  slotMinutes: fc.integer({ min: 10, max: 240 }),
  capacity: fc.integer({ min: 1, max: 5 }),
  timeZone: fc.constantFrom(
    'Asia/Kolkata',
    'Europe/London',
    'America/New_York',
    'Australia/Lord_Howe',
    'UTC',
  ),
  holidays: fc
    .array(fc.integer({ min: 0, max: 364 }), { maxLength: 5 })
    .map(
      (days) => new Set(days.map((day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10))),
    ),
});
/** Times around the days on which clocks change, and any other times of 2026. */
const someTime = fc
  .oneof(
    fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) }),
    ...['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'].map((day) =>
      fc.integer({ min: Date.parse(day) - DAY, max: Date.parse(day) + 2 * DAY }),
    ),
  )
  .map((time) => new Date(Math.floor(time / MINUTE) * MINUTE));

const formats = new Map<string, Intl.DateTimeFormat>();
/** Returns a formatter of ISO-like local times, as they are written in Sweden. */
const swedish = (timeZone: string): Intl.DateTimeFormat => {
  const known =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(timeZone, known);
  return known;
};

/** Returns weekday, date and minutes of the wall clock, computed independently of the calendar. */
function wallClock(time: Date, timeZone: string) {
  const text = swedish(timeZone).format(time);
  const [date, clock] = text.split(' ') as [string, string];
  return { date, weekday: new Date(`${date}T00:00Z`).getUTCDay(), minutes: minutesOf(clock) };
}

test('whatever the rules, slots are in order, do not overlap, and begin within the working hours of a day that is no holiday', () => {
  fc.assert(
    fc.property(someRules, someTime, fc.integer({ min: 1, max: 4 }), (rules, from, days) => {
      const slots = new MeetingCalendar(rules).slotsBetween(from, new Date(from.getTime() + days * DAY));
      let free = from.getTime();
      for (const { startsAt, endsAt } of slots) {
        expect(startsAt.getTime()).toBeGreaterThanOrEqual(free);
        expect(endsAt.getTime() - startsAt.getTime()).toBe(rules.slotMinutes * MINUTE);
        free = endsAt.getTime();
        const { date, weekday, minutes } = wallClock(startsAt, rules.timeZone);
        expect(rules.holidays.has(date)).toBe(false);
        // The second occurrence of an hour is shown as the first, so the wall clock may seem to be before the hours.
        const within = rules.hours.some(
          (each) => each.weekday === weekday && each.opensAt - 60 <= minutes && minutes < each.closesAt,
        );
        expect(within, `${date} ${minutes}`).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('a range in two parts has the same slots, and exactly the starts of slots have no problem', () => {
  fc.assert(
    fc.property(
      someRules,
      someTime,
      fc.integer({ min: 0, max: 3 * 24 * 60 }),
      fc.integer({ min: 0, max: 3 * 24 * 60 }),
      (rules, from, first, second) => {
        const it = new MeetingCalendar(rules);
        const middle = new Date(from.getTime() + first * MINUTE);
        const to = new Date(middle.getTime() + second * MINUTE);
        const slots = it.slotsBetween(from, to);

        expect([...it.slotsBetween(from, middle), ...it.slotsBetween(middle, to)]).toEqual(slots);
        for (const { startsAt } of slots) expect(it.findTimeProblem(startsAt)).toBeNull();
        const isStart = slots.some(({ startsAt }) => startsAt.getTime() === middle.getTime());
        if (second > 0) expect(it.findTimeProblem(middle) === null).toBe(isStart);
      },
    ),
    { numRuns: 100 },
  );
});

test('every minute of fixed working hours belongs to a slot on a day on which clocks are set back', () => {
  const night = calendar({ timeZone: 'Europe/London', hours: hours('00:00', '24:00'), slotMinutes: 60 });
  const day = (date: string) =>
    night.slotsBetween(new Date(`${date}T00:00+01:00`), new Date(`${date}T23:59Z`));

  expect(day('2026-10-25')).toHaveLength(25);
  expect(night.slotsBetween(new Date('2026-03-29T00:00Z'), new Date('2026-03-29T22:59Z'))).toHaveLength(23);
});

describe('findTimeProblem', () => {
  const lunch = calendar({
    hours: [...hours('09:00', '13:00', [1, 2, 3, 4, 5]), ...hours('14:00', '18:10', [1, 2, 3, 4, 5])],
    holidays: new Set(['2026-12-25']),
  });
  test.each([
    ['the start of a slot', '2026-12-01T09:00', null],
    ['the last slot before lunch', '2026-12-01T12:30', null],
    ['a minute after the start of a slot', '2026-12-01T09:01', 'NOT_A_SLOT_START'],
    ['half a second after the start of a slot', '2026-12-01T09:00:00.500', 'NOT_A_SLOT_START'],
    ['before the hours', '2026-12-01T08:59', 'OUTSIDE_WORKING_HOURS'],
    [
      'so late before lunch that the meeting would not end in time',
      '2026-12-01T12:45',
      'OUTSIDE_WORKING_HOURS',
    ],
    ['lunch', '2026-12-01T13:00', 'OUTSIDE_WORKING_HOURS'],
    ['the last slot', '2026-12-01T17:30', null],
    ['the rest of the hours', '2026-12-01T18:00', 'OUTSIDE_WORKING_HOURS'],
    ['a weekend', '2026-12-05T10:00', 'OUTSIDE_WORKING_HOURS'],
    ['a holiday', '2026-12-25T10:00', 'HOLIDAY'],
    ['the night of a holiday, which is still the day before in UTC', '2026-12-25T01:00', 'HOLIDAY'],
  ] as const)('%s', (_what, at, expected) => {
    expect(lunch.findTimeProblem(new Date(`${at}+05:30`))).toBe(expected);
  });
});

describe('withBookings', () => {
  const at = (time: string) => new Date(`2026-12-01T${time}+05:30`);

  test('counts a meeting in each slot in which it takes place, even partly', () => {
    const morning = calendar({ capacity: 2 });
    const slots = morning.slotsBetween(at('09:00'), at('11:00'));
    const booked = (...bookings: [string, number][]) =>
      morning
        .withBookings(
          slots,
          bookings.map(([time, count]) => ({ startsAt: at(time), count })),
        )
        .map((slot) => slot.booked);

    expect(booked()).toEqual([0, 0, 0, 0]);
    expect(booked(['09:00', 1], ['10:30', 2])).toEqual([1, 0, 0, 2]);
    // A meeting at 09:10 lasts until 09:40.
    expect(booked(['08:31', 1], ['09:10', 1], ['09:30', 1])).toEqual([2, 2, 0, 0]);
    expect(booked(['08:30', 9], ['11:00', 9])).toEqual([0, 0, 0, 0]);
  });

  test('a slot is free while it has places and has not begun', () => {
    const [slot] = calendar({ capacity: 2 }).withBookings(calendar().slotsBetween(at('09:00'), at('09:30')), [
      { startsAt: at('09:00'), count: 1 },
    ]);

    expect(slot).toMatchObject({ capacity: 2, booked: 1 });
    expect(slot && isBookableSlot(slot, at('08:59'))).toBe(true);
    expect(slot && isBookableSlot(slot, at('09:00'))).toBe(false);
    expect(slot && isBookableSlot({ ...slot, booked: 2 }, at('08:00'))).toBe(false);
    expect(slot && isBookableSlot({ ...slot, booked: 3 }, at('08:00'))).toBe(false);
  });

  test('counts as a loop over all meetings does', () => {
    const slots = calendar().slotsBetween(at('09:00'), at('18:00'));
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 8 * 60, max: 19 * 60 })), (minutes) => {
        const starts = minutes.toSorted((a, b) => a - b).map((each) => at('00:00').getTime() + each * MINUTE);
        const found = calendar().withBookings(
          slots,
          starts.map((time) => ({ startsAt: new Date(time), count: 1 })),
        );
        for (const { startsAt, endsAt, booked } of found)
          expect(booked).toBe(
            starts.filter((time) => time < endsAt.getTime() && time + 30 * MINUTE > startsAt.getTime())
              .length,
          );
      }),
    );
  });
});
