/**
 * Canonical form of the `sub` claim (subject) of a token. Two subjects that look the same must not count as two
 * people; otherwise one person could audit their own review (four-eyes rule).
 */

/** Characters without a visible glyph: format characters, marks and fillers, controls, surrogates and noncharacters. */
const INVISIBLE =
  /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cf}\p{Cs}\u2800\u{1d159}]/gu;
const WHITE_SPACE = /\p{White_Space}+/gu;

/**
 * Returns the canonical form that is equal for subjects that look the same: Unicode NFC, no invisible
 * characters, single inner spaces, trimmed. Letter case and look-alike letters of other alphabets stay
 * different.
 */
export const canonicalizeSubject = (sub: string): string =>
  // White space is replaced first, because line breaks and tabs are also control characters and would be
  // removed; and once more, because a removed invisible character may have separated two spaces.
  sub
    .replaceAll(WHITE_SPACE, ' ')
    .replaceAll(INVISIBLE, '')
    .replaceAll(WHITE_SPACE, ' ')
    .trim()
    .normalize('NFC');

/** Whether a subject is in canonical form, apart from Unicode normalization. */
export const isCanonicalSubject = (sub: string): boolean => canonicalizeSubject(sub) === sub.normalize('NFC');

export const NON_CANONICAL_SUBJECT_MESSAGE =
  'must not begin or end with white space, contain white space other than single spaces, or contain invisible characters';
