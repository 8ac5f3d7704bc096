import { describe, expect, test } from 'vitest';
import { findEventTypesOfTransition } from '../../src/domain/merchant-events.ts';
import { VERDICTS, type Verdict } from '../../src/domain/session.ts';
import {
  getPauseDurationMs,
  getRetryDelayMs,
  parseRetryAfterMs,
} from '../../src/services/outgoing/retry-plan.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const middle = () => 0.5;

describe('the retries of a delivery', () => {
  test('grow threefold from 5 s to 6 h, so that three days have about 20 of them', () => {
    const delays = Array.from({ length: 20 }, (_, index) => getRetryDelayMs(index + 1, middle));

    expect(delays.slice(0, 4)).toEqual([5, 15, 45, 135].map((seconds) => seconds * SECOND_MS));
    expect(Math.max(...delays)).toBe(6 * HOUR_MS);
    const within = delays.filter(
      (_, index) => delays.slice(0, index + 1).reduce((sum, each) => sum + each) <= 72 * HOUR_MS,
    );
    expect(within.length).toBeGreaterThan(15);
  });

  test('have jitter, at most a tenth earlier or later', () => {
    for (const random of [0, 0.999]) {
      const delay = getRetryDelayMs(1, () => random);
      expect(delay).not.toBe(5 * SECOND_MS);
      expect(Math.abs(delay - 5 * SECOND_MS)).toBeLessThanOrEqual(500);
    }
  });
});

test('an endpoint is paused from its eighth failure in a row on, for 10 s at first and at most 10 minutes', () => {
  expect(getPauseDurationMs(7, middle)).toBe(0);
  expect([8, 9, 10].map((failures) => getPauseDurationMs(failures, middle))).toEqual([
    10_000, 20_000, 40_000,
  ]);
  expect(getPauseDurationMs(1_000, middle)).toBe(600_000);
});

test('Retry-After is read as seconds or as a date, at most a day, and ignored if it is neither', () => {
  const now = new Date('2026-11-30T09:00:00Z');

  expect(parseRetryAfterMs('120', now)).toBe(120_000);
  expect(parseRetryAfterMs('Mon, 30 Nov 2026 09:01:00 GMT', now)).toBe(60_000);
  expect(parseRetryAfterMs('999999999', now)).toBe(24 * HOUR_MS);
  for (const useless of [undefined, '', 'soon', '-5', 'Mon, 30 Nov 2026 08:00:00 GMT'])
    expect(parseRetryAfterMs(useless, now), useless).toBe(0);
});

describe('the events of a transition', () => {
  const types = (
    verdict: Verdict,
    subStatus: Parameters<typeof findEventTypesOfTransition>[0]['subStatus'],
    hasReview = false,
  ) => findEventTypesOfTransition({ verdict, subStatus, hasReview });

  test('session.transitioned is among them, whatever the verdict is', () => {
    for (const verdict of Object.keys(VERDICTS) as Verdict[])
      expect(types(verdict, 'USER_QUEUED')).toContain('session.transitioned');
  });

  test('a meeting is told of only if the transition is applied', () => {
    expect(types('MOVED', 'USER_MISSED_MEETING')).toContain('meeting.missed');
    expect(types('LATE', 'USER_MISSED_MEETING')).toEqual(['session.transitioned']);
    expect(types('NOTED', 'USER_MEETING_SCHEDULED')).toEqual(['session.transitioned']);
  });

  test('a dispute, its resolution and a review have events of their own', () => {
    expect(types('DISPUTED_LATE', 'AUDITOR_APPROVED')).toContain('session.disputed');
    expect(types('RESOLVED', 'AUDITOR_APPROVED')).toContain('session.dispute_resolved');
    expect(types('MOVED', 'AGENT_APPROVED', true)).toContain('review.recorded');
    expect(types('MOVED', 'AGENT_APPROVED')).not.toContain('review.recorded');
  });
});
