/** Languages that people speak, as BCP 47 tags such as `hi` or `en-IN`. */

/** Maximum number of languages that a start states for its customer, and that a person passes to `claimNext`. */
export const MAX_LANGUAGES = { customer: 5, staff: 20 } as const;

/** Longer than any tag that is in use (RFC 5646, section 4.4.1, recommends room for 35 characters). */
const MAX_TAG_LENGTH = 35;
/** Matches tags that begin with a language of ISO 639. Longer words, such as `hindi`, are well-formed but mean nothing. */
const KNOWN_FORM = /^(?!und\b)[a-z]{2,3}\b/;

/**
 * Returns the canonical form of a tag (`HI-in` becomes `hi-IN`), without its extensions, which say how to write and not how
 * to speak. Null if the text is no tag of a language.
 */
export function canonicalizeLanguageTag(tag: string): string | null {
  if (tag.length > MAX_TAG_LENGTH) return null;
  try {
    const { baseName } = new Intl.Locale(tag);
    return KNOWN_FORM.test(baseName) ? baseName : null;
  } catch {
    return null;
  }
}

/** Formats canonical tags for the database; null if there are none. */
export const serializeLanguageTags = (languages: readonly string[] | undefined): string | null =>
  languages?.length ? languages.join(' ') : null;

/** Parses the tags that `serializeLanguageTags` formatted. */
export const parseStoredLanguageTags = (stored: string | null): string[] => stored?.split(' ') ?? [];

/** Returns the languages of tags without scripts and regions: people who speak `hi` understand `hi-IN`. */
export const toBaseLanguages = (languages: readonly string[]): string[] => [
  ...new Set(languages.map((tag) => tag.split('-')[0] as string)),
];
