/**
 * Checks of texts written by people: the number of characters as a reader counts them (graphemes), and whether
 * any character is visible.
 */

/** Maximum length of each text that people write, in characters as a reader counts them (graphemes). */
export const MAX_TEXT_CHARACTERS = {
  note: 2000,
  remarks: 2000,
  customerMessage: 500,
  notification: 500,
  reason: 500,
  address: 500,
} as const;

/** Segmenter shared by all calls, because constructing one takes far longer than using it. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Whether a text has at most `count` characters as a reader counts them (graphemes): a syllable of Devanagari
 * counts as one, however many code points it has. Takes time linear in the text's length.
 */
export function hasAtMostCharacters(text: string, count: number): boolean {
  // A text has at most as many graphemes as UTF-16 code units, so a short text needs no counting.
  // Stryker disable next-line ConditionalExpression,EqualityOperator: only saves time, the count below says the
  // same
  if (text.length <= count) return true;
  let counted = 0;
  for (const _grapheme of graphemes.segment(text)) {
    counted += 1;
    if (counted > count) return false;
  }
  return true;
}

/**
 * Matches a visible character. Excludes white space, controls, characters that Unicode calls default-ignorable
 * (zero-width spaces, bidi marks, variation selectors, Hangul fillers …), and two more blank characters:
 * Braille without dots (U+2800) and the null notehead (U+1D159).
 */
const VISIBLE =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cf}\p{Cs}\u2800\u{1d159}]/u;

/** Whether any character of the text is visible. */
export const hasVisibleCharacter = (text: string): boolean => VISIBLE.test(text);
