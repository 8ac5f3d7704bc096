import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProviderTime } from '../../src/provider/times.ts';

const timeOf = (text: string) => {
  const reading = parseProviderTime(text);
  return 'time' in reading ? reading.time.toISOString() : reading.problem;
};
const pad = (value: number, length = 2) => String(value).padStart(length, '0');

describe('readTime', () => {
  test.each([
    ['2025-05-22T03:51:14Z', '2025-05-22T03:51:14.000Z'],
    ['2025-05-22t03:51:14z', '2025-05-22T03:51:14.000Z'],
    ['2025-05-22T03:51Z', '2025-05-22T03:51:00.000Z'],
    ['2025-05-22 03:51', '2025-05-22T03:51:00.000Z'],
    ['2024-02-15 16:53:15', '2024-02-15T16:53:15.000Z'],
    ['2025-06-21', '2025-06-21T00:00:00.000Z'],
    ['2025-07-09T14:50:00.123456Z', '2025-07-09T14:50:00.123Z'],
    ['2025-05-05T18:01:05+05:30', '2025-05-05T12:31:05.000Z'],
    ['2025-05-05T18:01:05+0530', '2025-05-05T12:31:05.000Z'],
    ['2025-05-05T18:01:05-05', '2025-05-05T23:01:05.000Z'],
    ['2024-02-02 17:30:00 IST', '2024-02-02T12:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0050-01-01', '0050-01-01T00:00:00.000Z'],
    ['1746427759', '2025-05-05T06:49:19.000Z'],
    ['1746427759733', '2025-05-05T06:49:19.733Z'],
  ])('readTime reads %s as %s', (text, expected) => {
    expect(timeOf(text)).toBe(expected);
  });

  test.each([
    ['2030-02-30', 'is not an existing day'],
    ['2025-02-29T00:00:00Z', 'is not an existing day'],
    ['2025-13-01', 'is not an existing day'],
    ['2025-00-10', 'is not an existing day'],
    ['2025-05-22T24:00:00Z', 'is not a time of day between 00:00:00 and 23:59:59'],
    ['2025-05-22T23:59:60Z', 'is not a time of day between 00:00:00 and 23:59:59'],
    ['2025-05-22T03:51:14+24:00', 'has an offset from UTC of a day or more'],
    ['0000-01-01', 'is a time outside the years 1 to 9999'],
    ['174642775', 'is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970'],
    ['20250522', 'is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970'],
    [
      '1746427759.5',
      'is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970',
    ],
    [
      '-1746427759',
      'is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970',
    ],
    ['yesterday', 'is not a time in a known format'],
    ['2025-05-22T03', 'is not a time in a known format'],
    ['22-05-2025', 'is not a time in a known format'],
    ['2025-05-22T03:51:14Z and more', 'is not a time in a known format'],
    ['', 'is not a time in a known format'],
  ])('readTime refuses "%s" with the reason that it %s', (text, problem) => {
    expect(timeOf(text)).toBe(problem);
  });

  test('readTime reads the same instant from every spelling: case, separator, and offset with or without a colon', () => {
    const instant = fc.date({
      min: new Date('0002-01-01T00:00:00Z'),
      max: new Date('9998-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    const choice = fc.record({ lower: fc.boolean(), space: fc.boolean(), colon: fc.boolean() });
    fc.assert(
      fc.property(instant, offset, choice, (time, minutes, { lower, space, colon }) => {
        const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const zone = `${minutes < 0 ? '-' : '+'}${pad(hours)}${colon ? ':' : ''}${pad(rest)}`;
        const written = `${space ? local.replace('T', ' ') : local}${zone}`;
        expect(timeOf(lower ? written.toLowerCase() : written)).toBe(time.toISOString());
      }),
    );
  });

  test('readTime returns the written day unchanged or refuses it, never another day', () => {
    const [year, month, day] = [
      fc.integer({ min: 1, max: 9998 }),
      fc.integer({ min: 0, max: 14 }),
      fc.integer({ min: 0, max: 33 }),
    ];
    fc.assert(
      fc.property(year, month, day, (y, m, d) => {
        const written = `${pad(y, 4)}-${pad(m)}-${pad(d)}`;
        const read = timeOf(`${written}T12:00:00Z`);
        expect([`${written}T12:00:00.000Z`, 'is not an existing day']).toContain(read);
      }),
      { numRuns: 500 },
    );
  });
});
