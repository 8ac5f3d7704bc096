import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findIdentityMismatch } from '../../src/domain/identity.ts';

const OURS = { verificationId: 'loan-1', referenceId: '1358', userId: 'asha' };
const id = fc.string({ minLength: 1, maxLength: 4 });

describe('findIdentityMismatch', () => {
  test('findIdentityMismatch names the id that differs, and returns null if none does', () => {
    expect(findIdentityMismatch(OURS, OURS)).toBeNull();
    expect(findIdentityMismatch(OURS, { ...OURS, verificationId: 'loan-2' })).toBe('verificationId');
    expect(findIdentityMismatch(OURS, { ...OURS, referenceId: '1359' })).toBe('referenceId');
    expect(findIdentityMismatch(OURS, { ...OURS, userId: 'bina' })).toBe('userId');
  });

  test('findIdentityMismatch treats ids that differ only in case, padding or Unicode form as different', () => {
    for (const verificationId of ['LOAN-1', 'loan-1 ', 'loan-01', 'loan\u20111'])
      expect(findIdentityMismatch(OURS, { ...OURS, verificationId }), verificationId).toBe('verificationId');
    expect(findIdentityMismatch({ userId: '\u00e9' }, { userId: 'e\u0301' })).toBe('userId');
  });

  test('findIdentityMismatch does not compare an id that is missing on one side', () => {
    expect(
      findIdentityMismatch(OURS, { verificationId: 'loan-1', referenceId: null, userId: null }),
    ).toBeNull();
    expect(findIdentityMismatch({ ...OURS, referenceId: null }, { ...OURS, referenceId: '7' })).toBeNull();
  });

  test('findIdentityMismatch finds a mismatch if and only if two known ids are different strings', () => {
    const maybe = fc.option(id);
    const identity = fc.record({ verificationId: id, referenceId: maybe, userId: maybe });
    fc.assert(
      fc.property(identity, identity, (ours, theirs) => {
        const differs = (['verificationId', 'referenceId', 'userId'] as const).some(
          (field) => ours[field] !== null && theirs[field] !== null && ours[field] !== theirs[field],
        );
        expect(findIdentityMismatch(ours, theirs) !== null).toBe(differs);
      }),
    );
  });
});
