import { expect, test } from 'vitest';
import { nextPollAt, type PollFacts } from '../../src/domain/polling.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-01-05T10:00:00Z');
const FAIR_SHARE_MS = 10 * MINUTE;
/** The shortest pause of a customer under way, at this share. */
const SOON_MS = 21 * SECOND;

const at = (ms: number) => new Date(NOW + ms);
/** A session that moved and was heard of just now. */
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
/** Milliseconds from when it was heard of until the next poll. */
const pause = (changes: Partial<PollFacts>, fairShareMs = FAIR_SHARE_MS) => {
  const given = facts(changes);
  return (nextPollAt(given, fairShareMs)?.getTime() ?? Number.NaN) - given.heardAt.getTime();
};

test('a customer who is under way is asked about soon, and ever more rarely while nothing happens', () => {
  expect(pause({})).toBe(SOON_MS);
  expect(pause({ changedAt: at(-5 * MINUTE) })).toBe(MINUTE);
  expect(pause({ changedAt: at(-2 * HOUR) })).toBe(FAIR_SHARE_MS);
});

test('nobody is asked about without pause, however few sessions there are', () => {
  expect(pause({}, 0)).toBe(5 * SECOND);
  expect(pause({ changedAt: at(-DAY) }, 0)).toBe(MINUTE);
});

test('the moments of a meeting and of a link’s end are kept, and a meeting begun is a customer under way', () => {
  const booked = { status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED' } as const;
  expect(pause({ ...booked, meetingAt: at(2 * MINUTE) })).toBe(2 * MINUTE + SECOND);
  expect(pause({ ...booked, meetingAt: at(3 * DAY) })).toBe(0.7 * FAIR_SHARE_MS);
  expect(pause({ ...booked, changedAt: at(-DAY), meetingAt: at(-SECOND) })).toBe(SOON_MS);
  expect(pause({ changedAt: at(-DAY), linkExpiresAt: at(MINUTE) })).toBe(MINUTE + SECOND);
});

test('doubt is settled at once, but an answer is confirmed only after a while', () => {
  expect(pause({ unsettled: true })).toBe(0);
  expect(pause({ unsettled: true, secondLookAt: at(5 * SECOND) })).toBe(5 * SECOND);
});

test('it ends with the session, and with the link: but for reviews, which need no link', () => {
  const never = (changes: Partial<PollFacts>) => nextPollAt(facts(changes), FAIR_SHARE_MS) === null;
  expect(never({ status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED' })).toBe(true);
  expect(never({ linkExpiresAt: at(-DAY) })).toBe(false);
  expect(never({ linkExpiresAt: at(-2 * DAY) })).toBe(true);
  expect(never({ linkExpiresAt: null, createdAt: at(-32 * DAY) })).toBe(true);
  const reviewed = { status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' } as const;
  expect(never({ ...reviewed, linkExpiresAt: at(-2 * DAY) })).toBe(false);
  expect(never({ ...reviewed, changedAt: at(-31 * DAY) })).toBe(true);
});

test('what was decided here is a change too, and makes no poll due at once', () => {
  expect(pause({ heardAt: at(-HOUR), changedAt: at(0) })).toBe(HOUR + SOON_MS);
});
