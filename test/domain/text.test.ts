import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/domain/ports.ts';
import {
  isStorableText,
  isStorableTime,
  replaceUnstorableCharacters,
  STORABLE_TIME_LIMIT_MS,
} from '../../src/domain/storable.ts';
import { hasAtMostCharacters, hasVisibleCharacter } from '../../src/domain/text.ts';

describe('hasAtMostCharacters', () => {
  test.each([
    ['', 0, true],
    ['abc', 3, true],
    ['abc', 2, false],
    ['abcd', 2, false],
    // Counts characters as a reader sees them: three syllables in eight code points, two emoji in 13 code
    // units.
    ['क्षत्रिय', 3, true],
    ['क्षत्रिय', 2, false],
    ['👨‍👩‍👧👩‍🚀', 2, true],
    ['👨‍👩‍👧👩‍🚀', 1, false],
  ])('hasAtMostCharacters(%j, %i) returns %s', (text, count, answer) => {
    expect(hasAtMostCharacters(text, count)).toBe(answer);
  });
});

describe('isVisible', () => {
  test.each([
    ' ',
    '',
    '\u200b',
    '\ufdd0',
    '\u0007',
    '\u061c',
    '\ud800',
    '\u2800',
    '\u{1d159}',
    '\u3164',
    '\u00a0\u0600',
  ])('isVisible returns false for %j, which has no visible character', (text) => {
    expect(hasVisibleCharacter(text)).toBe(false);
  });

  test.each(['a', ' a ', '\u200bक', '😀', '-'])(
    'isVisible returns true for %j, which has a visible character',
    (text) => {
      expect(hasVisibleCharacter(text)).toBe(true);
    },
  );
});

describe('storable', () => {
  test('a text with a null byte or a lone surrogate is not storable, and replaceUnstorableCharacters replaces both', () => {
    expect(['a', '', '😀', '\ufffd'].map(isStorableText)).toEqual([true, true, true, true]);
    expect(['a\0', '\ud800', 'a\udc00b', '\0\ud800'].map(isStorableText)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(replaceUnstorableCharacters('a\0b\0\ud800😀')).toBe('a\ufffdb\ufffd\ufffd😀');
  });

  test('isStorableTime accepts times from the year 1 until December 30 of 9999', () => {
    const at = (ms: number) => isStorableTime(new Date(ms));
    const earliest = Date.parse('0001-01-01T00:00:00Z');
    expect([
      at(earliest - 1),
      at(earliest),
      at(0),
      at(STORABLE_TIME_LIMIT_MS - 1),
      at(STORABLE_TIME_LIMIT_MS),
    ]).toEqual([false, true, true, true, false]);
    expect(at(Number.NaN)).toBe(false);
    expect(new Date(STORABLE_TIME_LIMIT_MS).toISOString()).toBe('9999-12-31T00:00:00.000Z');
  });
});

test('the system clock returns the current time', () => {
  const before = Date.now();
  const now = systemClock.now().getTime();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});
