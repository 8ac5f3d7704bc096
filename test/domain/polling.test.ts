import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeNextPollAt, type PollFacts, type PollPace } from '../../src/domain/polling.ts';
import { type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-01-05T10:00:00Z');
const FAIR_SHARE_MS = 10 * MINUTE;
const GRACE_MS = 15 * MINUTE;
/** The shortest polling interval of an active session at this fair share. */
const SOON_MS = 21 * SECOND;

const at = (ms: number) => new Date(NOW + ms);
const pace = (fairShareMs = FAIR_SHARE_MS): PollPace => ({
  ...{ fairShareMs, meetingGraceMs: GRACE_MS, confirmMs: 7 * DAY },
});
/** Returns facts of a session that has just changed and that the provider has just reported. */
const facts = (changes: Partial<PollFacts> = {}): PollFacts => ({
  status: 'PRE_VIDEO_CALL',
  subStatus: 'USER_QUEUED',
  changedAt: at(0),
  heardAt: at(0),
  unsettled: false,
  unconfirmed: false,
  secondLookAt: null,
  meetingAt: null,
  linkExpiresAt: at(20 * DAY),
  createdAt: at(-DAY),
  ...changes,
});
/** Returns the milliseconds from the last report of the provider (`heardAt`) until the next poll. */
const pause = (changes: Partial<PollFacts>, fairShareMs = FAIR_SHARE_MS) => {
  const given = facts(changes);
  return (computeNextPollAt(given, pace(fairShareMs))?.getTime() ?? Number.NaN) - given.heardAt.getTime();
};

test('an active session is polled 21 s after a change, then at growing intervals up to the fair share (the interval of round-robin)', () => {
  expect(pause({})).toBe(SOON_MS);
  expect(pause({ changedAt: at(-5 * MINUTE) })).toBe(MINUTE);
  expect(pause({ changedAt: at(-2 * HOUR) })).toBe(FAIR_SHARE_MS);
});

test('polling intervals have a minimum even if the fair share (the interval of round-robin) is zero', () => {
  expect(pause({}, 0)).toBe(5 * SECOND);
  expect(pause({ changedAt: at(-DAY) }, 0)).toBe(MINUTE);
});

test('a poll is due one second after a meeting starts or a link expires, and the start of a meeting counts as a change of the session', () => {
  const booked = { status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED' } as const;
  expect(pause({ ...booked, meetingAt: at(2 * MINUTE) })).toBe(2 * MINUTE + SECOND);
  expect(pause({ ...booked, meetingAt: at(3 * DAY) })).toBe(0.7 * FAIR_SHARE_MS);
  expect(pause({ ...booked, changedAt: at(-DAY), meetingAt: at(-SECOND) })).toBe(SOON_MS);
  const inGrace = { ...booked, meetingAt: at(-GRACE_MS + 5 * SECOND) };
  expect(pause(inGrace)).toBe(6 * SECOND);
  expect(pause({ ...inGrace, subStatus: 'SCHEDULED_USER_QUEUED' })).toBe(SOON_MS);
  const overGrace = { ...booked, changedAt: at(-DAY), meetingAt: at(-GRACE_MS - SECOND) };
  expect(pause(overGrace)).toBe(SOON_MS);
  expect(pause({ ...overGrace, meetingAt: at(-GRACE_MS - 25 * MINUTE) })).toBe(5 * MINUTE);
  expect(pause({ changedAt: at(-DAY), linkExpiresAt: at(MINUTE) })).toBe(MINUTE + SECOND);
});

test('a session whose order of updates is uncertain (unsettled) is polled immediately, or at the time planned for its second poll', () => {
  expect(pause({ unsettled: true })).toBe(0);
  expect(pause({ unsettled: true, secondLookAt: at(5 * SECOND) })).toBe(5 * SECOND);
});

test('polling stops when a session has ended, or a day and a half after its link expired, but continues for up to thirty days while a review is pending', () => {
  const never = (changes: Partial<PollFacts>) => computeNextPollAt(facts(changes), pace()) === null;
  expect(never({ status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED' })).toBe(true);
  expect(never({ linkExpiresAt: at(-DAY) })).toBe(false);
  expect(never({ linkExpiresAt: at(-2 * DAY) })).toBe(true);
  expect(never({ linkExpiresAt: null, createdAt: at(-32 * DAY) })).toBe(true);
  const reviewed = { status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' } as const;
  expect(never({ ...reviewed, linkExpiresAt: at(-2 * DAY) })).toBe(false);
  expect(never({ ...reviewed, changedAt: at(-31 * DAY) })).toBe(true);
});

test('a decision made in the gateway counts as a change: the session is polled 21 s later, not immediately', () => {
  expect(pause({ heardAt: at(-HOUR), changedAt: at(0) })).toBe(HOUR + SOON_MS);
});

test('a session whose order of updates is uncertain (unsettled) is polled even after its link expired; secondLookAt has no effect on a session that is not unsettled', () => {
  expect(pause({ unsettled: true, linkExpiresAt: at(-9 * DAY) })).toBe(0);
  expect(pause({ unsettled: false, secondLookAt: at(5 * SECOND) })).toBe(SOON_MS);
});

test('right after a change the sub-status decides the polling interval, later the time since the change', () => {
  const LEAST = {
    LINK_GENERATED: 0.14,
    USER_MEETING_SCHEDULED: 0.7,
    AGENT_ENDED_CALL: 0.14,
    USER_ENDED_CALL: 0.14,
    AGENT_APPROVED: 0.14,
    AGENT_REJECTED: 0.14,
    AGENT_UNABLE_TO_VALIDATE: 0.14,
    TECHNICAL_ERROR: 0.14,
    USER_QUEUED: 0.035,
    USER_ACCEPTED_MEETING: 0.035,
    UNRECOGNIZED: 0.035,
  } as const;
  for (const [subStatus, least] of Object.entries(LEAST)) {
    const pair =
      subStatus === 'UNRECOGNIZED'
        ? ({ status: 'VIDEO_CALL', subStatus } as const)
        : toStatusPair(subStatus as KnownSubStatus);
    expect(pause(pair), subStatus).toBeCloseTo(least * FAIR_SHARE_MS);
    // Later the interval is a fifth of the time since the last change, at most the fair share.
    expect(pause({ ...pair, changedAt: at(-45 * MINUTE) }), subStatus).toBe(9 * MINUTE);
    expect(pause({ ...pair, changedAt: at(-2 * HOUR) }), subStatus).toBe(FAIR_SHARE_MS);
  }
});

test('the time of a meeting matters only while the sub-status says that a meeting is booked', () => {
  const queued = { subStatus: 'USER_QUEUED' } as const;
  expect(pause({ ...queued, meetingAt: at(SECOND) })).toBe(SOON_MS);
  expect(pause({ ...queued, changedAt: at(-DAY), meetingAt: at(-SECOND) })).toBe(FAIR_SHARE_MS);
  const booked = { subStatus: 'USER_MEETING_SCHEDULED' } as const;
  expect(pause({ ...booked, meetingAt: null })).toBe(0.7 * FAIR_SHARE_MS);
  // A meeting that starts at this very moment counts as begun, not as booked.
  expect(pause({ ...booked, meetingAt: at(0) })).toBe(SOON_MS);
});

test("a link that expires at the time of the provider's last report causes no extra poll", () => {
  expect(pause({ linkExpiresAt: at(0) })).toBe(SOON_MS);
});

test('a session is polled until a day and a half after its link expired, or for thirty days while it waits for a review', () => {
  const isPolled = (changes: Partial<PollFacts>) => computeNextPollAt(facts(changes), pace()) !== null;
  expect(isPolled({ linkExpiresAt: at(-1.5 * DAY) })).toBe(true);
  expect(isPolled({ linkExpiresAt: at(-1.5 * DAY - 1) })).toBe(false);
  // A link without an expiry time counts as valid for thirty days.
  expect(isPolled({ linkExpiresAt: null, createdAt: at(-31.5 * DAY) })).toBe(true);
  expect(isPolled({ linkExpiresAt: null, createdAt: at(-31.5 * DAY - 1) })).toBe(false);
  const reviewed = { status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' } as const;
  expect(isPolled({ ...reviewed, changedAt: at(-30 * DAY) })).toBe(true);
  expect(isPolled({ ...reviewed, changedAt: at(-30 * DAY - 1) })).toBe(false);
});

test('a booked session is always polled within a second after the grace period of its meeting, not before it ends', () => {
  const milliseconds = (min: number, max: number) => fc.integer({ min, max });
  fc.assert(
    fc.property(
      milliseconds(-2 * DAY, 2 * DAY),
      milliseconds(0, DAY),
      milliseconds(0, HOUR),
      milliseconds(0, DAY),
      (startsMs, graceMs, fairShareMs, changedMs) => {
        const booked = facts({
          subStatus: 'USER_MEETING_SCHEDULED',
          meetingAt: at(startsMs),
          changedAt: at(-changedMs),
        });
        const polls: number[] = [];
        let heardAt = booked.heardAt;
        const graceEnd = NOW + startsMs + graceMs;
        // A poll is answered at the moment at which it is due, and finds nothing new.
        while (polls.length < 100_000 && heardAt.getTime() <= Math.max(graceEnd, NOW)) {
          const next = computeNextPollAt(
            { ...booked, heardAt },
            {
              ...{ fairShareMs, meetingGraceMs: graceMs, confirmMs: 0 },
            },
          );
          if (next === null) return;
          expect(next.getTime()).toBeGreaterThan(heardAt.getTime());
          polls.push(next.getTime());
          heardAt = next;
        }
        if (graceEnd > NOW) expect(polls.at(-1)).toBeLessThanOrEqual(graceEnd + SECOND);
      },
    ),
    { numRuns: 200 },
  );
});

test('a session that ended by a decision made in the gateway is polled until a week after both the decision and the end of its link', () => {
  const decided = { status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED', unconfirmed: true } as const;
  const isPolled = (changes: Partial<PollFacts>) =>
    computeNextPollAt(facts({ ...decided, ...changes }), pace()) !== null;
  expect(isPolled({ unconfirmed: false })).toBe(false);
  expect(isPolled({})).toBe(true);
  expect(isPolled({ changedAt: at(-30 * DAY), linkExpiresAt: at(-7 * DAY) })).toBe(true);
  expect(isPolled({ changedAt: at(-30 * DAY), linkExpiresAt: at(-7 * DAY - 1) })).toBe(false);
  expect(isPolled({ changedAt: at(-7 * DAY), linkExpiresAt: at(-30 * DAY) })).toBe(true);
  expect(isPolled({ changedAt: at(-7 * DAY - 1), linkExpiresAt: at(-30 * DAY) })).toBe(false);
  // A link without an expiry time counts as valid for thirty days.
  expect(isPolled({ changedAt: at(-40 * DAY), linkExpiresAt: null, createdAt: at(-37 * DAY) })).toBe(true);
  expect(isPolled({ changedAt: at(-40 * DAY), linkExpiresAt: null, createdAt: at(-37 * DAY - 1) })).toBe(
    false,
  );
});

test('after a final decision made in the gateway, the polling interval grows to ten times the fair share, at least an hour', () => {
  const decided = { status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED', unconfirmed: true } as const;
  expect(pause({ ...decided })).toBe(0.7 * FAIR_SHARE_MS);
  expect(pause({ ...decided, changedAt: at(-5 * HOUR) })).toBe(HOUR);
  expect(pause({ ...decided, changedAt: at(-5 * DAY) })).toBe(10 * FAIR_SHARE_MS);
  expect(pause({ ...decided, changedAt: at(-5 * DAY) }, 0)).toBe(HOUR);
  // The decision was made after the last poll.
  expect(pause({ ...decided, changedAt: at(MINUTE) })).toBe(MINUTE + 0.7 * FAIR_SHARE_MS);
  expect(pause({ ...decided, unsettled: true })).toBe(0.7 * FAIR_SHARE_MS);
});
