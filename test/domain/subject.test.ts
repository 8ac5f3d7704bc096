import { describe, expect, test } from 'vitest';
import { canonicalizeSubject, isCanonicalSubject } from '../../src/domain/subject.ts';

const LOOK_LIKE_ALICE = [
  'alice ',
  ' alice',
  'alice\u200b',
  'al\u00adice',
  '\ufeffalice',
  'alice\u2060',
  'alice\u00a0',
  'alice\u3000',
  'alice\n',
  'alice \u200b ',
  'alice\u202e',
  'alice\u{e0001}',
];

describe('canonicalizeSubject', () => {
  test.each(LOOK_LIKE_ALICE)('the subject %j is not canonical and becomes alice', (sub) => {
    expect(isCanonicalSubject(sub)).toBe(false);
    expect(canonicalizeSubject(sub)).toBe('alice');
  });

  test('a subject with a decomposed letter (NFD) is accepted, and becomes composed (NFC)', () => {
    expect(isCanonicalSubject('Zoe\u0308')).toBe(true);
    expect(canonicalizeSubject('Zoe\u0308')).toBe('Zo\u00eb');
  });

  test('letter case, single spaces and other alphabets in a subject are kept', () => {
    for (const sub of ['Alice', 'auth0|5f7', 'Asha Rao', 'आशा', 'a@b.example'])
      expect([isCanonicalSubject(sub), canonicalizeSubject(sub)]).toEqual([true, sub]);
  });

  test('canonicalizeSubject is idempotent: canonicalising twice gives the same subject as once', () => {
    for (const sub of ['a \u200b b', 'e\u200b\u0301', '\u200b \u200b'])
      expect(canonicalizeSubject(canonicalizeSubject(sub))).toBe(canonicalizeSubject(sub));
  });

  test('canonicalising a long token subject of spaces and invisible characters takes less than half a second', () => {
    const started = performance.now();
    canonicalizeSubject(' \u200b'.repeat(10_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});
