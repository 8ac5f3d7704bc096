import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  findMissedMeetingSubStatus,
  findPassedMeetingStatus,
  isMeetingGraceOver,
} from '../../src/domain/meetings.ts';
import { ALL_PAIRS } from '../../src/domain/status.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const MINUTE = 60_000;

test('findMissedMeetingSubStatus returns a sub-status only for a session in USER_MEETING_SCHEDULED', () => {
  const missable = ALL_PAIRS.filter((pair) => findMissedMeetingSubStatus(pair) !== null);
  expect(missable.map(({ subStatus }) => subStatus)).toEqual(['USER_MEETING_SCHEDULED']);
  expect(missable.map(findMissedMeetingSubStatus)).toEqual(['USER_MISSED_MEETING']);
});

test('isMeetingGraceOver is true only if the provider was asked after the last millisecond of the grace period', () => {
  const over = (askedAt: number) =>
    isMeetingGraceOver({ startsAt: new Date(NOW) }, new Date(askedAt), 15 * MINUTE);
  expect(over(NOW + 15 * MINUTE)).toBe(false);
  expect(over(NOW + 15 * MINUTE + 1)).toBe(true);
});

test('isMeetingGraceOver is false for a meeting that was booked or moved after the provider was asked, for any grace period', () => {
  fc.assert(
    fc.property(fc.nat(7 * 24 * 60 * MINUTE), fc.nat(24 * 60 * MINUTE), (lateMs, graceMs) => {
      // A meeting can only be booked for a time that is still ahead.
      const startsAt = new Date(NOW + lateMs);
      expect(isMeetingGraceOver({ startsAt }, new Date(NOW), graceMs)).toBe(false);
    }),
  );
});

test('a passed meeting becomes CANCELLED if the session ended or an agent decided before it, stays booked during a call, and otherwise becomes MISSED', () => {
  const meeting = { startsAt: new Date(NOW) };
  const at = new Date(NOW + 16 * MINUTE);
  const passed = (sinceMs: number, asked = at) =>
    Object.fromEntries(
      ALL_PAIRS.map((pair) => [
        pair.subStatus,
        findPassedMeetingStatus(
          { ...pair, statusSince: new Date(NOW + sinceMs) },
          meeting,
          asked,
          15 * MINUTE,
        ),
      ]),
    );
  const ended = ALL_PAIRS.filter(
    ({ terminal, subStatus }) => terminal || ['AGENT_APPROVED', 'AGENT_REJECTED'].includes(subStatus),
  ).map(({ subStatus }) => subStatus);
  for (const [subStatus, status] of Object.entries(passed(0)))
    expect([subStatus, status]).toEqual([
      subStatus,
      subStatus === 'USER_ACCEPTED_MEETING'
        ? null
        : ended.some((each) => each === subStatus)
          ? 'CANCELLED'
          : 'MISSED',
    ]);
  expect(passed(1)).toMatchObject({ AUDITOR_REJECTED: 'MISSED', USER_QUEUED: 'MISSED' });
  expect(passed(2 * MINUTE)).toMatchObject({ AGENT_APPROVED: 'MISSED', USER_QUEUED: null });
  expect(Object.values(passed(0, new Date(NOW + 15 * MINUTE))).every((status) => status === null)).toBe(true);
});
