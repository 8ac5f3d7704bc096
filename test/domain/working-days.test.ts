import { describe, expect, test } from 'vitest';
import { formatDayNumber, subtractWorkingDays, toIndianDayNumber } from '../../src/domain/working-days.ts';

const NONE = new Set<string>();
const NOON_IN_INDIA = 'T12:00:00+05:30';

const earliest = (workingDays: number, today: string, holidays: ReadonlySet<string> = NONE): string =>
  formatDayNumber(subtractWorkingDays(workingDays, new Date(`${today}${NOON_IN_INDIA}`), holidays));

describe('findEarliestDay', () => {
  test.each([
    ['a Friday', '2026-11-27', '2026-11-24'],
    ['a Thursday', '2026-11-26', '2026-11-23'],
    ['a Wednesday, across the weekend', '2026-11-25', '2026-11-20'],
    ['a Tuesday, across the weekend', '2026-11-24', '2026-11-19'],
    ['a Monday, across the weekend', '2026-11-23', '2026-11-18'],
    ['a Sunday, like the Friday before', '2026-11-29', '2026-11-24'],
    ['a Saturday, like the Friday before', '2026-11-28', '2026-11-24'],
    ['the end of a month', '2026-04-02', '2026-03-30'],
    ['the end of February', '2027-03-03', '2027-02-26'],
    ['the end of February in a leap year', '2028-03-02', '2028-02-28'],
    ['the end of a year', '2027-01-01', '2026-12-29'],
    ['the end of a year, across the weekend', '2027-01-05', '2026-12-31'],
  ])('three working days before %s (%s) is %s', (_what, today, expected) => {
    expect(earliest(3, today)).toBe(expected);
  });

  test('findEarliestDay does not count a holiday as a working day; a holiday on a weekend changes nothing', () => {
    const holidays = new Set(['2026-11-26', '2026-11-28']);

    expect(earliest(3, '2026-11-27', holidays)).toBe('2026-11-23');
    expect(earliest(3, '2026-11-26', holidays)).toBe('2026-11-20');
    expect(earliest(1, '2026-11-30', holidays)).toBe('2026-11-27');
  });

  test('findEarliestDay with one working day returns the working day before today, skipping the weekend', () => {
    expect(earliest(1, '2026-11-27')).toBe('2026-11-26');
    expect(earliest(1, '2026-11-30')).toBe('2026-11-27');
  });

  test('findEarliestDay returns the same day as counting weekdays one by one, for every day of three years', () => {
    const first = toIndianDayNumber(new Date('2025-12-01T00:00:00Z'));
    for (let today = first; today < first + 1_100; today += 1) {
      const limit = 1 + (today % 7);
      const found = subtractWorkingDays(limit, new Date(`${formatDayNumber(today)}${NOON_IN_INDIA}`), NONE);
      const countSince = (day: number): number => {
        const weekdays = Array.from({ length: today - day }, (_, index) =>
          new Date((day + 1 + index) * 86_400_000).getUTCDay(),
        );
        return weekdays.filter((weekday) => weekday !== 0 && weekday !== 6).length;
      };

      expect([formatDayNumber(today), countSince(found) <= limit]).toEqual([formatDayNumber(today), true]);
      expect([formatDayNumber(today), countSince(found - 1) > limit]).toEqual([formatDayNumber(today), true]);
    }
  });
});

test('a day begins at midnight in India, which is 18:30 UTC', () => {
  expect(formatDayNumber(toIndianDayNumber(new Date('2026-12-31T18:29:59.999Z')))).toBe('2026-12-31');
  expect(formatDayNumber(toIndianDayNumber(new Date('2026-12-31T18:30:00Z')))).toBe('2027-01-01');
  expect(formatDayNumber(toIndianDayNumber(new Date('1969-12-31T18:29:59Z')))).toBe('1969-12-31');
});
