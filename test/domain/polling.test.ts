import { expect, test } from 'vitest';
import { nextPollAt, type PollFacts } from '../../src/domain/polling.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-01-05T10:00:00Z');
const FAIR_SHARE_MS = 10 * MINUTE;
/** The shortest polling interval of an active session at this fair share. */
const SOON_MS = 21 * SECOND;

const at = (ms: number) => new Date(NOW + ms);
/** Facts of a session that has just changed and been reported by the provider. */
const facts = (changes: Partial<PollFacts> = {}): PollFacts => ({
  status: 'PRE_VIDEO_CALL',
  subStatus: 'USER_QUEUED',
  changedAt: at(0),
  heardAt: at(0),
  unsettled: false,
  secondLookAt: null,
  meetingAt: null,
  linkExpiresAt: at(20 * DAY),
  createdAt: at(-DAY),
  ...changes,
});
/** Returns the milliseconds from the last report until the next poll. */
const pause = (changes: Partial<PollFacts>, fairShareMs = FAIR_SHARE_MS) => {
  const given = facts(changes);
  return (nextPollAt(given, fairShareMs)?.getTime() ?? Number.NaN) - given.heardAt.getTime();
};

test('an active session is polled soon, and at growing intervals up to the fair share while nothing changes', () => {
  expect(pause({})).toBe(SOON_MS);
  expect(pause({ changedAt: at(-5 * MINUTE) })).toBe(MINUTE);
  expect(pause({ changedAt: at(-2 * HOUR) })).toBe(FAIR_SHARE_MS);
});

test('polling intervals have a minimum even if the fair share is zero', () => {
  expect(pause({}, 0)).toBe(5 * SECOND);
  expect(pause({ changedAt: at(-DAY) }, 0)).toBe(MINUTE);
});

test('a poll is due right after a meeting starts and a link expires, and a started meeting counts as activity', () => {
  const booked = { status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED' } as const;
  expect(pause({ ...booked, meetingAt: at(2 * MINUTE) })).toBe(2 * MINUTE + SECOND);
  expect(pause({ ...booked, meetingAt: at(3 * DAY) })).toBe(0.7 * FAIR_SHARE_MS);
  expect(pause({ ...booked, changedAt: at(-DAY), meetingAt: at(-SECOND) })).toBe(SOON_MS);
  expect(pause({ changedAt: at(-DAY), linkExpiresAt: at(MINUTE) })).toBe(MINUTE + SECOND);
});

test('an unsettled session is polled at once, or at its second look if one is planned', () => {
  expect(pause({ unsettled: true })).toBe(0);
  expect(pause({ unsettled: true, secondLookAt: at(5 * SECOND) })).toBe(5 * SECOND);
});

test('polling stops when the session ends or its link has expired, but goes on for pending reviews', () => {
  const never = (changes: Partial<PollFacts>) => nextPollAt(facts(changes), FAIR_SHARE_MS) === null;
  expect(never({ status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED' })).toBe(true);
  expect(never({ linkExpiresAt: at(-DAY) })).toBe(false);
  expect(never({ linkExpiresAt: at(-2 * DAY) })).toBe(true);
  expect(never({ linkExpiresAt: null, createdAt: at(-32 * DAY) })).toBe(true);
  const reviewed = { status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' } as const;
  expect(never({ ...reviewed, linkExpiresAt: at(-2 * DAY) })).toBe(false);
  expect(never({ ...reviewed, changedAt: at(-31 * DAY) })).toBe(true);
});

test('a local decision counts as a change and does not make a poll due at once', () => {
  expect(pause({ heardAt: at(-HOUR), changedAt: at(0) })).toBe(HOUR + SOON_MS);
});
