import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findMissedSubStatus, isGraceOver } from '../../src/domain/meetings.ts';
import { ALL_PAIRS } from '../../src/domain/status.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const MINUTE = 60_000;

test('only a session whose sub-status says that a meeting is booked can have missed the meeting', () => {
  const missable = ALL_PAIRS.filter((pair) => findMissedSubStatus(pair) !== null);
  expect(missable.map(({ subStatus }) => subStatus)).toEqual(['USER_MEETING_SCHEDULED']);
  expect(missable.map(findMissedSubStatus)).toEqual(['USER_MISSED_MEETING']);
});

test('the grace period is over only for a question asked after its last millisecond', () => {
  const over = (askedAt: number) => isGraceOver({ startsAt: new Date(NOW) }, new Date(askedAt), 15 * MINUTE);
  expect(over(NOW + 15 * MINUTE)).toBe(false);
  expect(over(NOW + 15 * MINUTE + 1)).toBe(true);
});

test('a meeting that was booked or moved after the question was asked is never missed, whatever the grace period', () => {
  fc.assert(
    fc.property(fc.nat(7 * 24 * 60 * MINUTE), fc.nat(24 * 60 * MINUTE), (lateMs, graceMs) => {
      // A meeting can only be booked for a time that is still ahead.
      const startsAt = new Date(NOW + lateMs);
      expect(isGraceOver({ startsAt }, new Date(NOW), graceMs)).toBe(false);
    }),
  );
});
