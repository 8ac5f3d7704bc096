/**
 * Checks texts written by people: whether they have at most so many characters as a reader counts them, and
 * whether they show any.
 */

/** Segmenter shared by all calls, because constructing one takes far longer than using it. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Whether a text has at most `count` characters as a reader counts them (graphemes): a syllable of Devanagari is one,
 * however many code points it has. Takes time linear in the text's length.
 */
export function hasAtMostCharacters(text: string, count: number): boolean {
  // Every grapheme has at least one UTF-16 code unit.
  // Stryker disable next-line ConditionalExpression,EqualityOperator: only saves time, the count below says the same
  if (text.length <= count) return true;
  let counted = 0;
  for (const _grapheme of graphemes.segment(text)) {
    counted += 1;
    if (counted > count) return false;
  }
  return true;
}

/**
 * Matches a visible character: not white space or control, not what Unicode says to leave out when it cannot be shown
 * (zero-width spaces, bidi marks, variation selectors, Hangul fillers …), and not the two others that are blank:
 * Braille without dots and the null notehead.
 */
const VISIBLE =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cf}\p{Cs}\u2800\u{1d159}]/u;

/** Whether any character of the text is visible. */
export const isVisible = (text: string): boolean => VISIBLE.test(text);
