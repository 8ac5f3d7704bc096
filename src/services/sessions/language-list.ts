import { z } from 'zod';
import { canonicalizeLanguageTag } from '../../domain/languages.ts';

const NO_LANGUAGE = 'must be a BCP 47 language tag, such as hi or en-IN';

const language = z.string().transform((tag, context) => {
  const canonical = canonicalizeLanguageTag(tag);
  if (canonical !== null) return canonical;
  context.addIssue({ code: 'custom', message: NO_LANGUAGE });
  return z.NEVER;
});

/** Schema of a list of at most `most` languages. Returns their canonical tags, each once. */
export const createLanguageListSchema = (most: number) =>
  z
    .array(language)
    .max(most, `must have at most ${most} entries`)
    .transform((languages) => [...new Set(languages)]);
