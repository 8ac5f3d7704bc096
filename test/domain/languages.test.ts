import { describe, expect, test } from 'vitest';
import {
  canonicalizeLanguageTag,
  parseStoredLanguageTags,
  serializeLanguageTags,
  toBaseLanguages,
} from '../../src/domain/languages.ts';

describe('language tags', () => {
  test('a tag becomes canonical: the case of its parts, and no extensions', () => {
    const given = ['HI-in', 'en', 'hi-deva-IN', 'en-IN-u-nu-deva', 'mai', 'kok-IN'];

    expect(given.map(canonicalizeLanguageTag)).toEqual([
      'hi-IN',
      'en',
      'hi-Deva-IN',
      'en-IN',
      'mai',
      'kok-IN',
    ]);
  });

  test.each(['', 'hindi', 'und', 'und-IN', 'h', 'hi_IN', 'हिन्दी', '1', 'hi IN'])(
    'the text %j is refused as a language',
    (text) => {
      expect(canonicalizeLanguageTag(text)).toBeNull();
    },
  );

  test('a tag of 35 characters is accepted, and a longer one is refused', () => {
    const longest = 'en-abcdefgh-bcdefghi-cdefghij-abcde';

    expect(longest).toHaveLength(35);
    expect(canonicalizeLanguageTag(longest)).not.toBeNull();
    expect(canonicalizeLanguageTag(`${longest}f`)).toBeNull();
  });

  test('stored tags are read as they were written, and no tags are stored as null', () => {
    expect(parseStoredLanguageTags(serializeLanguageTags(['hi-IN', 'en']))).toEqual(['hi-IN', 'en']);
    expect([serializeLanguageTags([]), serializeLanguageTags(undefined)]).toEqual([null, null]);
    expect(parseStoredLanguageTags(null)).toEqual([]);
  });

  test('toBaseLanguages leaves out scripts and regions, and names each language once', () => {
    expect(toBaseLanguages(['hi-Deva-IN', 'en-IN', 'hi', 'en'])).toEqual(['hi', 'en']);
    expect(toBaseLanguages([])).toEqual([]);
  });
});
