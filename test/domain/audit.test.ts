import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  AUDIT_FIELDS,
  AuditKeyring,
  computeCommitment,
  createCommitmentSalt,
  formatAuditTime,
  formatPersonForCommitment,
  LATE_SESSION_FIELDS,
  serializeAuditContent,
} from '../../src/domain/audit.ts';
import { keys, makeEntry, SESSION_ID } from './chains.ts';

/** Derives a key as the format specifies, independently of the code under test. */
const derive = (byte: number, purpose: string) =>
  Buffer.from(hkdfSync('sha256', Buffer.alloc(32, byte), '', `audit ${purpose}`, 32));
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('hex');

describe('serialise', () => {
  test('serialise writes exactly the fields of the kind of audit entry in their order, times as text and missing values as null', () => {
    const content = { hashes: undefined, erasedBy: 'uma', more: 1 } as never;
    expect(serializeAuditContent('PSEUDONYM', content)).toBe('{"erasedBy":"uma","hashes":null}');
    const transition = {
      recordedAt: new Date(5),
      sequence: 0,
      actor: '',
      occurredAt: new Date(Number.NaN),
    } as never;
    expect(serializeAuditContent('TRANSITION', transition)).toBe(
      '{"sequence":0,"fromStatus":null,"fromSubStatus":null,"status":null,"subStatus":null,"rawStatus":null,' +
        '"rawSubStatus":null,"verdict":null,"source":null,"actor":"","occurredAt":"no time",' +
        '"recordedAt":"1970-01-01T00:00:00.005Z"}',
    );
  });

  test('formatAuditTime writes an invalid time as "no time"', () => {
    expect(formatAuditTime(new Date('2026-01-05T10:00:00.5Z'))).toBe('2026-01-05T10:00:00.500Z');
    expect(formatAuditTime(new Date('infinity'))).toBe('no time');
  });

  // Stored chains were signed over these fields in this order: without a field, or in another order, their
  // hashes would no longer match.
  test('AUDIT_FIELDS has, for each kind of entry, the fields of the stored chains in the same order', () => {
    expect(Object.entries(AUDIT_FIELDS).map(([kind, fields]) => `${kind} ${fields.join(' ')}`)).toEqual([
      'ADOPTION transitions meetings reviews adoptedBy',
      'SESSION verificationId userId person caller referenceId userTemplate agentTemplate replacesId linkExpiresAt createdAt boundBy',
      'DETAILS caller referenceId userTemplate agentTemplate replacesId linkExpiresAt boundBy',
      'TRANSITION sequence fromStatus fromSubStatus status subStatus rawStatus rawSubStatus verdict source actor occurredAt recordedAt',
      'MEETING id startsAt status source scheduledBy cancelledBy cancelReason createdAt',
      'REVIEW id sequence stage decision remarks source reviewer recordedAt reasons customerMessage callComplete',
      'ANNOTATION id sequence kind code text author recordedAt',
      'LABELS metadata tags',
      'PSEUDONYM erasedBy hashes',
      'ERASURE erasedBy',
    ]);
    expect(LATE_SESSION_FIELDS.join(' ')).toBe(
      'caller referenceId userTemplate agentTemplate replacesId linkExpiresAt',
    );
  });
});

describe('commitment', () => {
  test('a commitment is the SHA-256 hash of a salt and a text, and each new salt is different', () => {
    const salt = Buffer.from('salt');
    expect(computeCommitment('text', salt)).toBe(createHash('sha256').update('salttext').digest('hex'));
    expect(computeCommitment(Buffer.from('text'), salt)).toBe(computeCommitment('text', salt));
    expect(createCommitmentSalt()).toHaveLength(32);
    expect(createCommitmentSalt()).not.toEqual(createCommitmentSalt());
  });

  test('personText, the text that the commitment to a person hashes, contains the id and creation time of the user', () => {
    expect(formatPersonForCommitment({ userId: 'u-1', createdAt: new Date(0) })).toBe(
      '["u-1","1970-01-01T00:00:00.000Z"]',
    );
  });
});

describe('AuditKeyring', () => {
  const entry = makeEntry(null, 'ERASURE', { erasedBy: 'uma' });
  const text = (before: string | null) =>
    JSON.stringify([
      'vkyc-audit-1',
      SESSION_ID,
      1,
      'ERASURE',
      '{"erasedBy":"uma"}',
      entry.recordedAt.toISOString(),
      'new',
      before,
    ]);

  test('AuditKeyring signs an entry together with the hash of the entry before, with a key that is derived for entries only', () => {
    expect(keys.hash(entry, null).toString('hex')).toBe(hmac(derive(2, 'entries'), text(null)));
    expect(keys.hash(entry, Buffer.from('ab', 'hex')).toString('hex')).toBe(
      hmac(derive(2, 'entries'), text('ab')),
    );
  });

  test('an audit entry is verified with the key that the entry names, and fails if any part of the entry was changed', () => {
    expect(keys.verifies(entry, null)).toBe(true);
    expect(keys.verifies(makeEntry(null, 'ERASURE', {}, { keyId: 'old' }), null)).toBe(true);
    expect(keys.verifies(entry, entry.hash)).toBe(false);
    expect(keys.verifies({ ...entry, hash: entry.hash.subarray(1) }, null)).toBe(false);
    expect(keys.verifies({ ...entry, hash: Buffer.alloc(32) }, null)).toBe(false);
    for (const changes of [
      { keyId: 'old' },
      { keyId: 'lost' },
      { number: 2 },
      { kind: 'REVIEW' as const },
      { content: '{}' },
      { recordedAt: new Date(0) },
      { sessionId: 'another' },
    ])
      expect(keys.verifies({ ...entry, ...changes }, null), JSON.stringify(changes)).toBe(false);
  });

  test('the first key of AUDIT_KEYS signs; AuditKeyring throws for an empty list and for an unknown key id', () => {
    expect(keys.currentId).toBe('new');
    expect([keys.has('new'), keys.has('old'), keys.has('lost')]).toEqual([true, true, false]);
    expect(() => new AuditKeyring([])).toThrow('AUDIT_KEYS contains no key: set at least one');
    expect(() => keys.sign([], 'lost')).toThrow('AUDIT_KEYS has no key "lost"');
  });

  test('AuditKeyring derives separate keys for entries, pseudonyms and the MAC of an export', () => {
    const pseudonym = (byte: number) => `customer:${hmac(derive(byte, 'subjects'), 'asha').slice(0, 32)}`;
    expect(keys.pseudonyms('asha')).toEqual([pseudonym(2), pseudonym(1)]);
    expect(keys.exportMac().update('x').digest('hex')).toBe(hmac(derive(2, 'exports'), 'x'));
    expect(keys.exportMac('old').update('x').digest('hex')).toBe(hmac(derive(1, 'exports'), 'x'));
  });
});
