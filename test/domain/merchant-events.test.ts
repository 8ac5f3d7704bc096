import { describe, expect, test } from 'vitest';
import {
  findEventTypesOfTransition,
  isEventType,
  isMeetingEventType,
} from '../../src/domain/merchant-events.ts';
import { isAppliedVerdict, VERDICTS, type Verdict } from '../../src/domain/session.ts';
import { ALL_PAIRS, type SubStatus } from '../../src/domain/status.ts';

const typesOf = (subStatus: SubStatus, verdict: Verdict = 'MOVED', hasReview = false) =>
  findEventTypesOfTransition({ subStatus, verdict, hasReview });

describe('event types of merchant webhooks', () => {
  test.each([
    ['USER_MEETING_SCHEDULED', 'meeting.scheduled'],
    ['USER_MEETING_CANCELLED', 'meeting.cancelled'],
    ['USER_ACCEPTED_MEETING', 'meeting.accepted'],
    ['USER_REJECTED_MEETING', 'meeting.rejected'],
    ['USER_MISSED_MEETING', 'meeting.missed'],
  ] as const)('a transition to %s causes session.transitioned and %s', (subStatus, type) => {
    expect(typesOf(subStatus)).toEqual(['session.transitioned', type]);
  });

  test('a transition to any other sub-status causes only session.transitioned', () => {
    const others = ALL_PAIRS.map(({ subStatus }) => subStatus).filter((name) => !/_MEETING(_|$)/.test(name));

    for (const subStatus of others) expect(typesOf(subStatus)).toEqual(['session.transitioned']);
  });

  test('an update that was not applied causes no event of a meeting', () => {
    const unapplied = (Object.keys(VERDICTS) as Verdict[]).filter((verdict) => !isAppliedVerdict(verdict));

    expect(unapplied.length).toBeGreaterThan(3);
    for (const verdict of unapplied)
      expect(typesOf('USER_MEETING_SCHEDULED', verdict)).not.toContain('meeting.scheduled');
  });

  test('a dispute causes session.disputed, its resolution session.dispute_resolved, and a resolution to a booked meeting causes no meeting.scheduled', () => {
    expect(typesOf('AUDITOR_REJECTED', 'DISPUTED')).toEqual(['session.transitioned', 'session.disputed']);
    expect(typesOf('AUDITOR_REJECTED', 'DISPUTED_LATE')).toEqual([
      'session.transitioned',
      'session.disputed',
    ]);
    expect(typesOf('USER_MEETING_SCHEDULED', 'RESOLVED')).toEqual([
      'session.transitioned',
      'session.dispute_resolved',
    ]);
  });

  test('a transition with a review causes review.recorded after all others', () => {
    expect(typesOf('AGENT_APPROVED', 'MOVED', true)).toEqual(['session.transitioned', 'review.recorded']);
  });

  test('only the names of event types are event types, and only those that begin with meeting. tell of a meeting', () => {
    expect(['session.transitioned', 'meeting.missed', 'toString', 'meeting'].map(isEventType)).toEqual([
      ...[true, true, false, false],
    ]);
    expect([isMeetingEventType('meeting.missed'), isMeetingEventType('review.recorded')]).toEqual([
      true,
      false,
    ]);
  });
});
