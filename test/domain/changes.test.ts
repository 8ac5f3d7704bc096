import { describe, expect, test } from 'vitest';
import {
  findSessionChanges,
  isStatusVerdict,
  SESSION_CHANGES,
  STAFF_ONLY_CHANGES,
} from '../../src/domain/changes.ts';
import type { Verdict } from '../../src/domain/session.ts';
import { ALL_PAIRS, type SubStatus } from '../../src/domain/status.ts';

const changesOf = (verdict: Verdict, subStatus: SubStatus) =>
  findSessionChanges({ verdict, subStatus }).join(' ');

const ALL_VERDICTS: readonly Verdict[] = [
  'MOVED',
  'RESOLVED',
  'LATE',
  'REVIEWED',
  'ENDED',
  'DISPUTED',
  'DISPUTED_LATE',
  'DETAILS',
  'NOTED',
  'ESCALATED',
  'ESCALATION_RESOLVED',
  'ASSIGNED',
  'UNASSIGNED',
  'LABELLED',
  'NOTIFIED',
];

describe('findSessionChanges, for a transition with this verdict and this sub-status, returns', () => {
  test.each<[Verdict, SubStatus, string]>([
    ['MOVED', 'USER_QUEUED', 'STATUS'],
    ['MOVED', 'USER_MEETING_SCHEDULED', 'STATUS MEETINGS'],
    ['MOVED', 'USER_MEETING_CANCELLED', 'STATUS MEETINGS'],
    ['MOVED', 'USER_MISSED_MEETING', 'STATUS MEETINGS'],
    ['MOVED', 'AGENT_ENDED_CALL', 'STATUS MEETINGS REVIEWS'],
    ['MOVED', 'AGENT_APPROVED', 'STATUS MEETINGS REVIEWS'],
    ['MOVED', 'AGENT_REJECTED', 'STATUS MEETINGS REVIEWS'],
    ['MOVED', 'AGENT_UNABLE_TO_VALIDATE', 'STATUS REVIEWS'],
    ['MOVED', 'AUDITOR_APPROVED', 'STATUS MEETINGS REVIEWS'],
    ['MOVED', 'AUDITOR_REJECTED', 'STATUS MEETINGS REVIEWS'],
    ['MOVED', 'REJECTED_BY_MERCHANT', 'STATUS MEETINGS CLOSURE'],
    ['MOVED', 'FAILED_BY_MERCHANT', 'STATUS MEETINGS CLOSURE'],
    ['MOVED', 'REPLACED', 'STATUS MEETINGS REPLACEMENT'],
    // A session that has ended keeps its status, but closing or replacing it cancels its meeting.
    ['ENDED', 'REJECTED_BY_MERCHANT', 'STATUS MEETINGS CLOSURE'],
    ['ENDED', 'REPLACED', 'STATUS MEETINGS REPLACEMENT'],
    ['ENDED', 'USER_QUEUED', ''],
    ['ENDED', 'AUDITOR_APPROVED', 'REVIEWS'],
    ['LATE', 'AUDITOR_APPROVED', ''],
    ['LATE', 'USER_MEETING_SCHEDULED', ''],
    ['REVIEWED', 'AGENT_APPROVED', 'REVIEWS'],
    ['DISPUTED', 'AUDITOR_APPROVED', 'STATUS REVIEWS DISPUTE'],
    ['DISPUTED_LATE', 'AUDITOR_APPROVED', 'STATUS DISPUTE'],
    ['RESOLVED', 'AUDITOR_APPROVED', 'STATUS MEETINGS REVIEWS DISPUTE'],
    ['RESOLVED', 'REJECTED_BY_MERCHANT', 'STATUS DISPUTE'],
    ['RESOLVED', 'REPLACED', 'STATUS DISPUTE'],
    ['DETAILS', 'AUDITOR_APPROVED', 'MEETINGS REVIEWS'],
    ['ASSIGNED', 'AGENT_ENDED_CALL', 'ASSIGNMENT'],
    ['UNASSIGNED', 'AGENT_APPROVED', 'ASSIGNMENT'],
    ['DETAILS', 'USER_QUEUED', 'MEETINGS REVIEWS'],
    ['NOTED', 'REJECTED_BY_MERCHANT', 'NOTES'],
    ['NOTED', 'AUDITOR_APPROVED', 'NOTES'],
    ['ESCALATED', 'USER_DROPPED_OFF', 'ESCALATION'],
    ['ESCALATION_RESOLVED', 'REPLACED', 'ESCALATION'],
    ['LABELLED', 'REJECTED_BY_MERCHANT', 'LABELS'],
    ['NOTIFIED', 'REJECTED_BY_MERCHANT', 'NOTIFICATIONS'],
  ])('%s %s: "%s"', (verdict, subStatus, changes) => {
    expect(changesOf(verdict, subStatus)).toBe(changes);
  });
});

test('findSessionChanges returns nothing for the verdict of a later release', () => {
  expect(changesOf('INVENTED' as Verdict, 'USER_QUEUED')).toBe('');
});

test('findSessionChanges lists MEETINGS for exactly these sub-statuses of applied transitions', () => {
  const found = ALL_PAIRS.filter(({ subStatus }) => changesOf('MOVED', subStatus).includes('MEETINGS'));
  expect(new Set(found.map(({ subStatus }) => subStatus))).toEqual(
    new Set([
      'USER_MEETING_SCHEDULED',
      'USER_MEETING_CANCELLED',
      'USER_ACCEPTED_MEETING',
      'USER_REJECTED_MEETING',
      'USER_MISSED_MEETING',
      'USER_ENDED_CALL',
      'AGENT_ENDED_CALL',
      'AGENT_APPROVED',
      'AGENT_REJECTED',
      'AUDITOR_APPROVED',
      'AUDITOR_REJECTED',
      'REJECTED_BY_MERCHANT',
      'FAILED_BY_MERCHANT',
      'REPLACED',
      'INSUFFICIENT_BALANCE',
      'VKYC_EXPIRED',
    ]),
  );
});

test('findSessionChanges returns each change at most once, in the order of SESSION_CHANGES', () => {
  const order = Object.keys(SESSION_CHANGES);
  for (const verdict of ALL_VERDICTS) {
    for (const { subStatus } of ALL_PAIRS) {
      const places = findSessionChanges({ verdict, subStatus }).map((change) => order.indexOf(change));
      expect(places).toEqual([...new Set(places)].toSorted((one, other) => one - other));
    }
  }
});

test('isStatusVerdict is false for exactly the verdicts that record a note, an escalation, an assignment, labels or a detail', () => {
  expect(ALL_VERDICTS.filter((verdict) => !isStatusVerdict(verdict))).toEqual([
    'DETAILS',
    'NOTED',
    'ESCALATED',
    'ESCALATION_RESOLVED',
    'ASSIGNED',
    'UNASSIGNED',
    'LABELLED',
    'NOTIFIED',
  ]);
});

test('exactly the changes NOTES, ESCALATION, ASSIGNMENT and LABELS are hidden from customers', () => {
  expect(STAFF_ONLY_CHANGES).toEqual(['NOTES', 'ESCALATION', 'ASSIGNMENT', 'LABELS', 'NOTIFICATIONS']);
});
