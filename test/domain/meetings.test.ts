import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findMissedSubStatus, isGraceOver } from '../../src/domain/meetings.ts';
import { ALL_PAIRS } from '../../src/domain/status.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const MINUTE = 60_000;

test('findMissedSubStatus returns a sub-status only for a session in USER_MEETING_SCHEDULED', () => {
  const missable = ALL_PAIRS.filter((pair) => findMissedSubStatus(pair) !== null);
  expect(missable.map(({ subStatus }) => subStatus)).toEqual(['USER_MEETING_SCHEDULED']);
  expect(missable.map(findMissedSubStatus)).toEqual(['USER_MISSED_MEETING']);
});

test('isGraceOver is true only if the provider was asked after the last millisecond of the grace period', () => {
  const over = (askedAt: number) => isGraceOver({ startsAt: new Date(NOW) }, new Date(askedAt), 15 * MINUTE);
  expect(over(NOW + 15 * MINUTE)).toBe(false);
  expect(over(NOW + 15 * MINUTE + 1)).toBe(true);
});

test('isGraceOver is false for a meeting that was booked or moved after the provider was asked, for any grace period', () => {
  fc.assert(
    fc.property(fc.nat(7 * 24 * 60 * MINUTE), fc.nat(24 * 60 * MINUTE), (lateMs, graceMs) => {
      // A meeting can only be booked for a time that is still ahead.
      const startsAt = new Date(NOW + lateMs);
      expect(isGraceOver({ startsAt }, new Date(NOW), graceMs)).toBe(false);
    }),
  );
});
