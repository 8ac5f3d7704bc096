import { describe, expect, test } from 'vitest';
import { DEADLINE_NAMES, findDueAt } from '../../src/domain/deadlines.ts';
import { type KnownSubStatus, toStatusPair } from '../../src/domain/status.ts';

const SINCE = new Date('2026-01-05T10:00:00Z');
const deadlines = { AGENT: 30, MERCHANT: 60, USER_QUEUED: 10 };
const dueIn = (subStatus: KnownSubStatus, flags: object = {}) => {
  const session = { disputed: false, closed: false, replaced: false, statusSince: SINCE, ...flags };
  const at = findDueAt({ ...toStatusPair(subStatus), ...session }, deadlines);
  return at && (at.getTime() - SINCE.getTime()) / 60_000;
};

describe('findDueAt', () => {
  test("a sub-status's own time takes precedence over that of the party, and without either there is no deadline", () => {
    expect(dueIn('USER_QUEUED')).toBe(10);
    expect(dueIn('AGENT_ENDED_CALL')).toBe(30);
    expect(dueIn('USER_DROPPED_OFF')).toBe(60);
    expect(dueIn('LINK_GENERATED')).toBe(null);
  });

  test('a session that has ended or is disputed has no deadline, even if it waits on a party that has one', () => {
    expect(dueIn('VKYC_EXPIRED')).toBe(null);
    expect(dueIn('AUDITOR_APPROVED')).toBe(null);
    expect(dueIn('USER_QUEUED', { disputed: true })).toBe(null);
  });

  test('deadlines may be set for every sub-status of a session under way and for every party but NOBODY', () => {
    for (const name of ['USER_QUEUED', 'UNRECOGNIZED', 'AGENT_REJECTED', 'PROVIDER'] as const)
      expect(DEADLINE_NAMES).toContain(name);
    for (const name of ['AUDITOR_APPROVED', 'VKYC_EXPIRED', 'NOBODY'] as const)
      expect(DEADLINE_NAMES).not.toContain(name);
  });
});
