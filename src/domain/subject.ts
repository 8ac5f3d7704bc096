/** Canonical form of the `sub` of a token: two subjects that look the same must not count as two people (four eyes). */

/** Format characters, marks and fillers without a glyph; all kinds of control, surrogate and unassigned special use. */
const INVISIBLE =
  /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cf}\p{Cs}\u2800\u{1d159}]/gu;
const WHITE_SPACE = /\p{White_Space}+/gu;

/**
 * Returns the one form of all subjects that look the same but for letter case and letters of other alphabets: NFC, no
 * invisible characters, single spaces inside, none around. Releases before stored subjects as they came.
 */
export const canonicalSubject = (sub: string): string =>
  // White space comes first, since line breaks and tabs are also controls; then what had an invisible character inside.
  sub
    .replaceAll(WHITE_SPACE, ' ')
    .replaceAll(INVISIBLE, '')
    .replaceAll(WHITE_SPACE, ' ')
    .trim()
    .normalize('NFC');

/** Whether a subject differs from its canonical form by Unicode normalisation alone. */
export const isCanonicalSubject = (sub: string): boolean => canonicalSubject(sub) === sub.normalize('NFC');

export const NOT_CANONICAL =
  'must not begin or end with white space, contain white space other than single spaces, or contain invisible characters';
