import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/domain/audit.ts';
import { type CurrentRow, checkRows } from '../../src/domain/audit-check.ts';

const entryOf = (content: object): AuditEntry => ({
  sessionId: '01a22456-a541-7163-90ac-0b033647a4f4',
  number: 1,
  kind: 'TRANSITION',
  content: JSON.stringify({ sequence: 1, ...content }),
  keyId: 'test',
  recordedAt: new Date(0),
  hash: Buffer.alloc(32),
});

const rowOf = (content: object): CurrentRow => ({
  kind: 'TRANSITION',
  key: '1',
  content: JSON.stringify({ sequence: 1, ...content }),
});

const findingOf = (then: object, now: object) =>
  checkRows([entryOf(then)], [rowOf(now)]).finding?.what ?? null;

describe('checkRows', () => {
  test('a field added by a later release is not reported as an edit while it is null', () => {
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: null })).toBeNull();
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: 'ravi' })).toBe(
      'status_transition 1 was edited: assignee',
    );
  });

  test('a value removed from a row is reported as an edit', () => {
    expect(findingOf({ actor: 'uma' }, { actor: null })).toBe('status_transition 1 was edited: actor');
  });
});
