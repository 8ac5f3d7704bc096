/**
 * Translations of what the gateway sends. It sends English, so that English has none: both functions return null, and the
 * page shows the gateway's own sentence.
 */
export const gateway = {
  /** Translates a sentence of the gateway; null if there is no translation. */
  translate: (_sentence: string): string | null => null,
  /** Says what the code of an error or a refusal means, for a message that has no translation. Null in English. */
  explain: (_code: string): string | null => null,
};
