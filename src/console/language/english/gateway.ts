/**
 * Sentences that the gateway sends. It writes English, so English has nothing of its own: each function returns null, and
 * the gateway's sentence is shown as it is.
 */
export const gateway = {
  /** Returns a sentence of the gateway in the language of the user; null if the language has it not. */
  translate: (_sentence: string): string | null => null,
  /** Returns what a code of an error or a refusal means, for messages that `translate` does not know; null likewise. */
  explain: (_code: string): string | null => null,
};
